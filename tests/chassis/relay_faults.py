"""Real clients of the relay that fail where a test says, and note what they were asked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaTimeoutError

from libs.chassis.errors import Transient
from libs.chassis.mongo import Database
from libs.chassis.outbox import OUTBOX


@dataclass
class Script:
    """`calls` are (number of the producer, what it was asked). `fails` names the call that raises, once, after it was
    done (`done=True`) or instead of it."""

    fails: str = ""
    done: bool = True
    calls: list[tuple[int, str]] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    producers: int = 0
    positions: int = 0
    before_start: Callable[[], Any] | None = None
    positions_hidden: frozenset[int] = frozenset()

    def after_failure(self) -> list[str]:
        """What the first producer was asked after its failure."""
        names = [name for number, name in self.calls if number == 1]
        return names[names.index("failed") + 1 :]


def producer_of(script: Script) -> type[AIOKafkaProducer]:
    class Scripted(AIOKafkaProducer):  # type: ignore[misc]  # the client has no types
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            script.producers += 1
            self.number = script.producers

        async def start(self) -> None:
            if (act := script.before_start) is not None:
                script.before_start = None
                await act()
            await self._asked("start", super().start())

        async def begin_transaction(self) -> None:
            await self._asked("begin", super().begin_transaction())

        async def send(self, *words: Any, **more: Any) -> Any:
            return await self._asked("send", super().send(*words, **more))

        async def send_offsets_to_transaction(self, offsets: Any, group_id: str) -> None:
            script.batches += [place.metadata.split(",") for place in offsets.values()]
            await self._asked("position", super().send_offsets_to_transaction(offsets, group_id))

        async def commit_transaction(self) -> None:
            await self._asked("commit", super().commit_transaction())

        async def abort_transaction(self) -> None:
            await self._asked("abort", super().abort_transaction())

        async def stop(self) -> None:
            await self._asked("stop", super().stop())

        async def _asked(self, name: str, call: Any) -> Any:
            script.calls.append((self.number, name))
            if name != script.fails:
                return await self._noted(call)
            script.fails = ""
            if script.done:
                await call
            else:
                call.close()
            script.calls.append((self.number, "failed"))
            raise KafkaTimeoutError

        async def _noted(self, call: Any) -> Any:
            try:
                return await call
            except BaseException:
                script.calls.append((self.number, "failed"))
                raise

    return Scripted


def admin_of(script: Script) -> type[AIOKafkaAdminClient]:
    class Scripted(AIOKafkaAdminClient):  # type: ignore[misc]  # the client has no types
        async def list_consumer_group_offsets(self, *words: Any, **more: Any) -> Any:
            script.positions += 1
            found = await super().list_consumer_group_offsets(*words, **more)
            return {} if script.positions in script.positions_hidden else found

    return Scripted


def database_of(deletes_that_fail: int) -> type[Database]:
    left = iter(range(deletes_that_fail))

    class Failing(Database):
        async def delete(self, collection: str, filter: Any, *, session: Any = None) -> int:
            if collection == OUTBOX and next(left, None) is not None:
                await asyncio.sleep(0)
                raise Transient("the primary stepped down")
            return await super().delete(collection, filter, session=session)

    return Failing
