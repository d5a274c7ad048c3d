"""A world for the relay: ledgers whose facts build on each other, and what a reader makes of them."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deploy.local.audit import Heard, audit, read
from deploy.local.stack import Endpoints
from libs.chassis import outbox
from libs.chassis.errors import Conflict, Transient
from libs.chassis.items import Cause
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database
from libs.chassis.outbox import OUTBOX
from libs.chassis.relay import Relay
from libs.chassis.unit_of_work import Said
from libs.contracts.examples import PAIR_CREATED
from libs.ops import topics

SERVICE = "ledgers"
TOPIC = "pair-created"
PEOPLE = ("ada", "grace", "mina", "omar", "wei", "lena", "juan", "noor", "emil", "tara")


def entry(subject: str, number: int, *, padding: int = 0) -> outbox.Record:
    """The record of a ledger's fact; `padding` gives it a value of so many bytes, whatever the topic takes."""
    event = PAIR_CREATED.model_copy(update={"pair_id": subject})
    record = outbox.fact(Said(event, number), source=SERVICE, cause=Cause(subject), now=datetime.now(UTC))
    return record._replace(value=b" " * padding, size=record.size + padding) if padding else record


@dataclass(slots=True)
class World:
    """One service's database and topics. `database` opens another client, as another replica would."""

    endpoints: Endpoints
    prefix: str
    name: str
    metrics: Metrics = field(default_factory=lambda: Metrics(SERVICE))
    _open: list[Database] = field(default_factory=list)

    def database(self, kind: type[Database] = Database, url: str | None = None) -> Database:
        self._open.append(kind(url or self.endpoints.mongodb, self.name))
        return self._open[-1]

    def relay(self, owner: str = "replica-1", database: Database | None = None, **parts: Any) -> Relay:
        metrics, prefix = parts.pop("metrics", self.metrics), parts.pop("prefix", self.prefix)
        return Relay(SERVICE, database or self.database(), self.endpoints.kafka, prefix, owner, metrics, **parts)

    def metric(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(f"viceversa_{name}") or 0.0

    def heard(self) -> list[Heard]:
        """What a reader of committed transactions sees of the facts."""
        return [record for record in read(self.endpoints.kafka, self.prefix) if record.topic == TOPIC]

    async def said_once_in_order(self, expected: dict[str, int]) -> None:
        """Nothing doubled, nothing lost, nothing out of order."""
        records = await asyncio.to_thread(self.heard)
        found = audit(records)
        assert found.clean, (found.doubled[:5], found.lost[:5], found.reordered[:5])
        newest: dict[str, int] = {}
        for record in records:
            newest[record.text("ce_subject")] = int(record.text("ce_sequence"))
        assert newest == expected

    def close(self) -> None:
        for database in self._open:
            database.close()


@asynccontextmanager
async def world_of(endpoints: Endpoints, prefix: str, database_prefix: str) -> AsyncIterator[World]:
    topics.apply(endpoints.kafka, prefix, {})
    world = World(endpoints, prefix, f"{database_prefix}{SERVICE}")
    database = world.database()
    await database.create_indexes(OUTBOX, outbox.INDEXES)
    await database.create_indexes("leases", [])
    await database.create_indexes("ledgers", [])
    for person in PEOPLE:
        await database.update("ledgers", {"_id": person}, {"$set": {"said": 0}}, upsert=True, many=False)
    try:
        yield world
    finally:
        world.close()


async def tell(database: Database, subjects: tuple[str, ...], *, padding: int = 0) -> None:
    """Say one fact for each ledger, each the successor of what the transaction read. Tried until it is committed."""
    while True:
        try:
            async with database.transaction() as transaction:
                rows = await transaction.find("ledgers", {"_id": {"$in": subjects}})
                said = {row["_id"]: row["said"] for row in rows}
                await transaction.replace(
                    "ledgers",
                    [({"_id": name, "said": said[name]}, {"_id": name, "said": said[name] + 1}) for name in subjects],
                )
                records = [entry(name, said[name] + 1, padding=padding) for name in subjects]
                tick = await outbox.next_tick(transaction)
                await outbox.append(transaction, records, tick, datetime.now(UTC))
            return
        except (Conflict, Transient):
            await asyncio.sleep(random.uniform(0.0, 0.01))


async def tell_until(stopped: asyncio.Event, database: Database) -> None:
    """A replica that writes without pause, on ledgers that the others write too."""
    while not stopped.is_set():
        await tell(database, tuple(random.sample(PEOPLE, 3)))


async def ledgers(database: Database) -> dict[str, int]:
    return {row["_id"]: row["said"] for row in await database.find("ledgers", {"said": {"$gt": 0}})}


async def until(condition: Callable[[], Awaitable[bool]], within: float = 30.0) -> None:
    """Return once the condition holds."""
    async with asyncio.timeout(within):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


async def until_published(database: Database, within: float = 30.0) -> None:
    async def empty() -> bool:
        return await database.count(OUTBOX) == 0

    await until(empty, within)


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    """A relay that works for the length of the block, and then publishes what is left."""
    task = asyncio.create_task(relay.run())
    try:
        yield relay
        await relay.stop()
        await asyncio.wait_for(task, 30)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
