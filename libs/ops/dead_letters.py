"""Dead letters of the services: find them, look at them, have them handled again, drop them."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self
from urllib.parse import quote

from libs.ops.failures import Misused, Refused
from libs.ops.remote import SERVICES, Json, NotThere, Remote

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class State(StrEnum):
    """How far a dead letter is."""

    PARKED = "parked"  # it waits for a decision
    REPLAYED = "replayed"  # it was handled again
    PURGED = "purged"  # its bytes were dropped


@dataclass(frozen=True, slots=True)
class Search:
    """What dead letters are asked for. All of a service's are had page by page, never as a whole."""

    services: Sequence[str] = SERVICES
    state: State | None = None
    reason: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def found(self) -> Iterator[Json]:
        """Service by service, in the order of topics, partitions and offsets, which is the order of each key."""
        for service in self.services:
            with Remote(service) as remote:
                for letter in remote.items("/dead-letters", **self._query()):
                    yield {"service": service, **letter}

    def summary(self) -> Iterator[Json]:
        """How many, by service, topic and reason."""
        for service in self.services:
            with Remote(service) as remote:
                for group in remote.get("/dead-letters/summary", **self._query())["items"]:
                    yield {"service": service, **group}

    @property
    def narrowed(self) -> bool:
        return any((self.reason, self.topic, self.since, self.until))

    def _query(self) -> dict[str, str]:
        said = {name: value for name, value in asdict(self).items() if name != "services" and value}
        return {name: each.isoformat() if isinstance(each, datetime) else each for name, each in said.items()}


@dataclass(slots=True)
class Desk:
    """Asks the services about one letter after another. Use it as a context manager."""

    _open: dict[str, Remote] = field(default_factory=dict)
    _exits: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def shown(self, id: str, services: Sequence[str] = SERVICES) -> Json:
        """The dead letter, from the service that has it. Raises Refused when none has."""
        for service in services:
            try:
                return {"service": service, **self._at(service).get(_path(id))}
            except NotThere:
                continue
        raise Refused(f"no service has the dead letter {id}", "`viceversa dead-letters list --state all` shows all ids")

    def foreseen(self, letter: Json, *, force: bool) -> Json:
        """The letter with what a replay would come to. Nothing changes."""
        return letter | self._at(letter["service"]).get(f"{_path(letter['dead_letter_id'])}/outlook", force=force)

    def replay(self, letter: Json, *, by: str, force: bool) -> Json:
        """The letter with its outcome: `replayed`, or `refused` and why."""
        return self._ask(letter, "replay", {"by": by, "force": force}, "replayed")

    def purge(self, letter: Json, *, reason: str, by: str) -> Json:
        return self._ask(letter, "purge", {"reason": reason, "by": by}, "purged")

    def _ask(self, letter: Json, what: str, body: dict[str, Any], done: str) -> Json:
        try:
            self._at(letter["service"]).post(f"{_path(letter['dead_letter_id'])}/{what}", body)
        except Refused as refusal:
            return letter | {"outcome": "refused", "why": str(refusal)}
        return letter | {"outcome": done, "why": ""}

    def _at(self, service: str) -> Remote:
        if service not in self._open:
            self._open[service] = self._exits.enter_context(Remote(service))
        return self._open[service]


def moment(said: str, now: datetime) -> datetime:
    """`2h` is two hours ago; `2026-03-02` and `2026-03-02T09:30` are UTC unless they name another offset."""
    try:
        if found := re.fullmatch(r"(\d+)([smhdw])", said):
            return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
        written = datetime.fromisoformat(said)
        return (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Misused(f"{said} is no time", "say 2h, 30m or 7d for so long ago, or 2026-03-02T09:30") from error


def rate(said: str) -> float:
    """So many a second: `50/s`, `600/m`."""
    found = re.fullmatch(r"(\d+)/([sm])", said)
    if not found or not int(found[1]):
        raise Misused(f"{said} is no rate", "say 50/s or 600/m")
    return int(found[1]) / (60 if found[2] == "m" else 1)


def paced(
    letters: Iterable[Json],
    per_second: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Json]:
    """Hands on no more than so many a second; what came late is not made up for."""
    turn = clock()
    for letter in letters:
        if turn > (now := clock()):
            pause(turn - now)
        turn = max(turn, now) + 1 / per_second
        yield letter


def _path(id: str) -> str:
    return f"/dead-letters/{quote(id, safe='')}"
