"""A pool's people as arrays for numpy and scipy.sparse: what the rivals and the verifier calculate with."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.words import Role
from services.matching.rules.feasibility import People, Pool
from services.matching.rules.pairing import free_places, spoken, takes_part
from services.matching.rules.score import FULL, HALF_OF_WAITING, HIGHEST_LEVEL, expertise_of, goals_of
from services.matching.rules.working_hours import weekly_slots

from .draw import Integers

Marks: TypeAlias = NDArray[np.bool_]
Ratings: TypeAlias = list[dict[str, int]]


class Codes(dict[Hashable, int]):
    """A number for each value, in the order in which they were first seen."""

    def __missing__(self, value: Hashable) -> int:
        self[value] = number = len(self)
        return number

    def of(self, values: Iterable[Hashable]) -> Integers:
        return np.array([self[value] for value in values], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Side:
    """One entry per person; equal numbers mean equal values on both sides."""

    people: People
    places: Integers
    """Free ones; 0 for who takes no part."""
    grade: Integers
    unit: Integers
    function: Integers
    location: Integers
    manager: Integers
    languages: Integers
    """A bit per language."""
    hours: Integers
    """A row of `masks`."""
    masks: NDArray[np.float32]
    """Distinct weeks x quarters of an hour."""
    waiting: Integers
    teaches: csr_array
    """People x topics: levels."""
    wants: csr_array
    """People x topics: priorities."""
    most: Integers
    """What all that a person wants could give; at least 1."""

    def __len__(self) -> int:
        return len(self.places)


class Encoder:
    """Reads the people of both sides into the same numbers."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._topics = {
            topic: number
            for number, topic in enumerate(
                sorted(
                    {topic for side in (pool.mentors, pool.mentees) for person in side for topic in goals_of(person)}
                )
            )
        }
        self._units, self._functions, self._locations, self._managers = Codes(), Codes(), Codes(), Codes()
        self._languages = Codes()

    def side(self, people: People, role: Role) -> Side:
        wanted = [goals_of(person) for person in people]
        hours, masks = self._hours(people)
        return Side(
            people=people,
            places=np.array([self._places(person, role) for person in people], dtype=np.int64),
            grade=np.array([person.grade for person in people], dtype=np.int64),
            unit=self._units.of(person.unit for person in people),
            function=self._functions.of(person.function for person in people),
            location=self._locations.of(person.location for person in people),
            manager=self._managers.of(
                person.manager_ids[0] if person.manager_ids else (role, index) for index, person in enumerate(people)
            ),
            languages=np.array([self._speaks(person) for person in people], dtype=np.int64),
            hours=hours,
            masks=masks,
            waiting=self._waiting(people),
            teaches=self._table([expertise_of(person) for person in people]),
            wants=self._table(wanted),
            most=np.array([max(1, HIGHEST_LEVEL * sum(goals.values())) for goals in wanted], dtype=np.int64),
        )

    def _places(self, person: ParticipantEnrolled, role: Role) -> int:
        program = self._pool.program
        return free_places(program, person, self._pool.standing) if takes_part(program, person, role) else 0

    def _speaks(self, person: ParticipantEnrolled) -> int:
        return sum(1 << self._languages[language] for language in spoken(person))

    def _hours(self, people: People) -> tuple[Integers, NDArray[np.float32]]:
        known = Codes()
        hours = known.of(
            (person.time_zone, tuple((window.day, window.start, window.end) for window in person.availability))
            for person in people
        )
        _, first = np.unique(hours, return_index=True)
        week, zone = self._pool.standing.week, self._pool.program.policy.time_zone
        masks = [weekly_slots(people[index], week, zone) for index in first.tolist()]
        return hours, np.array(masks, dtype=np.float32)

    def _waiting(self, people: People) -> Integers:
        now, second = self._pool.standing.now, timedelta(seconds=1)
        waited = np.array([max(0, (now - person.enrolled_at) // second) for person in people], dtype=np.int64)
        return waited * FULL // (waited + HALF_OF_WAITING // second)

    def _table(self, ratings: Ratings) -> Any:
        known = [
            [(self._topics[topic], stars) for topic, stars in rated.items() if topic in self._topics]
            for rated in ratings
        ]
        cells = np.array([cell for rated in known for cell in rated], dtype=np.int32).reshape(-1, 2)
        starts = np.concatenate([[0], np.cumsum([len(rated) for rated in known])])
        return csr_array((cells[:, 1].astype(np.float32), cells[:, 0], starts), shape=(len(ratings), len(self._topics)))
