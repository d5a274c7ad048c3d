"""The waiting pool of a programme in memory: an arrival is compared with everybody without reading anybody again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Self

import numpy as np
from scipy import sparse

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Role
from services.matching.rules.assignment import best_pairs
from services.matching.rules.crowd.lists import Integers
from services.matching.rules.crowd.sides import Codes, side_of
from services.matching.rules.pairing import Standing
from services.matching.rules.rolling.fitting import Asking, fitting, microseconds
from services.matching.rules.rolling.kept import KeptSide
from services.matching.rules.working_hours import reference_week


@dataclass(frozen=True, slots=True)
class Ties:
    """The ids of those whom a person knows already."""

    partners: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    former: Mapping[str, datetime] = field(default_factory=dict)
    """When the last pair with each ended."""

    @property
    def all(self) -> frozenset[str]:
        return self.partners | self.excluded | self.former.keys()


NO_TIES: Final = Ties()


@dataclass(frozen=True, slots=True)
class Member:
    """A person who waits."""

    profile: ParticipantEnrolled
    ties: Ties = NO_TIES

    @property
    def id(self) -> str:
        return self.profile.participant_id


@dataclass(slots=True)
class KeptPool:
    """Holds for one revision of the programme and one week. Some 500 bytes a person."""

    program: ProgramPublished
    week: date
    sides: dict[Role, KeptSide]
    codes: Codes
    ties: dict[str, Ties] = field(default_factory=dict)
    """Of those who know somebody."""
    known_by: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def empty(cls, program: ProgramPublished, now: datetime) -> Self:
        """Nobody waits."""
        week, codes = reference_week(now, program.policy.time_zone), Codes()
        standing = _standing(week, now, {})
        nobody = np.zeros(0, dtype=np.int64)
        sides = {role: KeptSide(side_of(program, standing, role, [], codes), nobody) for role in Role}
        return cls(program, week, sides, codes)

    def fits(self, program: ProgramPublished, now: datetime) -> bool:
        """Whether the pool can still be used."""
        return self.program == program and self.week == reference_week(now, program.policy.time_zone)

    def __len__(self) -> int:
        return sum(len(side.places) for side in self.sides.values())

    def __contains__(self, id: str) -> bool:
        number = self.codes.people.get(id)
        return any(number in side.places for side in self.sides.values())

    def add(self, members: Sequence[Member], now: datetime) -> None:
        """People arrive, or are known anew."""
        self.leave(member.id for member in members)
        standing = _standing(self.week, now, {member.id: len(member.ties.partners) for member in members})
        for role, kept in self.sides.items():
            people = [member.profile for member in members if member.profile.role is role]
            if people:
                since = np.array([microseconds(person.enrolled_at) for person in people], dtype=np.int64)
                side = side_of(self.program, standing, role, people, self.codes)
                kept.add(side, since, [person.participant_id for person in people])
        for member in members:
            for other in member.ties.all:
                self.ties[member.id] = member.ties
                self.known_by.setdefault(other, set()).add(member.id)

    def leave(self, ids: Iterable[str]) -> None:
        """People are gone; those who were not there are passed over."""
        for id in ids:
            number = self.codes.people.get(id)
            for side in self.sides.values():
                if number in side.places:
                    side.leave(number)
            for other in self.ties.pop(id, NO_TIES).all:
                self.known_by[other].discard(id)

    def best_pairs(self, asked: Iterable[str], now: datetime) -> list[tuple[str, str]]:
        """The best pairs (mentor, mentee) with at least one of the asked; nobody is paired beyond the free places.

        Exact: no other set of such pairs serves the programme's objective better. O(asked x people).
        """
        asking = [one for id in asked for one in self.asking(id)]
        most = sum(int(one.mine.side.places[one.place]) for one in asking)
        found = [self._candidates(one, most, now) for one in asking]
        if not found:
            return []
        mentors, mentees, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        _, first = np.unique(mentors * len(self.sides[Role.MENTEE].ids) + mentees, return_index=True)
        return self._assigned(mentors[first], mentees[first], scores[first])

    def asking(self, id: str) -> Iterator[Asking]:
        """The person as one who asks; nothing where the person does not wait."""
        number = self.codes.people.get(id, -1)
        for role, mine in self.sides.items():
            if number in mine.places:
                other = self.sides[Role.MENTEE if role is Role.MENTOR else Role.MENTOR]
                yield Asking(self.program, self.codes, role, mine, mine.places[number], other)

    def _candidates(self, one: Asking, most: int, now: datetime) -> tuple[Integers, Integers, Integers]:
        """Mentors, mentees and scores of the best candidates of a person.

        No more than `most` pairs are made, so of the `most` best candidates of a person one is always left.
        """
        found, scores = fitting(one, self.apart(one, now), now)
        if len(found) > most:
            good = scores >= np.partition(scores, -most)[-most]
            found, scores = found[good], scores[good]
        best = np.lexsort((one.others.since[found], -scores))[:most]
        mine, theirs = np.full(len(best), one.place), found[best]
        both = (mine, theirs) if one.role is Role.MENTOR else (theirs, mine)
        return (*both, scores[best])

    def apart(self, one: Asking, now: datetime) -> list[int]:
        """Where those stand whom the person must not meet for the sake of one of both."""
        id, others = one.mine.ids[one.place], one.others
        known = self.ties.get(id, NO_TIES).all | self.known_by.get(id, set())
        numbers = {name: self.codes.people.get(name, -1) for name in known}
        return [
            others.places[number]
            for name, number in numbers.items()
            if number in others.places and (self._forbids(id, name, now) or self._forbids(name, id, now))
        ]

    def _forbids(self, id: str, other: str, now: datetime) -> bool:
        ties, cooldown = self.ties.get(id, NO_TIES), timedelta(days=self.program.policy.cooldown_days)
        cools = other in ties.former and now - ties.former[other] < cooldown
        return other in ties.partners or other in ties.excluded or cools

    def _assigned(self, mentors: Integers, mentees: Integers, scores: Integers) -> list[tuple[str, str]]:
        sides = self.sides[Role.MENTOR], self.sides[Role.MENTEE]
        (rows, row), (columns, column) = (np.unique(people, return_inverse=True) for people in (mentors, mentees))
        table = sparse.csr_array((scores, (row, column)), shape=(len(rows), len(columns)))
        capacities = sides[0].side.places[rows], sides[1].side.places[columns]
        best = best_pairs(table, *capacities, self.program.policy.objective)
        return [
            (sides[0].ids[mentor], sides[1].ids[mentee])
            for mentor, mentee in zip(rows[best.mentors].tolist(), columns[best.mentees].tolist(), strict=True)
        ]


def _standing(week: date, now: datetime, taken: Mapping[str, int]) -> Standing:
    nobody: frozenset[frozenset[str]] = frozenset()
    return Standing(now=now, week=week, taken=taken, together=nobody, cooling=nobody, excluded=nobody)
