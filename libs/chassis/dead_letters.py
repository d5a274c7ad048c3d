"""Dead letters: what could not be handled, kept with its bytes and its reason until somebody replays or purges it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from pydantic import ValidationError

from libs.chassis.documents import Document
from libs.chassis.items import Failed, Item, written
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.words import Answer, Command, Erased, Facts, Handler, Later, Reads, Refused, Work
from libs.contracts.envelope import Erasure, Reason, Received, Unreadable, read
from libs.contracts.events import Event
from libs.contracts.topics import TOPICS

MOST_REPLAYS: Final = 3


class LetterState(StrEnum):
    """How far a dead letter is."""

    PARKED = "parked"  # it waits for a decision
    REPLAYED = "replayed"  # it was handled again
    PURGED = "purged"  # its bytes were dropped


@dataclass(slots=True, kw_only=True)
class DeadLetter(Document):
    """A parked record, or parked due work (`kind` and `work`). `by`, `because` and `changed_at` tell who had it
    replayed or purged, why and when. `replays` counts the replays that were begun."""

    collection: ClassVar[str] = "dead_letters"
    # A listing goes by ids and a summary by topics and reasons; both find all that they filter by in their index.
    indexes: ClassVar = (("state", "_id", "topic", "reason", "at"), ("state", "topic", "reason", "at"), ("key",))

    state: LetterState = LetterState.PARKED
    reason: str = ""
    detail: str = ""
    at: datetime | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    timestamp: int | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)
    kind: str | None = None
    work: dict[str, Any] | None = None
    replays: int = 0
    by: str = ""
    because: str = ""
    changed_at: datetime | None = None

    def message(self, service: Service) -> tuple[Event | Erased | Work | Unreadable, str, str]:
        """What it says, read again with the contracts of today, who said it, and the event's id."""
        if self.topic is None:
            return self._work(service), service.source, ""
        if self.topic not in TOPICS:
            return Unreadable(Reason.UNKNOWN_TYPE, f"{self.topic} is no topic any more"), "", ""
        decoded = read(TOPICS[self.topic], self.key, self.value, self.headers, written(self.timestamp))
        said = (decoded.envelope.source, decoded.envelope.id) if isinstance(decoded, Received) else ("", "")
        return heard(decoded), *said

    def _work(self, service: Service) -> Work | Unreadable:
        kind = next((kind for kind in service.wakes if kind.__name__ == self.kind), None)
        if kind is None or self.work is None:
            return Unreadable(Reason.NULL_VALUE, "its content was never kept")
        try:
            return kind.model_validate(self.work)
        except ValidationError:
            return Unreadable(Reason.INVALID_DATA, f"it is no {self.kind} of today")


class BeginReplay(Command):
    """Count a replay before it is tried, so that also one that ends the process counts."""

    dead_letter_id: str
    by: str = ""
    force: bool = False


class ReplayDeadLetter(Command):
    """Handle a parked record again, as if it had just come."""

    dead_letter_id: str
    by: str = ""


class PurgeDeadLetter(Command):
    """Drop the bytes of a parked record; why it was parked, and why and by whom it was purged, stays."""

    dead_letter_id: str
    reason: str
    by: str = ""


def heard(decoded: Received | Erasure | Unreadable) -> Event | Erased | Unreadable:
    match decoded:
        case Received(event=event):
            return event
        case Erasure(topic=topic, key=key):
            return Erased(topic.event, key)
        case Unreadable():
            return decoded


def dead_letter(item: Item, *, reason: str, detail: str, now: datetime) -> DeadLetter:
    """The dead letter of an item; its id is made of the record's place and content, so a repeat is the same one.
    Ids of one partition sort as their records do."""
    why: dict[str, Any] = {"reason": reason, "detail": detail[:2_000], "at": now}
    if (raw := item.raw) is not None:
        id = f"{raw.topic}.{raw.partition:04}.{raw.offset:019}.{raw.timestamp}.{item.digest.hex()[:8]}"
        return DeadLetter(
            id=id,
            topic=raw.topic,
            partition=raw.partition,
            offset=raw.offset,
            timestamp=raw.timestamp,
            key=raw.key,
            value=raw.value,
            headers=[(name, value) for name, value in raw.headers],
            **why,
        )
    message = item.message.work if isinstance(item.message, Failed) else item.message
    work = message.model_dump(warnings=False) if isinstance(message, Work) else None
    token = item.claim.token if item.claim else item.digest.hex()
    return DeadLetter(id=f"due.{token}.{item.digest.hex()[:8]}", kind=type(message).__name__, work=work, **why)


def replays(service: Service) -> dict[type[Command], Handler[Any]]:
    """The commands that every service obeys. A replay passes the same transaction as any message."""

    def inner(command: ReplayDeadLetter, state: State) -> tuple[Any, Handler[Any] | None]:
        message, state.source, state.event_id = state[DeadLetter, command.dead_letter_id].message(service)
        return message, service.handler_of(message)

    def stage(depth: int) -> Callable[[ReplayDeadLetter, State], Reads]:
        def reads(command: ReplayDeadLetter, state: State) -> Reads:
            if _not_parked(state[DeadLetter, command.dead_letter_id]):
                return ()
            message, handler = inner(command, state)
            return handler.stage(depth, message, state) if handler else ()

        return reads

    def replay(command: ReplayDeadLetter, state: State, now: datetime) -> Facts:
        letter = state[DeadLetter, command.dead_letter_id]
        if refusal := _not_parked(letter):
            yield refusal
            return
        message, handler = inner(command, state)
        if handler is None:
            yield _unheard(message)
            return
        # Work that needs a preparation is planned again; all else is handled here and now.
        for word in (Later(message, now),) if type(message) in service.prepares else handler(message, state, now):
            yield word
            if isinstance(word, Refused):
                return
        yield _changed(letter, LetterState.REPLAYED, command.by, now)

    deepest = max(
        (each.depth for table in (service.hears, service.erases, service.wakes) for each in table.values()), default=0
    )
    return {
        BeginReplay: Handler(_begin, _itself),
        ReplayDeadLetter: Handler(replay, _itself, tuple(stage(depth) for depth in range(deepest))),
        PurgeDeadLetter: Handler(_purge, _itself),
    }


def _itself(command: BeginReplay | ReplayDeadLetter | PurgeDeadLetter) -> Reads:
    return [DeadLetter.by_id(command.dead_letter_id)]


def _begin(command: BeginReplay, state: State, now: datetime) -> Facts:
    letter = state[DeadLetter, command.dead_letter_id]
    if refusal := _not_parked(letter):
        yield refusal
    elif letter.replays >= MOST_REPLAYS and not command.force:
        yield Refused(
            "replayed_too_often", f"it was replayed {letter.replays} times in vain: mend the cause, then force it"
        )
    else:
        letter.replays += 1
        yield _changed(letter, letter.state, command.by, now)


def _purge(command: PurgeDeadLetter, state: State, now: datetime) -> Facts:
    letter = state[DeadLetter, command.dead_letter_id]
    if refusal := _not_parked(letter):
        yield refusal
        return
    letter.because = command.reason
    letter.key = letter.value = letter.work = None
    letter.headers = []
    yield _changed(letter, LetterState.PURGED, command.by, now)


def _changed(letter: DeadLetter, state: LetterState, by: str, now: datetime) -> Answer:
    letter.state, letter.by, letter.changed_at = state, by, now
    return Answer({"dead_letter_id": letter.id, "state": state})


def _not_parked(letter: DeadLetter) -> Refused | None:
    if letter.version == 0:
        return Refused("not_found", "there is no such dead letter: GET /dead-letters lists them", 404)
    if letter.state is not LetterState.PARKED:
        return Refused("not_parked", f"it was {letter.state} before: nothing is left to do")
    return None


def _unheard(message: object) -> Refused:
    if isinstance(message, Unreadable):
        return Refused(
            "unreadable",
            f"still can't be read ({message.reason}, {message.detail}): have its sender say it anew, then purge it",
        )
    return Refused("unheard", "nothing here handles it any more: purge it")
