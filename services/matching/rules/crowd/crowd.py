"""Both sides of a programme's pool as arrays, and the pairs that are named one by one. Never a matrix."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Role
from services.matching.rules.crowd.lists import Integers
from services.matching.rules.crowd.sides import NOBODY, Codes, Side, joined_sides, side_of
from services.matching.rules.pairing import Rule, Standing, Two
from services.matching.rules.score import FULL

Bits: TypeAlias = NDArray[np.uint64]
AT_ONCE = 10_000


class Pairs(NamedTuple):
    """Mentors and mentees by their places in the crowd; no pair stands there twice."""

    mentors: Integers
    mentees: Integers

    def seen_by(self, role: Role) -> tuple[Integers, Integers]:
        """The people of the role, then the others."""
        return (self.mentors, self.mentees) if role is Role.MENTOR else (self.mentees, self.mentors)


@dataclass(frozen=True, slots=True)
class Crowd:
    """People stand in the order in which a scan is fast; `mentor_ids` and `mentee_ids` name them."""

    program: ProgramPublished
    mentors: Side
    mentees: Side
    mentor_ids: tuple[str, ...]
    mentee_ids: tuple[str, ...]
    weeks: Bits
    """The distinct working weeks x words, a bit per quarter of an hour."""
    tongues: Bits
    """The distinct sets of languages x words, a bit per language."""
    topics: int
    languages: int
    apart: Mapping[Rule, Pairs]
    """Pairs that the rules about named people refuse, but for those who have the same direct manager."""
    wishes: Pairs
    wished: Integers
    """The preference part of each of `wishes`; it is 0 for all other pairs."""

    def side(self, role: Role) -> Side:
        """The people of a role."""
        return self.mentors if role is Role.MENTOR else self.mentees


def opposite(role: Role) -> Role:
    """The role of the other side."""
    return Role.MENTEE if role is Role.MENTOR else Role.MENTOR


def crowd_of(
    program: ProgramPublished,
    mentors: Iterable[ParticipantEnrolled],
    mentees: Iterable[ParticipantEnrolled],
    standing: Standing,
) -> Crowd:
    """Read the people, each side in the order of ids; events may come from an iterator and are not kept."""
    codes = Codes()
    sides = [
        joined_sides([side_of(program, standing, role, part, codes) for part in _parts(people)])
        for role, people in ((Role.MENTOR, mentors), (Role.MENTEE, mentees))
    ]
    weeks, ids = _weeks(codes), list(codes.people)
    first, second = (side.taken(_scan_order(side, weeks)) for side in sides)
    wishes, wished = _wishes(first, second, len(ids))
    return Crowd(
        program=program,
        mentors=first,
        mentees=second,
        mentor_ids=tuple(ids[person] for person in first.person.tolist()),
        mentee_ids=tuple(ids[person] for person in second.person.tolist()),
        weeks=weeks,
        tongues=_tongues(codes),
        topics=len(codes.topics),
        languages=len(codes.languages),
        apart=_apart(first, second, standing, codes.people),
        wishes=wishes,
        wished=wished,
    )


def _parts(people: Iterable[ParticipantEnrolled]) -> Iterator[list[ParticipantEnrolled]]:
    """So many at once as stay in the processor's cache; one empty part for nobody."""
    rest = iter(people)
    part = list(islice(rest, AT_ONCE))
    yield part
    while part := list(islice(rest, AT_ONCE)):
        yield part


def _weeks(codes: Codes) -> Bits:
    length = -(-max(map(len, codes.weeks), default=0) // 8) * 8
    return np.frombuffer(b"".join(week.ljust(length, b"\0") for week in codes.weeks), dtype=np.uint64).reshape(
        len(codes.weeks), length // 8
    )


def _tongues(codes: Codes) -> Bits:
    bits = np.zeros((len(codes.tongues), -(-len(codes.languages) // 64)), dtype=np.uint64)
    for languages, tongue in codes.tongues.items():
        for language in languages:
            bits[tongue, language // 64] |= np.uint64(1 << language % 64)
    return bits


def _scan_order(side: Side, weeks: Bits) -> Integers:
    """Who can meet and talk to the same people stands together, so that a scan leaves out whole blocks."""
    quarters = np.unpackbits(weeks.view(np.uint8), axis=1, bitorder="little")
    of_day = np.arange(quarters.shape[1]) % 96
    centre = quarters @ of_day // np.maximum(1, quarters.sum(axis=1))
    return np.lexsort((side.tongue, side.hours, centre[side.hours]))


def _wishes(mentors: Side, mentees: Side, people: int) -> tuple[Pairs, Integers]:
    """Who is named by one side or both, and the preference part of the pair."""
    one, first = _ranked(mentors, mentees, people)
    other, second = _ranked(mentees, mentors, people)
    keys = np.concatenate((one[0] * len(mentees) + one[1], other[1] * len(mentees) + other[0]))
    pairs, places = np.unique(keys, return_inverse=True)
    total = np.bincount(places, np.concatenate((first, second)), minlength=len(pairs)).astype(np.int64)
    return _pairs(pairs, len(mentees)), total // 2


def _ranked(side: Side, others: Side, people: int) -> tuple[tuple[Integers, Integers], Integers]:
    """Who names whom, and how much: 1 for the most wanted, falling evenly to 1/n for the last of n."""
    lists = side.preferred
    owners, found = lists.owners(), _places(others, people)[lists.values]
    lengths = np.diff(lists.starts)[owners]
    rank = (lengths - (np.arange(len(owners)) - lists.starts[owners])) * FULL // np.maximum(lengths, 1)
    # np.unique tells of the first of equal ones: whom somebody names twice counts by the better rank
    _, first = np.unique(owners * people + lists.values, return_index=True)
    first = first[found[first] != NOBODY]
    return (owners[first], found[first]), rank[first]


def _apart(mentors: Side, mentees: Side, standing: Standing, people: Mapping[str, int]) -> Mapping[Rule, Pairs]:
    cooldown = standing.together if standing.cooldown_loosened else standing.together | standing.cooling
    return {
        Rule.REPORTING_LINE: _managed(mentors, mentees, len(people)),
        Rule.EXCLUDED: _named(mentors, mentees, standing.excluded, people),
        Rule.COOLDOWN: _named(mentors, mentees, cooldown, people),
    }


def _managed(mentors: Side, mentees: Side, people: int) -> Pairs:
    """Who is in the other's chain of managers, where the two have not the same direct one as well."""
    bosses = _places(mentees, people)[mentors.managers.values]
    one = mentors.managers.owners()[bosses != NOBODY] * len(mentees) + bosses[bosses != NOBODY]
    bosses = _places(mentors, people)[mentees.managers.values]
    other = bosses[bosses != NOBODY] * len(mentees) + mentees.managers.owners()[bosses != NOBODY]
    pairs = _pairs(np.unique(np.concatenate((one, other))), len(mentees))
    direct = mentors.manager[pairs.mentors]
    apart = (direct != mentees.manager[pairs.mentees]) | (direct == NOBODY)
    return Pairs(pairs.mentors[apart], pairs.mentees[apart])


def _named(mentors: Side, mentees: Side, twos: Iterable[Two], people: Mapping[str, int]) -> Pairs:
    """These pairs, whichever of the two is the mentor."""
    both = np.array(
        [[people[one] for one in two] for two in twos if len(two) == 2 and two <= people.keys()], dtype=np.int64
    ).reshape(-1, 2)
    mentor, mentee = _places(mentors, len(people)), _places(mentees, len(people))
    ones, others = (np.concatenate((both[:, turn], both[:, 1 - turn])) for turn in (0, 1))
    found = (mentor[ones] != NOBODY) & (mentee[others] != NOBODY)
    return _pairs(np.unique(mentor[ones[found]] * len(mentees) + mentee[others[found]]), len(mentees))


def _pairs(keys: Integers, mentees: int) -> Pairs:
    return Pairs(*np.divmod(keys, max(mentees, 1)))


def _places(side: Side, people: int) -> Integers:
    """Where each person stands on the side, or NOBODY."""
    places = np.full(people, NOBODY, dtype=np.int64)
    places[side.person] = np.arange(len(side))
    return places
