"""What waits for the next transaction: events, commands and due work, all as items."""

from asyncio import Future
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b

from libs.chassis.words import Answer, Command, Erased, Work
from libs.contracts.envelope import Unreadable
from libs.contracts.events import Event

Headers = Sequence[tuple[str, bytes | None]]


# Raw and Cause are made for each record; a frozen dataclass costs three times as much to make.
@dataclass(slots=True)
class Raw:
    """A record as it came; `topic` without the prefix."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def written(self) -> datetime | None:
        return written(self.timestamp)


@dataclass(slots=True)
class Cause:
    """The business journey that a fact belongs to, and what led to it."""

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Due work that this process has leased: the row's id and the token of the lease."""

    work_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that failed for good before it reached its handler."""

    reason: str
    detail: str
    work: Work | None = None


@dataclass(slots=True, eq=False)
class Item:
    """`id` is what the inbox remembers; `digest` tells the same id with another body."""

    id: str
    message: Event | Erased | Unreadable | Failed | Command | Work
    digest: bytes
    cause: Cause
    raw: Raw | None = None
    claim: Claim | None = None
    answer: "Future[Answer] | None" = None
    source: str | None = None
    time: datetime | None = None


def digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def written(timestamp: int | None) -> datetime | None:
    """The time of a record's timestamp in milliseconds; None for one beyond the calendar, which producers may set."""
    try:
        return datetime.fromtimestamp((timestamp or 0) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def without_content(item: Item, why: Failed) -> Item:
    """The item with its place alone, for the case that its content can't even be parked."""
    raw = replace(item.raw, key=None, value=None, headers=()) if item.raw else None
    return replace(item, message=why, raw=raw)
