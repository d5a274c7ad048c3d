"""Due work: documents with a time, claimed by lease, handled through the same transaction as events."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import ValidationError
from uuid_utils import uuid4

from libs.chassis.errors import Conflict, Transient, told
from libs.chassis.items import Cause, Claim, Failed, Item, digest
from libs.chassis.leases import NEVER
from libs.chassis.loop import Submit
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database, Indexes, Row, Transaction
from libs.chassis.service import Service
from libs.chassis.tasks import cancelled
from libs.chassis.words import Later, Work

DUE = "due"
INDEXES: Indexes = [(("due_at",), {})]

_LEASE = timedelta(seconds=12)
_RENEW_SECONDS = 3.0
_UNTIL = {"$add": ["$$NOW", _LEASE // timedelta(milliseconds=1)]}
_AT_ONCE = 500
_PREPARED_AT_ONCE = 16
# Work is leased before its preparation begins, and what waits for its turn meanwhile is no other replica's.
_PREPARED_AHEAD = 3 * _PREPARED_AT_ONCE
_TRIES = 5
_SWEEP_SECONDS = 0.25

log = structlog.get_logger()


def row(later: Later, cause: Cause) -> Row:
    return {
        "_id": later.work.work_id,
        "kind": type(later.work).__name__,
        "work": later.work.model_dump(),
        "due_at": later.at,
        "cause": asdict(cause),
        "tries": 0,
        "lease": {"token": "", "until": NEVER},
    }


async def still_claimed(transaction: Transaction, items: Sequence[Item]) -> set[Claim]:
    """Those claims whose lease still carries their token. A slow process may hold the same work twice."""
    claims = [item.claim for item in items if item.claim]
    if not claims:
        return set()
    rows = await transaction.find(DUE, {"_id": {"$in": [claim.work_id for claim in claims]}}, fields=["lease.token"])
    tokens = {row["_id"]: row["lease"]["token"] for row in rows}
    return {claim for claim in claims if tokens.get(claim.work_id) == claim.token}


async def finish(transaction: Transaction, done: Sequence[str], planned: dict[str, Row]) -> None:
    """Remove what was handled and plan what comes later."""
    if done and await transaction.delete(DUE, {"_id": {"$in": list(done)}}) != len(done):
        raise Conflict("due work was finished by another process")
    if planned:
        await transaction.upsert(DUE, list(planned.values()))


@dataclass(slots=True)
class DueWork:
    """Claims what is due and hands it to the loop, after its preparation where the table names one."""

    service: Service
    database: Database
    submit: Submit
    clock: Callable[[], datetime]
    metrics: Metrics
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _held: dict[str, str] = field(default_factory=dict)
    _renewed: float = 0.0
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PREPARED_AT_ONCE))

    async def run(self) -> None:
        while True:
            try:
                await self._renew()
                found = [await self._take_plain(), await self._take_prepared()]
            except (Transient, Conflict) as error:
                log.warning("due work waits for the database", error=str(error))
                found = []
            if not any(found):
                await self._pause()

    async def stop(self) -> None:
        """Give up what is being prepared; its lease runs out and somebody else takes it."""
        await cancelled(list(self._tasks))

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), _SWEEP_SECONDS)
        except TimeoutError:
            return
        self.wake.clear()

    async def _take_plain(self) -> bool:
        kinds = [kind for kind in self.service.wakes if kind not in self.service.prepares]
        if rows := await self._claim(kinds, _AT_ONCE):
            self._hand_over([self._item(row, self._read(row)) for row in rows])
        return bool(rows)

    async def _take_prepared(self) -> bool:
        kinds = [kind for kind in self.service.wakes if kind in self.service.prepares]
        rows = await self._claim(kinds, 0 if self._busy() else _PREPARED_AHEAD - len(self._tasks))
        for row in rows:
            self._start(row)
        return bool(rows)

    def _busy(self) -> bool:
        return len(self._tasks) > _PREPARED_AHEAD // 2

    async def _claim(self, kinds: Sequence[type[Work]], limit: int) -> list[Row]:
        if not kinds or limit <= 0:
            return []
        free = {"$expr": {"$lt": ["$lease.until", "$$NOW"]}}
        due = {"due_at": {"$lte": self.clock()}, "kind": {"$in": [kind.__name__ for kind in kinds]}}
        rows = await self.database.find(DUE, due | free, fields=["_id"], sort=[("due_at", 1)], limit=limit)
        if not rows:
            return []
        token, ids = uuid4().hex, {"_id": {"$in": [row["_id"] for row in rows]}}
        await self.database.update(DUE, ids | due | free, [{"$set": {"lease": {"token": token, "until": _UNTIL}}}])
        claimed = await self.database.find(DUE, ids | {"lease.token": token})
        self._held.update({row["_id"]: token for row in claimed})
        return claimed

    def _start(self, row: Row) -> None:
        task = asyncio.create_task(self._prepare(row))
        self._tasks.add(task)
        task.add_done_callback(self._prepared)

    def _prepared(self, task: "asyncio.Task[None]") -> None:
        was_busy = self._busy()
        self._tasks.discard(task)
        if was_busy and not self._busy():
            self.wake.set()

    async def _prepare(self, row: Row) -> None:
        message = self._read(row)
        if isinstance(message, Work):
            async with self._slots:
                try:
                    async with asyncio.timeout(message.preparing_seconds):
                        message = await self.service.prepares[type(message)](message, self.database)
                except Exception as error:
                    await self._postpone(row, message, error)
                    return
        self._hand_over([self._item(row, message)])

    def _hand_over(self, items: Sequence[Item]) -> None:
        """The lease is kept until the transaction is done."""
        done = self.submit(items)
        done.add_done_callback(lambda _: self._let_go([item.claim for item in items if item.claim]))

    def _let_go(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            if self._held.get(claim.work_id) == claim.token:
                del self._held[claim.work_id]

    async def _renew(self) -> None:
        """A process that died loses its work after seconds; one that is slow keeps it."""
        now = asyncio.get_running_loop().time()
        if not self._held or now < self._renewed + _RENEW_SECONDS:
            return
        self._renewed = now
        mine = {"_id": {"$in": list(self._held)}, "lease.token": {"$in": list(set(self._held.values()))}}
        await self.database.update(DUE, mine, [{"$set": {"lease.until": _UNTIL}}])

    async def _postpone(self, row: Row, work: Work, error: Exception) -> None:
        self.metrics.due_tries.inc()
        log.warning("preparation failed", work=row["_id"], error=type(error).__name__, tries=row["tries"] + 1)
        if not isinstance(error, Transient | TimeoutError) and row["tries"] + 1 >= _TRIES:
            self._hand_over([self._item(row, Failed("preparation_failed", told(error), work))])
            return
        pause = timedelta(seconds=min(300, 2 ** row["tries"]) * random.uniform(0.5, 1.0))
        self._let_go([_claim_of(row)])
        change = {"due_at": self.clock() + pause, "tries": row["tries"] + 1, "lease.until": NEVER}
        try:
            await self.database.update(DUE, {"_id": row["_id"], "lease.token": row["lease"]["token"]}, {"$set": change})
        except (Transient, Conflict):
            log.warning("the lease will run out", work=row["_id"])

    def _kind(self, row: Row) -> type[Work]:
        return next(kind for kind in self.service.wakes if kind.__name__ == row["kind"])

    def _read(self, row: Row) -> Work | Failed:
        """The planned work; what is no work of its kind any more is to be parked as it stands."""
        kind = self._kind(row)
        try:
            return kind.model_validate(row["work"])
        except ValidationError as error:
            return Failed("unreadable_work", told(error), kind.model_construct(**row["work"]))

    def _item(self, row: Row, message: Any) -> Item:
        claim = _claim_of(row)
        return Item(f"due {claim.work_id} {claim.token}", message, digest(b""), _cause_of(row), claim=claim)


def _cause_of(row: Row) -> Cause:
    """What a newer version adds is dropped, as in documents."""
    return Cause(**{each.name: row["cause"].get(each.name) for each in fields(Cause)})


def _claim_of(row: Row) -> Claim:
    return Claim(row["_id"], row["lease"]["token"])
