"""A batch's transaction: looks up what is known, hands the rest to its handlers, and writes all at once."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from libs.chassis import due, outbox
from libs.chassis.dead_letters import dead_letter, replays
from libs.chassis.effects import Effects
from libs.chassis.erasure import forget
from libs.chassis.errors import Conflict, Transient, Unstorable, reason_of, told
from libs.chassis.inbox import INBOX, look_up
from libs.chassis.items import Failed, Item, without_content
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database, Row, Transaction
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.tracing import Tracing
from libs.chassis.unit_of_work import Outcome, UnitOfWork
from libs.chassis.words import Answer, Command, Erased, Handler, Refused
from libs.contracts.envelope import Unreadable

_UNHANDLED = (Failed, Unreadable)

log = structlog.get_logger()


class HandlerFailed(Exception):
    """A handler raised and left half-made changes; the batch starts over on fresh state."""


@dataclass(slots=True)
class Transactions:
    """Settles batches of items, each in one transaction."""

    service: Service
    database: Database
    clock: Callable[[], datetime]
    metrics: Metrics
    tracing: Tracing
    after: Callable[[Effects], None]
    _replays: Mapping[Any, Handler[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self._replays = replays(self.service)

    async def settle(self, items: Sequence[Item]) -> None:
        """Return when every item has taken effect once, or is parked. Outages are waited for."""
        with self.tracing.around(items):
            await self._until_settled(items)

    async def _until_settled(self, items: Sequence[Item]) -> None:
        parked: dict[Item, Failed] = {}
        tries, careful = 0, False
        while True:
            try:
                await self._attempt(items, parked, careful)
                return
            except HandlerFailed as failure:
                log.warning("handler failed; each message that fails now is parked", error=str(failure))
                careful = True
            except Unstorable as error:
                if len(items) > 1:
                    for half in (items[: len(items) // 2], items[len(items) // 2 :]):
                        await self._until_settled(half)
                    return
                why = Failed("unstorable", str(error))
                if items[0] in parked:
                    items = [without_content(items[0], why)]
                parked[items[0]] = why
            except (Conflict, Transient) as error:
                tries += 1
                self.metrics.retries.labels(type(error).__name__.lower()).inc()
                if isinstance(error, Transient):
                    log.warning("the database is away or busy; trying again", error=str(error), tries=tries)
                await asyncio.sleep(_pause(error, tries))

    async def _attempt(self, items: Sequence[Item], parked: dict[Item, Failed], careful: bool) -> None:
        with self.metrics.transaction_seconds.time():
            async with self.database.transaction() as transaction:
                effects = await self._handle(transaction, items, parked, careful)
                await self._write(transaction, effects)
        for item, answer in effects.answers:
            if item.answer and not item.answer.done():
                item.answer.set_result(answer)
        self.metrics.count(items, effects.parked, effects.duplicates)
        self.after(effects)

    async def _handle(
        self, transaction: Transaction, items: Sequence[Item], parked: dict[Item, Failed], careful: bool
    ) -> Effects:
        inbox = await look_up(transaction, items)
        claimed = await due.still_claimed(transaction, items)
        effects = Effects(UnitOfWork(transaction.find, self.service.speakers), inbox)
        fresh = [item for item in items if not inbox.seen(item)]
        able = [(self._handler(item), item) for item in fresh if item not in parked]
        await effects.work.prefetch([(handler, item.message, self._state(item)) for handler, item in able if handler])
        now = self.clock()
        if careful:
            effects.work.remember()
        async with meanwhile(self._write_ahead(transaction, effects, fresh, now)):
            for item in items:
                if inbox.seen(item):
                    await self._repeated(item, effects, now)
                elif item.claim and item.claim not in claimed:
                    effects.duplicates += 1
                else:
                    await self._handle_one(item, parked.get(item), effects, now, careful)
            await self._add_letters(effects)
        return effects

    async def _write_ahead(
        self, transaction: Transaction, effects: Effects, fresh: Sequence[Item], now: datetime
    ) -> None:
        """What does not depend on the handlers."""
        if rows := effects.inbox.certain(fresh, now):
            await transaction.insert(INBOX, rows)
        effects.tick = await outbox.next_tick(transaction)

    async def _handle_one(
        self, item: Item, failure: Failed | None, effects: Effects, now: datetime, careful: bool
    ) -> None:
        message = failure or item.message
        answer: Answer | None = None
        if isinstance(message, _UNHANDLED):
            answer = self._park(item, str(message.reason), message.detail, effects, now)
        elif handler := self._handler(item):
            try:
                answer = await self._obey(item, handler, effects, now)
            except (Transient, Conflict, Unstorable):
                raise
            except Exception as error:
                if not careful:
                    raise HandlerFailed(told(error)) from error
                effects.work.undo()
                answer = self._park(item, reason_of(error), told(error), effects, now)
        if isinstance(message, Erased):
            effects.erased.append(message.key)
        if item.claim:
            effects.done.append(item.claim.work_id)
        else:
            effects.inbox.add(item, now, answer if item.answer else None)
        if item.answer:
            effects.answers.append((item, answer or Answer({}, 204)))

    async def _obey(self, item: Item, handler: Handler[Any], effects: Effects, now: datetime) -> Answer | None:
        outcome = await effects.work.run(handler, item.message, now, self._state(item))
        self._collect(item, outcome, effects, now)
        if outcome.refused is None:
            return outcome.answer
        if not isinstance(item.message, Command):
            self._park(item, outcome.refused.reason, outcome.refused.detail, effects, now)
        return _refusal(outcome.refused)

    def _state(self, item: Item) -> State:
        return State(item.source or self.service.source, item.cause.causation_id or "")

    def _collect(self, item: Item, outcome: Outcome, effects: Effects, now: datetime) -> None:
        effects.records += [
            outbox.fact(said, source=self.service.source, cause=item.cause, now=now) for said in outcome.facts
        ]
        for later in outcome.later:
            effects.planned[later.work.work_id] = due.row(later, item.cause)

    async def _repeated(self, item: Item, effects: Effects, now: datetime) -> None:
        if effects.inbox.same_body(item):
            effects.duplicates += 1
            if item.answer:
                effects.answers.append((item, effects.inbox.answer(item) or Answer({}, 204)))
        elif item.answer:
            detail = "the same Idempotency-Key came with another body: take a new key for each request"
            refused = Refused("idempotency_key_reused", detail, 422)
            effects.answers.append((item, _refusal(refused)))
        else:
            detail = "the same source and id came before with another body: send it under a new id"
            self._park(item, "id_reused", detail, effects, now)

    def _park(self, item: Item, reason: str, detail: str, effects: Effects, now: datetime) -> Answer | None:
        if isinstance(item.message, Command):
            why = "the command failed and changed nothing: the service's log has the details"
            return Answer({"reason": "failed", "detail": why}, 500)
        letter = dead_letter(item, reason=reason, detail=detail, now=now)
        if letter.id in effects.letters:
            effects.duplicates += 1
        else:
            effects.letters[letter.id] = letter, item.raw
        return None

    async def _add_letters(self, effects: Effects) -> None:
        """Those that are not stored: a letter is kept for longer than the inbox remembers its record."""
        stored = await effects.work.stored([letter for letter, _ in effects.letters.values()])
        for letter, raw in effects.letters.values():
            if letter.id in stored:
                effects.duplicates += 1
                continue
            effects.work.add(letter)
            effects.parked.append(letter.reason)
            if raw:
                record = outbox.dead_letter(raw, self.service.name, reason=letter.reason, detail=letter.detail)
                effects.records.append(record)

    async def _write(self, transaction: Transaction, effects: Effects) -> None:
        parts = effects.work.writes()
        under_way = self._write_pages(transaction, effects)
        while True:
            async with meanwhile(under_way):
                part = next(parts, None)
            if part is None:
                break
            under_way = _write_documents(transaction, *part)
        if effects.inbox.new:
            await transaction.insert(INBOX, effects.inbox.new)
        if effects.erased:
            await forget(transaction, effects.erased)
        await due.finish(transaction, effects.done, effects.planned)

    async def _write_pages(self, transaction: Transaction, effects: Effects) -> None:
        if effects.records:
            await outbox.append(transaction, effects.records, effects.tick, self.clock())

    def _handler(self, item: Item) -> Handler[Any] | None:
        return self.service.handler_of(item.message) or self._replays.get(type(item.message))


async def _write_documents(
    transaction: Transaction, collection: str, new: list[Row], changed: list[tuple[Row, Row]]
) -> None:
    if new:
        await transaction.insert(collection, new)
    if changed:
        await transaction.replace(collection, changed)


@asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """The database works on `work` while the block computes."""
    task = asyncio.create_task(work)
    try:
        await asyncio.sleep(0)
        yield
    except BaseException:
        await asyncio.gather(task, return_exceptions=True)
        raise
    await task


def _refusal(refused: Refused) -> Answer:
    return Answer({"reason": refused.reason, "detail": refused.detail, **refused.more}, refused.status)


def _pause(error: Exception, tries: int) -> float:
    longest = 0.05 if isinstance(error, Conflict) else 5.0
    return random.uniform(0.2, 1.0) * min(longest, 0.005 * 2.0 ** min(tries, 12))
