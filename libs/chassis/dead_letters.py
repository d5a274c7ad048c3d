"""Dead letters: what could not be handled, kept with its bytes and its reason until somebody replays or purges it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from libs.chassis.documents import Document
from libs.chassis.items import Failed, Item, written
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.words import Answer, Command, Erased, Facts, Handler, Later, Reads, Refused, Work
from libs.contracts.envelope import Erasure, Reason, Received, Unreadable, read
from libs.contracts.events import Event
from libs.contracts.topics import TOPICS


@dataclass(slots=True, kw_only=True)
class DeadLetter(Document):
    """A parked record, or parked due work (`kind` and `work`). `state` is parked, replayed or purged."""

    collection: ClassVar[str] = "dead_letters"
    indexes: ClassVar = (("state", "at"), ("reason", "at"), ("key",))

    state: str = "parked"
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

    def message(self, service: Service) -> tuple[Event | Erased | Work | Unreadable, str]:
        """What it says, read again with the contracts of today, and who said it."""
        if self.topic is not None:
            decoded = read(TOPICS[self.topic], self.key, self.value, self.headers, written(self.timestamp))
            return heard(decoded), decoded.envelope.source if isinstance(decoded, Received) else ""
        kind = next((kind for kind in service.wakes if kind.__name__ == self.kind), None)
        if kind is None or self.work is None:
            return Unreadable(Reason.NULL_VALUE, "its content was never kept"), ""
        return kind.model_validate(self.work), service.source


class ReplayDeadLetter(Command):
    """Handle a parked record again, as if it had just come."""

    dead_letter_id: str


class PurgeDeadLetter(Command):
    """Drop the bytes of a parked record and keep the reason."""

    dead_letter_id: str
    reason: str


def heard(decoded: Received | Erasure | Unreadable) -> Event | Erased | Unreadable:
    match decoded:
        case Received(event=event):
            return event
        case Erasure(topic=topic, key=key):
            return Erased(topic.event, key)
        case Unreadable():
            return decoded


def dead_letter(item: Item, *, reason: str, detail: str, now: datetime) -> DeadLetter:
    """The dead letter of an item; its id is made of the record's place and content, so a repeat is the same one."""
    why: dict[str, Any] = {"reason": reason, "detail": detail[:2_000], "at": now}
    if (raw := item.raw) is not None:
        id = f"{raw.topic}.{raw.partition}.{raw.offset}.{raw.timestamp}.{item.digest.hex()[:8]}"
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
    work = message.model_dump() if isinstance(message, Work) else None
    token = item.claim.token if item.claim else item.digest.hex()
    return DeadLetter(id=f"due.{token}.{item.digest.hex()[:8]}", kind=type(message).__name__, work=work, **why)


def replays(service: Service) -> dict[type[Command], Handler[Any]]:
    """The two commands that every service obeys. A replay passes the same transaction as any message."""

    def inner(command: ReplayDeadLetter, state: State) -> tuple[Any, Handler[Any]] | None:
        letter = state[DeadLetter, command.dead_letter_id]
        if letter.version == 0 or letter.state != "parked":
            return None
        message, state.source = letter.message(service)
        handler = service.handler_of(message)
        return (message, handler) if handler else None

    def stage(depth: int) -> Callable[[ReplayDeadLetter, State], Reads]:
        def reads(command: ReplayDeadLetter, state: State) -> Reads:
            found = inner(command, state)
            return found[1].stage(depth, found[0], state) if found else ()

        return reads

    def replay(command: ReplayDeadLetter, state: State, now: datetime) -> Facts:
        letter = state[DeadLetter, command.dead_letter_id]
        if refusal := _not_parked(letter):
            yield refusal
            return
        found = inner(command, state)
        if found is None:
            yield Refused("unreadable", f"still can't be read or handled: {letter.reason}")
            return
        message, handler = found
        if isinstance(message, Work):
            yield Later(message, now)
        else:
            for word in handler(message, state, now):
                yield word
                if isinstance(word, Refused):
                    return
        letter.state = "replayed"
        yield Answer({"dead_letter_id": letter.id, "state": letter.state})

    def purge(command: PurgeDeadLetter, state: State, now: datetime) -> Facts:
        letter = state[DeadLetter, command.dead_letter_id]
        if refusal := _not_parked(letter):
            yield refusal
            return
        letter.state, letter.detail = "purged", command.reason
        letter.key = letter.value = letter.work = None
        letter.headers = []
        yield Answer({"dead_letter_id": letter.id, "state": letter.state})

    def itself(command: ReplayDeadLetter | PurgeDeadLetter) -> Reads:
        return [DeadLetter.by_id(command.dead_letter_id)]

    deepest = max((handler.depth for handler in [*service.hears.values(), *service.erases.values()]), default=0)
    return {
        ReplayDeadLetter: Handler(replay, itself, tuple(stage(depth) for depth in range(deepest))),
        PurgeDeadLetter: Handler(purge, itself),
    }


def _not_parked(letter: DeadLetter) -> Refused | None:
    if letter.version == 0:
        return Refused("not_found", "there is no such dead letter", 404)
    if letter.state != "parked":
        return Refused("not_parked", f"it was {letter.state} before")
    return None


def masked(letter: DeadLetter) -> Iterator[tuple[str, Any]]:
    """What a listing may show: place, reason and time, and neither key nor content, which may name a person."""
    yield "dead_letter_id", letter.id
    for name in ("state", "reason", "detail", "at", "topic", "partition", "offset", "kind"):
        yield name, getattr(letter, name)
