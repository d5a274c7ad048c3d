"""Poison by the three ways to know it."""

from dataclasses import dataclass, field
from hashlib import sha256

from tests.faults.checker.records import Record
from tests.faults.checker.told import Poison


@dataclass(slots=True)
class Known:
    """What the generator made on purpose that nobody can take."""

    by_place: dict[str, Poison] = field(default_factory=dict)
    by_id: dict[tuple[str, str], Poison] = field(default_factory=dict)
    by_digest: dict[tuple[str, str], Poison] = field(default_factory=dict)

    def add(self, poison: Poison) -> None:
        if poison.partition is not None:
            self.by_place[f"{poison.topic}/{poison.partition}/{poison.offset}"] = poison
        if poison.ce_id:
            self.by_id[poison.topic, poison.ce_id] = poison
        if poison.digest:
            self.by_digest[poison.topic, poison.digest] = poison

    def of(self, record: Record, place: str = "") -> Poison | None:
        """Whether this is one, or the copy of one that stood at `place`."""
        place = place or record.place
        topic = place.split("/")[0]
        return (
            self.by_place.get(place)
            or (self.by_id.get((topic, record.text("ce_id"))) if self.by_id else None)
            or (self.by_digest.get((topic, sha256(record.value or b"").hexdigest())) if self.by_digest else None)
        )


def known(poisons: list[Poison]) -> Known:
    found = Known()
    for poison in poisons:
        found.add(poison)
    return found
