"""The people of one side as arrays: read in one pass, after which no event is needed any more."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Role
from services.matching.rules.crowd.lists import Integers, Lists, Short, joined, lists_of
from services.matching.rules.pairing import Standing, free_places, spoken, takes_part
from services.matching.rules.score import FULL, HALF_OF_WAITING, HIGHEST_LEVEL, topic_key
from services.matching.rules.working_hours import weekly_slots

NOBODY = -1
STARS = 3
"""Bits in which the stars of a topic, 1 to 5, stand under its number."""


@dataclass(frozen=True, slots=True)
class Side:
    """One entry per person; the same number means the same unit, topic and so on for both sides."""

    person: Short
    takes_part: NDArray[np.bool_]
    places: Integers
    """Free ones."""
    grade: Integers
    unit: Short
    function: Short
    location: Short
    hours: Short
    """Which of the distinct working weeks."""
    tongue: Short
    """Which of the distinct sets of languages."""
    languages: Lists
    managers: Lists
    """Nearest first."""
    preferred: Lists
    """Most wanted first, as they were given."""
    skills: Lists
    """Topic and stars in one number; no topic stands twice in a list."""
    goals: Lists
    waiting: Integers
    """In millionths, saturating."""

    @property
    def manager(self) -> Short:
        """The direct manager, or NOBODY."""
        return self.managers.firsts(NOBODY)

    @property
    def wanted(self) -> Integers:
        """The highest sum of level times priority that a teacher can reach; 0 without goals."""
        return HIGHEST_LEVEL * self.goals.sums(self.goals.values & (2**STARS - 1))

    def __len__(self) -> int:
        return len(self.person)

    def taken(self, order: Integers) -> "Side":
        """These people, in this order."""
        columns: dict[str, Any] = {}
        for name, it in ((column.name, getattr(self, column.name)) for column in fields(self)):
            columns[name] = it.taken(order) if isinstance(it, Lists) else it[order]
        return Side(**columns)


@dataclass(slots=True)
class Codes:
    """Numbers for what people of both sides name; they stay the same when more people come."""

    people: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    locations: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    tongues: dict[tuple[int, ...], int] = field(default_factory=dict)
    """The distinct sets of languages."""
    tags: dict[tuple[str, ...], int] = field(default_factory=dict)
    """The set of each way in which somebody listed languages."""
    topics: dict[str, int] = field(default_factory=dict)
    spellings: dict[str, int] = field(default_factory=dict)
    """The topic of each way in which somebody wrote one."""
    weeks: dict[bytes, int] = field(default_factory=dict)
    """The distinct working weeks, a bit per quarter of an hour."""
    windows: dict[Hashable, int] = field(default_factory=dict)
    """The working week of each zone with windows."""


def side_of(
    program: ProgramPublished,
    standing: Standing,
    role: Role,
    people: Sequence[ParticipantEnrolled],
    codes: Codes,
) -> Side:
    """The arrays of the people, in their order."""
    tongues = [_tongue(codes, person) for person in people]
    sets = list(codes.tongues)
    return Side(
        person=_numbers(codes.people, [person.participant_id for person in people]),
        takes_part=np.array([takes_part(program, person, role) for person in people], dtype=np.bool_),
        places=np.array([free_places(program, person, standing) for person in people], dtype=np.int64),
        grade=np.array([person.grade for person in people], dtype=np.int64),
        unit=_numbers(codes.units, [person.unit for person in people]),
        function=_numbers(codes.functions, [person.function for person in people]),
        location=_numbers(codes.locations, [person.location for person in people]),
        hours=_hours(program, standing, people, codes),
        tongue=np.array(tongues, dtype=np.int32),
        languages=lists_of(sets[tongue] for tongue in tongues),
        managers=lists_of(_known(codes.people, person.manager_ids) for person in people),
        preferred=lists_of(_known(codes.people, person.preferred_ids) for person in people),
        skills=lists_of(_rated(codes, [(skill.topic, skill.level) for skill in p.expertise]) for p in people),
        goals=lists_of(_rated(codes, [(goal.topic, goal.priority) for goal in p.goals]) for p in people),
        waiting=_waiting(standing, people),
    )


def joined_sides(parts: Sequence[Side]) -> Side:
    """The people of all parts, one after the other."""
    columns: dict[str, Any] = {}
    for name in (column.name for column in fields(Side)):
        of = [getattr(part, name) for part in parts]
        columns[name] = joined(of) if isinstance(of[0], Lists) else np.concatenate(of)
    return Side(**columns)


def _numbers(known: dict[str, int], values: Sequence[str]) -> Short:
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int32)


def _known(known: dict[str, int], values: Sequence[str]) -> list[int]:
    return [known.setdefault(value, len(known)) for value in values]


def _tongue(codes: Codes, person: ParticipantEnrolled) -> int:
    """Which of the distinct sets of languages."""
    found = codes.tags.get(person.languages)
    if found is None:
        languages = tuple(sorted(_known(codes.languages, spoken(person))))
        found = codes.tags[person.languages] = codes.tongues.setdefault(languages, len(codes.tongues))
    return found


def _rated(codes: Codes, rated: Sequence[tuple[str, int]]) -> Sequence[int]:
    """Topics with the most stars that each is given."""
    most: dict[int, int] = {}
    for spelling, stars in rated:
        topic = codes.spellings.get(spelling)
        if topic is None:
            topic = codes.topics.setdefault(topic_key(spelling), len(codes.topics))
            codes.spellings[spelling] = topic
        if stars > most.get(topic, 0):
            most[topic] = stars
    return [topic << STARS | stars for topic, stars in most.items()]


def _hours(program: ProgramPublished, standing: Standing, people: Sequence[ParticipantEnrolled], codes: Codes) -> Short:
    zone, found = program.policy.time_zone, []
    for person in people:
        windows = (person.time_zone, *[(window.day, window.start, window.end) for window in person.availability])
        week = codes.windows.get(windows)
        if week is None:
            bits = np.packbits(weekly_slots(person, standing.week, zone), bitorder="little").tobytes()
            week = codes.windows[windows] = codes.weeks.setdefault(bits, len(codes.weeks))
        found.append(week)
    return np.array(found, dtype=np.int32)


def _waiting(standing: Standing, people: Sequence[ParticipantEnrolled]) -> Integers:
    second, half = timedelta(seconds=1), HALF_OF_WAITING // timedelta(seconds=1)
    waited = [max(0, (standing.now - person.enrolled_at) // second) for person in people]
    seconds = np.array(waited, dtype=np.int64)
    return seconds * FULL // (seconds + half)
