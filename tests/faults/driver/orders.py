"""What the generator asks for, as values: the same seed gives the same ones."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Say:
    """A record as another system writes it. `id` and `source` are empty where nobody counts it."""

    topic: str
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    id: str = ""
    source: str = ""
    poison: str = ""
    """The reason under which it has to be parked."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A wish by HTTP under an Idempotency-Key; `again` repeats the settled request, which must be answered alike.

    `then` is the body of a second request to the same path, once the first was granted.
    """

    service: str
    method: str
    path: str
    key: str
    body: dict[str, Any] | None = None
    again: bool = False
    then: dict[str, Any] | None = None


class Wish(StrEnum):
    """What somebody wants of the meeting that is planned next, or of the pair."""

    COMPLETE = "complete"
    MOVE = "move"
    CANCEL = "cancel"
    END = "end"


@dataclass(frozen=True, slots=True)
class Want:
    """A wish of a person about whatever meeting or pair they have then; its id is found when it is asked for."""

    program_id: str
    participant_id: str
    wish: Wish
    key: str
    body: dict[str, Any]
    then: dict[str, Any] | None = None


Order: TypeAlias = Say | Ask | Want


@dataclass(frozen=True, slots=True)
class Step:
    """What one action asked for."""

    number: int
    action: str
    orders: tuple[Order, ...]


def told(order: Order) -> dict[str, Any]:
    """The order in a few words, for the timeline."""
    match order:
        case Say():
            return {"topic": order.topic, "key": order.key, "id": order.id, "poison": order.poison}
        case Ask():
            return {"asked": f"{order.method} {order.path}", "key": order.key}
        case Want():
            return {"asked": order.wish, "who": f"{order.program_id}/{order.participant_id}", "key": order.key}
