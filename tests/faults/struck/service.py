"""A service that runs as in production, on clients and a table through which its process can be struck."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import aiokafka

from libs.chassis import run as production
from libs.chassis.items import Item
from libs.chassis.mongo import Database
from libs.chassis.run import Runtime
from libs.chassis.service import Prepare, Service
from libs.chassis.settings import Settings
from libs.chassis.transactions import Transactions
from libs.chassis.words import Work
from tests.faults.struck.database import database_of
from tests.faults.struck.kafka import admin_of, consumer_of, producer_of
from tests.faults.struck.points import Fate, Point


@contextmanager
def struck(fate: Fate) -> Iterator[None]:
    """What `libs.chassis.run` starts meanwhile is struck. A name that it no longer has raises AttributeError."""

    def runtime(service: Service, settings: Settings) -> Runtime:
        made = Runtime(table_of(service, fate), settings)
        made.relay.producer, made.relay.admin = producer_of(fate), admin_of(fate)
        return made

    with ExitStack() as stack:
        stack.enter_context(patch.object(aiokafka, "AIOKafkaConsumer", consumer_of(fate)))
        for name, made in (
            ("Database", database_of(fate)),
            ("Transactions", transactions_of(fate)),
            ("Runtime", runtime),
        ):
            stack.enter_context(patch.object(production, name, made))
        yield


def table_of(service: Service, fate: Fate) -> Service:
    return replace(service, prepares={kind: _prepare_of(made, fate) for kind, made in service.prepares.items()})


def _prepare_of(prepare: Prepare, fate: Fate) -> Prepare:
    async def preparing(work: Any, database: Database) -> Work:
        prepared = await prepare(work, database)
        fate.meets(Point.PREPARED)
        return prepared

    return preparing


def transactions_of(fate: Fate) -> type[Transactions]:
    class Struck(Transactions):
        async def settle(self, items: Sequence[Item]) -> None:
            if any(item.raw for item in items):
                fate.meets(Point.DECODED)
            await super().settle(items)

    return Struck
