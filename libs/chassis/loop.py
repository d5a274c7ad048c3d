"""The queue in front of the transactions: what waits together is settled together (group commit)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from libs.chassis.items import Item

Submit = Callable[[Sequence[Item]], "asyncio.Future[None]"]

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Loop:
    """One transaction at a time in a process, so that the order of a key is the order of its arrival."""

    settle: Callable[[Sequence[Item]], Awaitable[None]]
    batch_records: int
    progress: int = 0
    _queue: "asyncio.Queue[tuple[Sequence[Item], asyncio.Future[None]]]" = field(default_factory=asyncio.Queue)
    _busy: bool = False

    def submit(self, items: Sequence[Item]) -> "asyncio.Future[None]":
        """Queue items; the future is done when their transaction is."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((items, done))
        return done

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    @property
    def idle(self) -> bool:
        return self._queue.empty() and not self._busy

    async def drained(self) -> None:
        """Return when everything that was submitted so far is settled."""
        await self.submit(())

    async def run(self) -> None:
        while True:
            chunks = [await self._queue.get()]
            self._busy = True
            while not self._queue.empty() and sum(len(items) for items, _ in chunks) < self.batch_records:
                chunks.append(self._queue.get_nowait())
            if items := [item for items, _ in chunks for item in items if not _given_up(item)]:
                await self._settle(items)
            for _, done in chunks:
                if not done.done():
                    done.set_result(None)
            self.progress += 1
            self._busy = False

    async def _settle(self, items: Sequence[Item]) -> None:
        while True:
            try:
                await self.settle(items)
                return
            except Exception:
                log.exception("a batch can't be settled; trying again", size=len(items))
                await asyncio.sleep(1.0)


def _given_up(item: Item) -> bool:
    """A command that waited for so long that its caller has been told to repeat it."""
    return item.answer is not None and item.answer.cancelled()
