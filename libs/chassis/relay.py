"""The relay: publishes outbox pages exactly once. The order of its steps is the promise (docs/decisions/0002)."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from libs.chassis.errors import Transient
from libs.chassis.leases import LEASES, Lease
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database, Row
from libs.chassis.outbox import OUTBOX, header_pairs
from libs.chassis.tasks import cancelled
from libs.contracts.topics import RELAY_TOPIC

# Kafka takes 4,096 bytes of metadata with an offset: a hundred names of 32 characters fit.
_PAGES_AT_ONCE = 100
_BYTES_AT_ONCE = 8_000_000
_TRANSACTION_MS = 10_000
_BOUND = 15.0
# Within the bound a client can pass by one broker that is lost without a word, and ask the next.
_REQUEST_MS = 5_000
_LEASE, _LEASE_SECONDS = "relay", 6.0
_RENEW_SECONDS = 2.0
_SWEEP_SECONDS = 0.1
_STANDBY_SECONDS = 1.0

log = structlog.get_logger()


class AnotherCluster(Exception):
    """The outbox holds pages that belong to another Kafka cluster or prefix."""


@dataclass(frozen=True, slots=True)
class Position:
    """What Kafka knows of the last committed batch: its running number and the names of its pages."""

    number: int
    pages: tuple[str, ...]


@dataclass(slots=True)
class Relay:
    """One per service at a time; a successor with the same transactional id fences its predecessor."""

    service: str
    database: Database
    bootstrap: str
    prefix: str
    owner: str
    metrics: Metrics
    producer: Callable[..., Any] = AIOKafkaProducer
    admin: Callable[..., Any] = AIOKafkaAdminClient
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    ticks: int = 0
    _committed: int = 0
    _stopping: bool = False

    @property
    def group(self) -> str:
        """The group of the position; also the transactional id."""
        return f"{self.prefix}viceversa.{self.service}.relay"

    @property
    def lease(self) -> Lease:
        return Lease(self.database, _LEASE, self.owner, _LEASE_SECONDS)

    async def run(self) -> None:
        """Publish for ever. After any exception everything starts over from the top: nothing is assumed."""
        failures = 0
        while not self._stopping:
            self.ticks += 1
            try:
                if await self.lease.acquire():
                    async with self._kept_lease() as lost:
                        await self._reign(lost)
                    failures = 0
                    if self._stopping:
                        await self.lease.release()
                else:
                    await asyncio.sleep(_STANDBY_SECONDS)
            except Exception as error:
                failures += 1
                self.metrics.relay_restarts.inc()
                log.warning("relay starts over", error=type(error).__name__, detail=str(error)[:300])
                self.wake.clear()
                await self._pause(min(5.0, 0.1 * 2.0**failures) * random.uniform(0.5, 1.0))
            finally:
                self.metrics.relay_reigns.set(0)

    async def stop(self) -> None:
        """Publish what is there, then let a successor in."""
        self._stopping = True
        self.wake.set()

    @asynccontextmanager
    async def _kept_lease(self) -> AsyncIterator[Callable[[], bool]]:
        """Renewed beside what is published, because one call to Kafka may last longer. Tells whether it is lost."""
        keeping = asyncio.create_task(self._keep_lease())
        try:
            yield keeping.done
        finally:
            await cancelled([keeping])

    async def _keep_lease(self) -> None:
        mine = {"_id": _LEASE, "owner": self.owner}
        while await self.lease.acquire():
            await self.database.update(LEASES, mine, {"$max": {"number": self._committed}})
            await asyncio.sleep(_RENEW_SECONDS)

    async def _reign(self, lost: Callable[[], bool]) -> None:
        async with self._started_producer() as producer, self.database.session() as session:
            position = await self._position()
            self._committed = await self._newest_number(position)
            await self._delete(position.pages, session)
            self.metrics.relay_reigns.set(1)
            while not lost():
                self.ticks += 1
                self.wake.clear()
                stopping = self._stopping
                pages, more = await self._next_pages(session)
                if pages:
                    await self._publish(producer, pages, self._committed + 1)
                    self._committed += 1
                    await self._delete([page["_id"] for page in pages], session)
                # others may write for ever: who stops publishes what was there
                if stopping and not more:
                    return
                if not pages:
                    await self._pause(_SWEEP_SECONDS)

    @asynccontextmanager
    async def _started_producer(self) -> AsyncIterator[Any]:
        producer = self.producer(
            bootstrap_servers=self.bootstrap,
            transactional_id=self.group,
            transaction_timeout_ms=_TRANSACTION_MS,
            enable_idempotence=True,
            acks="all",
            max_request_size=2 * 1024 * 1024,
            max_batch_size=256 * 1024,
            request_timeout_ms=_REQUEST_MS,
        )
        try:
            await asyncio.wait_for(producer.start(), _BOUND)
            yield producer
        finally:
            await _discard(producer)

    async def _position(self) -> Position:
        """Read only after the producer has started: before, a commit that is still pending may not show."""
        place = TopicPartition(self.prefix + RELAY_TOPIC, 0)
        admin = self.admin(bootstrap_servers=self.bootstrap, request_timeout_ms=_REQUEST_MS)
        try:
            await asyncio.wait_for(admin.start(), _BOUND)
            await self._bind_to_cluster(admin)
            offsets = await asyncio.wait_for(admin.list_consumer_group_offsets(self.group, partitions=[place]), _BOUND)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(admin.close(), _BOUND)
        if place not in offsets:
            raise Transient("Kafka gave no position; it is not known whether there is one")
        found = offsets[place]
        if found.offset < 0:
            return Position(0, ())
        return Position(found.offset, tuple(name for name in found.metadata.split(",") if name))

    async def _bind_to_cluster(self, admin: Any) -> None:
        cluster = await asyncio.wait_for(admin.describe_cluster(), _BOUND)
        bound = {"cluster": cluster.get("cluster_id"), "prefix": self.prefix}
        row = await self._lease_row()
        if "cluster" in row and {name: row.get(name) for name in bound} != bound and await self.database.count(OUTBOX):
            raise AnotherCluster(
                "the outbox still holds pages for another Kafka cluster or prefix: point the service back at it and "
                "let the relay empty the outbox first"
            )
        await self.database.update(LEASES, {"_id": _LEASE, "owner": self.owner}, {"$set": bound})

    async def _newest_number(self, position: Position) -> int:
        """Behind what the lease remembers too, so that a position that Kafka lost alarms once."""
        known = int((await self._lease_row()).get("number", 0))
        lost = position.number < known and await self.database.count(OUTBOX) > 0
        self.metrics.relay_position_lost.set(int(lost))
        if lost:
            log.error(
                "Kafka lost the relay's position; the last batch may be published twice under the same ids",
                expected=known,
                found=position.number,
            )
        return max(position.number, known)

    async def _lease_row(self) -> Row:
        return next(iter(await self.database.find(LEASES, {"_id": _LEASE})), {})

    async def _next_pages(self, session: Any) -> tuple[list[Row], bool]:
        """The next batch, and whether more may wait.

        A snapshot on the primary, in the session of our own deletes: any other read can show pages out of order, or
        pages that are already deleted. The commit waits until what was read is held by a majority.
        """
        async with self.database.transaction(session) as transaction:
            pages = await transaction.find(
                OUTBOX, {}, sort=[("tick", 1), ("part", 1), ("_id", 1)], limit=_PAGES_AT_ONCE
            )
        size, taken = 0, 0
        for page in pages:
            size += sum(len(record["value"] or b"") for record in page["records"])
            if taken and size > _BYTES_AT_ONCE:
                break
            taken += 1
        return pages[:taken], taken < len(pages) or taken == _PAGES_AT_ONCE

    async def _publish(self, producer: Any, pages: Sequence[Row], number: int) -> None:
        """One Kafka transaction: the records, and the position that names their pages."""
        records = [record for page in pages for record in page["records"]]
        async with asyncio.timeout(_BOUND):
            await producer.begin_transaction()
            sent = [
                await producer.send(
                    self.prefix + record["topic"],
                    value=record["value"],
                    key=record["key"],
                    headers=header_pairs(record),
                )
                for record in records
            ]
            await asyncio.gather(*sent)
            place = TopicPartition(self.prefix + RELAY_TOPIC, 0)
            names = ",".join(page["_id"] for page in pages)
            await producer.send_offsets_to_transaction({place: OffsetAndMetadata(number, names)}, self.group)
            await producer.commit_transaction()
        self.metrics.published.inc(len(records))

    async def _delete(self, names: Sequence[str], session: Any) -> None:
        if names:
            await self.database.delete(OUTBOX, {"_id": {"$in": list(names)}}, session=session)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), seconds)


async def _discard(producer: Any) -> None:
    """Close without finishing anything: an open transaction is left to the successor's fencing."""
    try:
        await asyncio.wait_for(producer.stop(), 1.0)
    except Exception:
        # stop() waits for what can't be sent any more, and aiokafka has no other way to end the sending task
        with contextlib.suppress(Exception):
            await asyncio.wait_for(producer._sender.close(), 1.0)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(producer.client.close(), 1.0)
