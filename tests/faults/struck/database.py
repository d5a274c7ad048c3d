"""MongoDB as a struck process meets it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from libs.chassis.dead_letters import DeadLetter
from libs.chassis.due import DUE
from libs.chassis.mongo import Database, Row, Transaction
from libs.chassis.outbox import OUTBOX
from tests.faults.struck.points import Fate, Point


def database_of(fate: Fate) -> type[Database]:
    class Struck(Database):
        def __init__(self, url: str, name: str) -> None:
            super().__init__(url, name)
            self.batches: set[int] = set()

        @asynccontextmanager
        async def transaction(self, session: Any = None) -> AsyncIterator[Transaction]:
            """Batches come without a session; the relay reads its pages in one of its own."""
            if session is not None:
                async with super().transaction(session) as reading:
                    yield reading
                return
            async with self.session() as own:
                self.batches.add(id(own))
                try:
                    async with super().transaction(own) as transaction:
                        parking(transaction, fate)
                        yield transaction
                finally:
                    self.batches.discard(id(own))

        async def _commit(self, session: Any) -> None:
            if id(session) not in self.batches:
                await super()._commit(session)
                return
            fate.meets(Point.TO_COMMIT)
            await fate.unanswered(Point.IN_COMMIT, super()._commit(session))
            fate.meets(Point.COMMITTED)

        async def find(self, collection: str, filter: Any, **how: Any) -> list[Row]:
            rows = await super().find(collection, filter, **how)
            if rows and collection == DUE and "lease.token" in filter:
                fate.meets(Point.CLAIMED)
            return rows

        async def delete(self, collection: str, filter: Any, *, session: Any = None) -> int:
            deleted = await super().delete(collection, filter, session=session)
            if collection == OUTBOX:
                fate.meets(Point.RELAY_DELETED if fate.published else Point.RELAY_NAMED_DELETED)
            return deleted

    return Struck


def parking(transaction: Transaction, fate: Fate) -> None:
    """Meet the point where a dead letter is written."""
    insert = transaction.insert

    async def inserting(collection: str, rows: Any) -> None:
        await insert(collection, rows)
        if collection == DeadLetter.collection:
            fate.meets(Point.DEAD_LETTER)

    transaction.insert = inserting  # type: ignore[method-assign]  # of this transaction alone
