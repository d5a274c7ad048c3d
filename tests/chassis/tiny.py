"""A tiny service with every kind of handler that a test of the chassis needs, and the items that it hears.

The person's unit says what its handler does: most count, `Broken` raises, `Foreign` reads what it did not declare, ...
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from fastapi import APIRouter

from libs.chassis import due, inbox, outbox
from libs.chassis.dead_letters import DeadLetter
from libs.chassis.documents import Document, peek
from libs.chassis.effects import Effects
from libs.chassis.errors import Poison
from libs.chassis.http import Cursor, Limit, Obeys, Store, page
from libs.chassis.items import Cause, Item, Raw, digest
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database
from libs.chassis.outbox import header_pairs
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.tracing import Off, Tracing
from libs.chassis.transactions import Transactions
from libs.chassis.words import Answer, Command, Erased, Facts, Later, Refused, Work, reads
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import NotificationSent, PairEnded, ParticipantEnrolled, ParticipantWithdrawn
from libs.contracts.examples import NOTIFICATION_SENT, PARTICIPANT_ENROLLED, PARTICIPANT_WITHDRAWN
from libs.contracts.topics import topic_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Tally(Document):
    """How often a person was heard of."""

    collection: ClassVar[str] = "tallies"
    indexes: ClassVar = (("group",),)

    group: str = ""
    times: int = 0
    on_duty: bool = False
    seen: list[int] = field(default_factory=list)
    held: Any = None


class Count(Command):
    """Count a person once more."""

    key: str
    amount: int = 1

    @property
    def about(self) -> str:
        return self.key


class Remind(Work):
    """Count a person when it is due."""

    person: str
    amount: int = 1

    @property
    def key(self) -> str:
        return self.person


class Prepare(Work):
    """Something that is prepared outside the transaction."""

    person: str
    amount: int = 1

    @property
    def key(self) -> str:
        return self.person


class Prepared(Work):
    """What the preparation gave."""

    person: str
    amount: int

    @property
    def key(self) -> str:
        return self.person


def told(key: str, **changes: Any) -> NotificationSent:
    program, person = key.split("/")
    return NOTIFICATION_SENT.model_copy(update={"program_id": program, "participant_id": person, **changes})


@reads(lambda event: [Tally.by_id(event.key)])
def count(event: ParticipantEnrolled, state: State, now: datetime) -> Facts:
    tally = state[Tally, event.key]
    tally.times += 1
    tally.group = event.program_id
    tally.seen.append(event.revision)
    match event.unit:
        case "Broken":
            raise ValueError(f"{event.name} breaks the handler")
        case "Poison":
            raise Poison("never")
        case "Foreign":
            assert state[Tally, "2026/somebody-else"]
        case "Voiceless":
            yield told("2026/somebody-else")
        case "Unstorable":
            tally.held = 2**70
        case "Chatty":
            yield told(event.key, template="x" * 1_100_000)
        case "Wordy":
            yield told(event.key, template="x" * 300_000)
        case "Later":
            yield Later(Remind(person=event.key), now)
        case "Refused":
            tally.times -= 1
            yield Refused("not_owner", "another source owns this profile")
            return
    yield told(event.key)


@reads(
    lambda event: [Tally.by_id(event.key)],
    lambda event, state: [Tally.by_id(f"{event.program_id}/{_other(event.participant_id)}")],
)
def leave_duty_while_another_stays(event: ParticipantWithdrawn, state: State, now: datetime) -> Facts:
    """Each of two people may leave duty only while the other is on it: the classic write skew."""
    other = state[Tally, f"{event.program_id}/{_other(event.participant_id)}"]
    if other.on_duty:
        state[Tally, event.key].on_duty = False
    yield from ()


@reads(lambda erased: [Tally.by_id(erased.key)])
def forget(erased: Erased, state: State, now: datetime) -> Facts:
    state[Tally, erased.key].times = 0
    yield from ()


@reads(lambda command: [Tally.by_id(command.key)])
def count_by_hand(command: Count, state: State, now: datetime) -> Facts:
    tally = state[Tally, command.key]
    if command.amount < 0:
        yield Refused("negative", "only upwards", 409)
        return
    if command.amount > 1_000:
        raise ValueError("too many")
    tally.times += command.amount
    yield told(command.key)
    yield Answer({"key": command.key, "times": tally.times}, 201, {"ETag": f'"{tally.version + 1}"'})


@reads(lambda work: [Tally.by_id(work.person)])
def count_when_due(work: Any, state: State, now: datetime) -> Facts:
    if work.amount > 1_000:
        raise ValueError("too many")
    state[Tally, work.person].times += work.amount
    yield told(work.person)


@reads(lambda work: [peek(Tally.by_id(work.person))])
def nothing(work: Prepare, state: State, now: datetime) -> Facts:
    yield from ()


async def prepare(work: Prepare, database: Database) -> Work:
    if work.amount == 13:
        raise ValueError("ada@example.com is refused")
    return Prepared(person=work.person, amount=work.amount)


@reads(lambda event: [Tally.by_id(event.key)])
def count_pair(event: PairEnded, state: State, now: datetime) -> Facts:
    state[Tally, event.key].times += 1
    yield from ()


def _other(person: str) -> str:
    return "grace" if person == "ada" else "ada"


router = APIRouter()


@router.post("/tallies/{program}/{person}")
async def post_count(program: str, person: str, wish: Count, obey: Obeys) -> Any:
    return await obey(wish)


@router.get("/tallies")
async def list_tallies(store: Store, limit: Limit = 2, cursor: Cursor = None) -> dict[str, Any]:
    rows, after = await page(store, Tally.collection, {}, limit, cursor)
    return {"items": [row["_id"] for row in rows], "next": after}


service = Service(
    name="tiny",
    keeps=[Tally],
    hears={
        ParticipantEnrolled: count,
        ParticipantWithdrawn: leave_duty_while_another_stays,
        PairEnded: count_pair,
    },
    erases={ParticipantEnrolled: forget},
    obeys={Count: count_by_hand},
    wakes={Remind: count_when_due, Prepare: nothing, Prepared: count_when_due},
    prepares={Prepare: prepare},
    says={Tally: [NotificationSent]},
    http=[router],
)


def enrolled(person: str = "ada", unit: str = "Retail", **changes: Any) -> ParticipantEnrolled:
    update = {"program_id": "2026", "participant_id": person, "unit": unit, "name": person.title(), **changes}
    return PARTICIPANT_ENROLLED.model_copy(update=update)


def withdrawn(person: str) -> ParticipantWithdrawn:
    return PARTICIPANT_WITHDRAWN.model_copy(update={"program_id": "2026", "participant_id": person})


def item(event: Any, id: str, offset: int = 0) -> Item:
    """What the intake makes of a record of this event."""
    body, topic = encode(event), topic_of(type(event))
    envelope = describe(event, id=id, source="/hr", time=NOW)
    raw = Raw(topic.name, 0, offset, 1_772_442_000_000, event.key.encode(), body, headers(envelope))
    return Item(f"/hr {id}", event, digest(body), Cause(id, id), raw, source="/hr", time=NOW)


@asynccontextmanager
async def tiny_database(url: str, name: str) -> AsyncIterator[Database]:
    """A database with the collections of the chassis and of the tiny service."""
    database = Database(url, name)
    try:
        for kind in (Tally, DeadLetter):
            await database.create_indexes(kind.collection, [(fields, {}) for fields in kind.indexes])
        for room, indexes in ((inbox.INBOX, inbox.INDEXES), (outbox.OUTBOX, outbox.INDEXES), (due.DUE, due.INDEXES)):
            await database.create_indexes(room, indexes)
        yield database
    finally:
        database.close()


def settling(
    database: Database,
    table: Service = service,
    after: Callable[[Effects], None] = lambda effects: None,
    tracing: Tracing | None = None,
) -> Transactions:
    """The transactions of one process."""
    return Transactions(table, database, lambda: NOW, Metrics(table.name), tracing or Off(), after)


async def tally(database: Database, person: str) -> dict[str, Any]:
    (row,) = await database.find(Tally.collection, {"_id": f"2026/{person}"})
    return row


async def facts(database: Database) -> list[tuple[str, int]]:
    """Key and sequence of the facts in the outbox, in the order in which the relay would send them."""
    pages = await database.find(outbox.OUTBOX, {}, sort=[("tick", 1), ("part", 1), ("_id", 1)])
    return [
        (record["key"].decode(), int(dict(header_pairs(record))["ce_sequence"] or 0))
        for each in pages
        for record in each["records"]
        if record["topic"] == NotificationSent.topic
    ]


async def letters(database: Database) -> dict[str, str]:
    """Reasons by key of what is parked."""
    rows = await database.find(DeadLetter.collection, {})
    return {row["key"].decode() if row["key"] else row["_id"]: row["reason"] for row in rows}


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """What the condition gives once it is truthy."""
    for _ in range(int(seconds / 0.02)):
        if found := await condition():
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError


async def obeyed(transactions: Transactions, command: Command, key: str) -> Answer:
    """The answer to a command with this Idempotency-Key."""
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    body = digest(command.model_dump_json().encode())
    await transactions.settle([Item(f"http {key}", command, body, Cause(key), answer=answer)])
    return await answer
