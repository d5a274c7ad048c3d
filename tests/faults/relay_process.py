"""A relay in a process of its own that ends or freezes itself at a named step of a batch:
`python -m tests.faults.relay_process KAFKA MONGODB PREFIX DATABASE OWNER STEP BATCH SIGNAL`."""

import asyncio
import os
import signal
import sys
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaProducer

from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database
from libs.chassis.outbox import OUTBOX
from libs.chassis.relay import Relay
from tests.chassis.ledgers import SERVICE


class Step(StrEnum):
    """Where the relay is struck."""

    NEVER = "never"
    BEFORE_START = "before-start"  # the lease is taken, the predecessor is not yet fenced
    BEFORE_READ = "before-read"  # the producer has started, no page is read
    BEFORE_SEND = "before-send"
    AFTER_SEND = "after-send"  # every send is awaited, the position is not yet in the transaction
    AFTER_OFFSET = "after-offset"  # the position is in the transaction
    IN_COMMIT = "in-commit"  # the commit is asked for, its answer is not awaited
    AFTER_COMMIT = "after-commit"
    BEFORE_DELETE = "before-delete"
    AFTER_DELETE = "after-delete"


class Fate:
    """Strikes this process once, at one step of one batch."""

    def __init__(self, step: Step, batch: int, blow: signal.Signals) -> None:
        self.step, self.batch, self.blow, self.batches = step, batch, blow, 0

    def meets(self, step: Step) -> None:
        if step is self.step and self.batches >= self.batch:
            self.step = Step.NEVER
            os.kill(os.getpid(), self.blow)


def producer_of(fate: Fate) -> type[AIOKafkaProducer]:
    class Doomed(AIOKafkaProducer):  # type: ignore[misc]  # the client has no types
        async def start(self) -> None:
            fate.meets(Step.BEFORE_START)
            await super().start()
            fate.meets(Step.BEFORE_READ)

        async def begin_transaction(self) -> None:
            fate.batches += 1
            await super().begin_transaction()
            fate.meets(Step.BEFORE_SEND)

        async def send_offsets_to_transaction(self, offsets: Any, group_id: str) -> None:
            fate.meets(Step.AFTER_SEND)
            await super().send_offsets_to_transaction(offsets, group_id)
            fate.meets(Step.AFTER_OFFSET)

        async def commit_transaction(self) -> None:
            committing = asyncio.create_task(super().commit_transaction())
            if fate.step is Step.IN_COMMIT:
                await asyncio.wait([committing], timeout=0.001)
                fate.meets(Step.IN_COMMIT)
            await committing
            fate.meets(Step.AFTER_COMMIT)

    return Doomed


def database_of(fate: Fate) -> type[Database]:
    class DoomedDatabase(Database):
        async def delete(self, collection: str, filter: Any, *, session: Any = None) -> int:
            if collection != OUTBOX:
                return await super().delete(collection, filter, session=session)
            fate.meets(Step.BEFORE_DELETE)
            deleted = await super().delete(collection, filter, session=session)
            fate.meets(Step.AFTER_DELETE)
            return deleted

    return DoomedDatabase


async def main(kafka: str, mongodb: str, prefix: str, name: str, owner: str, fate: Fate) -> None:
    database = database_of(fate)(mongodb, name)
    relay = Relay(SERVICE, database, kafka, prefix, owner, Metrics(SERVICE), producer=producer_of(fate))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(relay.stop()))
    await relay.run()


if __name__ == "__main__":
    *where, step, batch, blow = sys.argv[1:]
    kafka, mongodb, prefix, name, owner = where
    asyncio.run(main(kafka, mongodb, prefix, name, owner, Fate(Step(step), int(batch), signal.Signals[blow])))
