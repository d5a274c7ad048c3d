"""What operators see of dead letters before they decide: a summary, and what a replay would do."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel

from libs.chassis import outbox
from libs.chassis.dead_letters import BeginReplay, DeadLetter, ReplayDeadLetter, replays
from libs.chassis.errors import Conflict, Transient, reason_of, told
from libs.chassis.items import Cause
from libs.chassis.mongo import Database
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.unit_of_work import Outcome, UnitOfWork
from libs.chassis.words import Command

_LETTERS: Final = DeadLetter.collection


class Group(BaseModel):
    """Dead letters of one topic and reason; parked due work has no topic."""

    topic: str | None
    reason: str
    count: int
    oldest: datetime
    newest: datetime


class Foreseen(StrEnum):
    """What a replay would come to."""

    HANDLED = "handled"
    REFUSED = "refused"
    FAILED = "failed"


class Outlook(BaseModel):
    """What a replay would lead to with the contracts, the code and the documents of this moment."""

    dead_letter_id: str
    would_be: Foreseen
    reason: str = ""
    detail: str = ""
    facts: list[str] = []
    planned: list[str] = []


async def groups(store: Database, states: Mapping[str, Any], others: Mapping[str, Any]) -> AsyncIterator[Group]:
    """Walks from one topic and reason to the next through an index, so that it holds no list of letters."""
    topics = (
        [others["topic"]] if "topic" in others else [None, *[each async for each in _values(store, "topic", states)]]
    )
    for topic in topics:
        of_topic = {**states, "topic": topic}
        reasons = (
            [others["reason"]] if "reason" in others else [each async for each in _values(store, "reason", of_topic)]
        )
        for reason in reasons:
            if group := await _group(store, topic, reason, {**of_topic, **others, "reason": reason}):
                yield group


async def _values(store: Database, field: str, wanted: Mapping[str, Any]) -> AsyncIterator[str]:
    last = ""
    while rows := await store.find(
        _LETTERS, {**wanted, field: {"$gt": last}}, fields=[field], sort=[(field, 1)], limit=1
    ):
        last = rows[0][field]
        yield last


async def _group(store: Database, topic: str | None, reason: str, wanted: Mapping[str, Any]) -> Group | None:
    ends = [await store.find(_LETTERS, wanted, fields=["at"], sort=[("at", way)], limit=1) for way in (1, -1)]
    if not all(ends):
        return None
    oldest, newest = (rows[0]["at"] for rows in ends)
    return Group(topic=topic, reason=reason, count=await store.count(_LETTERS, wanted), oldest=oldest, newest=newest)


async def rehearse(service: Service, store: Database, id: str, force: bool, now: datetime) -> Outlook:
    """Replays in a transaction that writes nothing. What only a write would show stays unseen."""
    handlers = replays(service)
    commands: list[Command] = [BeginReplay(dead_letter_id=id, force=force), ReplayDeadLetter(dead_letter_id=id)]
    async with store.transaction() as transaction:
        work = UnitOfWork(transaction.find, service.speakers)
        try:
            for command in commands:
                outcome = await work.run(handlers[type(command)], command, now, State(service.source))
                if outcome.refused:
                    break
            return _outlook(id, outcome, service, now)
        except (Transient, Conflict):
            raise
        except Exception as error:
            return Outlook(dead_letter_id=id, would_be=Foreseen.FAILED, reason=reason_of(error), detail=told(error))


def _outlook(id: str, outcome: Outcome, service: Service, now: datetime) -> Outlook:
    if refused := outcome.refused:
        return Outlook(dead_letter_id=id, would_be=Foreseen.REFUSED, reason=refused.reason, detail=refused.detail)
    records = [outbox.fact(said, source=service.source, cause=Cause(id), now=now) for said in outcome.facts]
    planned = [type(later.work).__name__ for later in outcome.later]
    facts = [record.topic for record in records]
    return Outlook(dead_letter_id=id, would_be=Foreseen.HANDLED, facts=facts, planned=planned)
