"""What a process remembers of those who wait in a programme, from one look to the next.

Nothing rests on it: which people a look has to ask for follows from the work and the database, and pairs are checked
again when they are made. What is missed, or known wrongly, only waits for the next look at everybody.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from libs.chassis.documents import from_row
from libs.chassis.mongo import Database
from libs.contracts.events import ProgramPublished
from services.matching.rules.rolling.pool import KeptPool, Member, Ties
from services.matching.store.people import Person
from services.matching.work import Look

# People who are compared with everybody in one look; a hundred take some tenths of a second among 100,000
ASKED_AT_ONCE = 100
# Clocks of replicas differ, and a transaction commits a while after its time was taken
OVERLAP = timedelta(seconds=15)
READ_AT_ONCE = 1_000
BRIEF = ("version", "seeking", "changed_at")

Row = Mapping[str, Any]


@dataclass(slots=True)
class Remembered:
    """The pool as of `read_to`, and who in it has not been compared with the others yet."""

    pool: KeptPool
    read_to: datetime
    versions: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    """Version and last change of each who waits."""
    unseen: set[str] = field(default_factory=set)
    look_id: str = ""
    """The last look that was told; whether it counts shows the next work."""

    @classmethod
    def nobody(cls, program: ProgramPublished, now: datetime) -> Self:
        """A pool without anybody."""
        return cls(KeptPool.empty(program, now), now)

    def __len__(self) -> int:
        return len(self.versions)

    def outdated_by(self, briefs: Iterable[Row]) -> list[str]:
        """The ids of the documents to be read; of those who left nothing has to be read."""
        return [row["_id"] for row in briefs if row["seeking"] and self._version(_id(row)) != row["version"]]

    def forget(self, briefs: Iterable[Row]) -> None:
        """Those who do not wait any more."""
        self._leave([_id(row) for row in briefs if not row["seeking"]])

    def learn(self, rows: Iterable[Row], now: datetime) -> list[str]:
        """Take up people who wait, in their present state; their ids."""
        people = [from_row(Person, row) for row in rows]
        waiting = [person for person in people if person.seeking and person.profile and person.changed_at]
        self._leave([person.participant_id for person in people])
        self.pool.add([member for person in waiting for member in _member(person)], now)
        self.versions |= {it.participant_id: (it.version, it.changed_at) for it in waiting if it.changed_at}
        return [person.participant_id for person in waiting]

    def look(self, look_id: str, last: Look | None, now: datetime) -> tuple[Look, list[tuple[str, str]]]:
        """Compare the unseen with everybody: the best pairs (mentor, mentee), and how far the look is.

        If the look before this one was not the last that was told here, then those who changed since are unseen: either
        another replica looked, or what was told was lost.
        """
        if last is None or last.id != self.look_id:
            since = (last.mark if last else now) - OVERLAP
            self.unseen |= {id for id, (_, changed_at) in self.versions.items() if changed_at >= since}
        turn = sorted(self.unseen, key=lambda id: (self.versions[id][1], id))
        asked, later = turn[:ASKED_AT_ONCE], turn[ASKED_AT_ONCE:]
        pairs = self.pool.best_pairs(asked, now)
        self.unseen, self.look_id = set(later), look_id
        mark = self.versions[later[0]][1] if later else now
        return Look(id=look_id, mark=min(mark, now), complete=not later), pairs

    def _version(self, id: str) -> int:
        return self.versions[id][0] if id in self.versions else 0

    def _leave(self, ids: Sequence[str]) -> None:
        self.pool.leave(ids)
        for id in ids:
            self.versions.pop(id, None)
            self.unseen.discard(id)


async def load_in(url: str, name: str, program: ProgramPublished, now: datetime) -> Remembered:
    """Everybody who waits, over a connection of its own, for a process of its own."""
    with closing(Database(url, name)) as database:
        return await load(database, program, now)


async def load(database: Database, program: ProgramPublished, now: datetime) -> Remembered:
    """Everybody who waits, all of them seen."""
    remembered = Remembered.nobody(program, now)
    waiting = {"program_id": program.program_id, "seeking": True}
    async for rows in database.chunks(Person.collection, waiting, size=READ_AT_ONCE):
        remembered.learn(rows, now)
    return remembered


def _member(person: Person) -> list[Member]:
    if person.profile is None:
        return []
    former: dict[str, datetime] = {}
    for pair in sorted(person.former, key=lambda pair: pair.ended_at):
        former[pair.participant_id] = pair.ended_at
    partners = frozenset(partner.participant_id for partner in person.partners)
    return [Member(person.as_waiting(person.profile), Ties(partners, frozenset(person.excluded_ids), former))]


def _id(row: Row) -> str:
    return str(row["_id"]).partition("/")[2]
