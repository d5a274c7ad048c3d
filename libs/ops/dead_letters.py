"""Dead letters of the services: find them, look at them, have them handled again, drop them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from libs.ops.failures import Refused
from libs.ops.remote import SERVICES, Json, NotThere, Remote

COLUMNS = ("service", "dead_letter_id", "state", "reason", "topic", "partition", "offset", "at", "detail")

_DONE = {"replay": "replayed", "purge": "purged"}


class State(StrEnum):
    """How far a dead letter is."""

    PARKED = "parked"  # it waits for a decision
    REPLAYED = "replayed"  # it was handled again
    PURGED = "purged"  # its bytes were dropped


@dataclass(frozen=True, slots=True)
class Search:
    services: Sequence[str] = SERVICES
    state: State | None = None
    reason: str | None = None
    topic: str | None = None

    def found(self) -> list[Json]:
        """In the order of their topics, partitions and offsets, so that a replay keeps the order of each key."""
        return sorted((letter for service in self.services for letter in self._in(service)), key=_place)

    def _in(self, service: str) -> Iterator[Json]:
        with Remote(service) as remote:
            letters = remote.items("/dead-letters", state=self.state, reason=self.reason, topic=self.topic)
            yield from ({"service": service, **letter} for letter in letters)


def shown(id: str, services: Sequence[str] = SERVICES) -> Json:
    """The dead letter, from the service that has it. Raises Refused when none has."""
    for service in services:
        with Remote(service) as remote:
            try:
                return {"service": service, **remote.get(_path(id))}
            except NotThere:
                continue
    raise Refused(f"no service has the dead letter {id}", "`viceversa dead-letters list --state all` shows all ids")


def replay(letters: Sequence[Json]) -> Iterator[Json]:
    """Each with what became of it: `replayed`, or `refused` and why."""
    for letter in letters:
        yield letter | _asked(letter, "replay", None)


def purge(letter: Json, reason: str) -> Json:
    return letter | _asked(letter, "purge", {"reason": reason})


def _asked(letter: Json, what: str, body: dict[str, Any] | None) -> Json:
    with Remote(letter["service"]) as remote:
        try:
            remote.post(f"{_path(letter['dead_letter_id'])}/{what}", body)
        except Refused as refusal:
            return {"outcome": "refused", "why": str(refusal)}
    return {"outcome": _DONE[what], "why": ""}


def _path(id: str) -> str:
    return f"/dead-letters/{quote(id, safe='')}"


def _place(letter: Json) -> tuple[str, str, int, int, str]:
    return (
        letter["service"],
        letter.get("topic") or "",
        letter.get("partition") or 0,
        letter.get("offset") or 0,
        str(letter.get("at")),
    )
