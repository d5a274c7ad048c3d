"""Start-up and shutdown: a service's table becomes a FastStream application, an HTTP server and a relay."""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
import uvicorn
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Response
from faststream import FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from uuid_utils import uuid4

from libs.chassis import dead_letter_routes, due, inbox, logs, outbox, tracing
from libs.chassis.dead_letters import DeadLetter
from libs.chassis.documents import Document
from libs.chassis.due import DueWork
from libs.chassis.effects import Effects
from libs.chassis.errors import Transient
from libs.chassis.garbage import collect_rarely
from libs.chassis.health import Health
from libs.chassis.http import Commands, guard, problem
from libs.chassis.intake import Intake
from libs.chassis.leases import LEASES
from libs.chassis.loop import Loop
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database
from libs.chassis.relay import Relay
from libs.chassis.service import Service
from libs.chassis.settings import Settings
from libs.chassis.tasks import cancelled
from libs.chassis.transactions import Transactions

# A broker that is lost without a word costs a consumer so long, not aiokafka's 40 s; the broker itself lets a request
# wait for 10 s at most, in a rebalance.
_REQUEST_MS = 12_000
# A consumer that has no offset yet asks the leader that it knows again and again, also one that leads no longer, and
# learns of the next one only when its metadata has aged: in aiokafka after five minutes.
_METADATA_MS = 5_000
_LOOK_SECONDS, _CLOCK_SECONDS = 1.0, 10.0

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Runtime:
    """One process of a service."""

    service: Service
    settings: Settings
    clock: Callable[[], datetime] = field(init=False)
    database: Database = field(init=False)
    loop: Loop = field(init=False)
    intake: Intake = field(init=False)
    relay: Relay = field(init=False)
    due: DueWork = field(init=False)
    health: Health = field(init=False)
    metrics: Metrics = field(init=False)
    app: FastStream = field(init=False)
    _tasks: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = self.settings
        self.metrics = Metrics(self.service.name)
        self.database = Database(settings.mongodb, f"{settings.database}_{self.service.name}")
        self.clock = self.database.now
        trace = tracing.configured(self.service.name, settings.otlp_endpoint)
        transactions = Transactions(self.service, self.database, self.clock, self.metrics, trace, self._after)
        self.loop = Loop(transactions.settle, settings.batch_records)
        broker = KafkaBroker(
            settings.kafka.split(","),
            logger=None,
            request_timeout_ms=_REQUEST_MS,
            metadata_max_age_ms=_METADATA_MS,
            middlewares=[KafkaPrometheusMiddleware(registry=self.metrics.registry, metrics_prefix="faststream")],
        )
        self.app = FastStream(broker)
        self.intake = Intake(
            self.service, broker, settings.prefix, self.loop.submit, self.metrics, settings.batch_records
        )
        owner = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self.relay = Relay(self.service.name, self.database, settings.kafka, settings.prefix, owner, self.metrics)
        self.due = DueWork(self.service, self.database, self.loop.submit, self.clock, self.metrics)
        self.health = Health(
            self.database,
            self.intake,
            self.loop,
            self.relay,
            self.metrics,
            self.clock,
            settings.outbox_pages_limit,
            settings.outbox_age_limit,
        )

    async def start(self) -> None:
        """Start everything; servers that are away are waited for in the background."""
        self._start("health", self.health.run())
        self._start("begin", self._begin())

    async def _begin(self) -> None:
        await _until_it_works("MongoDB", self._prepare_database)
        self._start("clock", self._keep_time())
        self._start("loop", self.loop.run())
        self._start("relay", self.relay.run())
        self._start("due", self.due.run())
        await _until_it_works("Kafka", self._start_consumer)
        self._start("offsets", self.intake.commit_offsets())
        self._start("consumer", self._keep_consuming())

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(_CLOCK_SECONDS)
            with contextlib.suppress(Transient):
                await self.database.set_clock()

    async def _keep_consuming(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self.intake.died():
                log.error("a part of the Kafka client ended by itself; the consumer starts over")
                await self.intake.abandon()
                await self.app.stop()
                await _until_it_works("Kafka", self._start_consumer)

    async def _start_consumer(self) -> None:
        try:
            await self.app.start()
        except BaseException:
            await self.app.stop()
            raise

    async def stop(self) -> None:
        """Stop fetching, finish the batch, commit, leave the group, flush the relay, close. Bounded."""
        try:
            async with asyncio.timeout(self.settings.shutdown_seconds):
                await self._finish()
        except TimeoutError:
            log.warning("stopped before everything was finished; the successor goes on from the last transaction")
        await cancelled(self._tasks.values())
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.relay.lease.release(), 2.0)
        self.database.close()

    async def _finish(self) -> None:
        for name in ("begin", "consumer"):
            if task := self._tasks.pop(name, None):
                await cancelled([task])
        if work := self._tasks.pop("due", None):
            await cancelled([work])
            await self.due.stop()
        self.intake.pause()
        await self.intake.drain()
        await self.loop.drained()
        await self.app.stop()
        if relay := self._tasks.pop("relay", None):
            await self.relay.stop()
            await relay

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks[name] = task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A part that ends of an error is missing for good: who watches the process has to start it anew."""
        if not task.cancelled() and (error := task.exception()):
            self.health.ended.append(task.get_name())
            log.error("a part of the process ended by itself", part=task.get_name(), exc_info=error)

    def _after(self, effects: Effects) -> None:
        if effects.records:
            self.relay.wake.set()
        if effects.planned:
            self.due.wake.set()

    async def _prepare_database(self) -> None:
        await self.database.set_clock()
        kinds: list[type[Document]] = [*self.service.keeps, DeadLetter]
        for kind in kinds:
            await self.database.create_indexes(kind.collection, [(fields, {}) for fields in kind.indexes])
        for name, indexes in ((inbox.INBOX, inbox.INDEXES), (outbox.OUTBOX, outbox.INDEXES), (due.DUE, due.INDEXES)):
            await self.database.create_indexes(name, indexes)
        await self.database.create_indexes(LEASES, [])


def http_app(runtime: Runtime) -> FastAPI:
    """The service's routes, with those that every service has."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        await runtime.start()
        yield
        await runtime.stop()

    title = f"Viceversa {runtime.service.name}"
    app = FastAPI(title=title, lifespan=life, redoc_url=None)
    app.state.settings = runtime.settings
    app.state.service, app.state.clock = runtime.service, runtime.clock
    app.state.database = runtime.database
    app.state.commands = Commands(runtime.loop, runtime.settings.command_seconds, lambda: runtime.health.full)
    token = runtime.settings.api_token
    guard(app, token.get_secret_value() if token else None, runtime.service.open_http)
    # Open routes come first, so that a request which the guard lets through cannot reach another route.
    for router in (*runtime.service.open_http, *runtime.service.http, dead_letter_routes.router):
        app.include_router(router)

    @app.get("/health/live", tags=["health"])
    async def live() -> Response:
        return _health(runtime.health.live())

    @app.get("/health/ready", tags=["health"])
    async def ready() -> Response:
        return _health(runtime.health.ready())

    @app.get("/metrics", tags=["health"])
    async def metrics() -> Response:
        return Response(generate_latest(runtime.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def run(service: Service, settings: Settings) -> None:
    """Run one process of a service until SIGTERM or SIGINT."""
    logs.configure(service.name, settings.log_level)
    collect_rarely()
    uvicorn.run(
        http_app(Runtime(service, settings)),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(settings.command_seconds),
    )


def _health(reasons: list[str]) -> Response:
    if reasons:
        return problem(503, "; ".join(reasons))
    return Response('{"status":"ok"}', media_type="application/json")


async def _until_it_works(server: str, start: Callable[[], Awaitable[None]]) -> None:
    pause = 0.2
    while True:
        try:
            await start()
            return
        except (Transient, KafkaError, OSError) as error:
            log.warning("waiting for a server", server=server, error=type(error).__name__)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(5.0, pause * 2)
