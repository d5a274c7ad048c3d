"""The three services on real servers within the test's process, with dead letters to work on."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import httpx
import uvicorn

from deploy.local import parts
from deploy.local.ports import free_port
from deploy.local.stack import Endpoints
from libs.chassis.items import Cause, Item, Raw, digest
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database
from libs.chassis.run import Runtime, http_app
from libs.chassis.service import Service
from libs.chassis.tracing import Off
from libs.chassis.transactions import Transactions
from libs.chassis.words import Handler
from libs.contracts.envelope import Reason, Unreadable, describe, encode, headers
from libs.contracts.events import PairCreated
from libs.contracts.examples import PAIR_CREATED
from libs.ops import topics
from tests.journeys.company import until

NAMES = ("matching", "scheduling", "notifications")


@dataclass(slots=True)
class Bureau:
    """`park` leaves dead letters in scheduling, as a handler that fails and a sender that errs would."""

    values: dict[str, Any]
    urls: dict[str, str] = field(default_factory=dict)
    servers: list[uvicorn.Server] = field(default_factory=list)
    parked: int = 0

    def park(self, failed: int, unreadable: int) -> None:
        asyncio.run(self._park(failed, unreadable))

    def replayed(self) -> int:
        """How many of the pairs scheduling knows."""
        return asyncio.run(self._count("pairs"))

    async def _park(self, failed: int, unreadable: int) -> None:
        database = self._database()
        try:
            items = [self._item() for _ in range(failed + unreadable)]
            for item in items[failed:]:
                assert item.raw
                item.message = Unreadable(Reason.INVALID_JSON, "Invalid JSON")
                item.raw.value = b'{"pair_id": '
            table = _broken(import_module("services.scheduling.app").service)
            settles = Transactions(table, database, database.now, Metrics("scheduling"), Off(), lambda effects: None)
            await settles.settle(items)
        finally:
            database.close()

    async def _count(self, collection: str) -> int:
        database = self._database()
        try:
            return await database.count(collection)
        finally:
            database.close()

    def _item(self) -> Item:
        self.parked += 1
        event = PAIR_CREATED.model_copy(update={"pair_id": f"pair-{self.parked}"})
        body, id = encode(event), f"event-{self.parked}"
        envelope = describe(event, id=id, source="/viceversa/matching", time=datetime.now(UTC))
        raw = Raw(event.topic, 0, self.parked, 1_772_442_000_000, event.key.encode(), body, headers(envelope))
        return Item(f"/viceversa/matching {id}", event, digest(body), Cause(id, id), raw, source="/viceversa/matching")

    def _database(self) -> Database:
        return Database(self.values["mongodb"], f"{self.values['database']}_scheduling")

    async def serve(self) -> None:
        for name in NAMES:
            service = import_module(f"services.{name}.app").service
            settings = import_module(f"services.{name}.settings").Settings(**self.values)
            port = int(self.urls[name].rpartition(":")[2])
            app = http_app(Runtime(service, settings))
            self.servers.append(uvicorn.Server(uvicorn.Config(app, port=port, log_config=None)))
        await asyncio.gather(*(server.serve() for server in self.servers))

    def ready(self) -> bool:
        try:
            return all(httpx.get(f"{url}/health/ready").status_code == 200 for url in self.urls.values())
        except httpx.TransportError:
            return False


@contextmanager
def bureau(endpoints: Endpoints, prefix: str, database_prefix: str) -> Iterator[Bureau]:
    """Ready, until the block ends."""
    topics.apply(endpoints.kafka, prefix, parts.heard(parts.SERVICES))
    where = {"kafka": endpoints.kafka, "mongodb": endpoints.mongodb, "prefix": prefix}
    made = Bureau({**where, "database": f"{database_prefix}all"})
    made.urls = {name: f"http://127.0.0.1:{free_port()}" for name in NAMES}
    thread = threading.Thread(target=lambda: asyncio.run(made.serve()))
    thread.start()
    try:
        until(made.ready)
        yield made
    finally:
        for server in made.servers:
            server.should_exit = True
        thread.join(60)


def _broken(service: Service) -> Service:
    """The service before its handler was mended."""

    def broken(*_: object) -> Sequence[Any]:
        raise ValueError("not yet")

    sound = service.hears[PairCreated]
    return replace(service, hears={**service.hears, PairCreated: Handler(broken, sound.first, sound.then)})
