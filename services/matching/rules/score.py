"""How well two people fit: parts in millionths, computed for all pairs at once, and their weighted mean.

Whole numbers keep the parts and the mean exact, so neither the order of people nor the machine changes a plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from fractions import Fraction
from math import floor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.policy import Weights
from libs.contracts.words import Difference
from services.matching.rules.feasibility import People, Pool, places, same

Micros: TypeAlias = NDArray[np.int64]

FULL = 1_000_000
WHOLE = 2**20
HIGHEST_LEVEL = 5
# Who has waited this long has half of what waiting can give
HALF_OF_WAITING = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Parts:
    """Matrices of mentors x mentees, from 0 to 1,000,000."""

    learning: Micros
    """How well the mentor's expertise meets the mentee's goals: level against priority."""
    reciprocal: Micros
    """How well the mentee's expertise meets the mentor's goals."""
    preference: Micros
    """How high the two rank each other, the mean of both sides; who does not name the other counts as 0."""
    diversity: Micros
    """Share of location, and unit and function where the policy prefers different ones, that differ."""
    waiting: Micros
    """The mean of both sides' time since enrolment, saturating."""

    def of(self, mentors: Micros, mentees: Micros) -> Micros:
        """The parts of some pairs by index: pairs x parts, in the order above."""
        return np.stack([getattr(self, part.name)[mentors, mentees] for part in fields(self)], axis=1)


def named(parts: Micros) -> dict[str, float]:
    """The parts of one pair, from 0 to 1, by name."""
    return {part.name: value / FULL for part, value in zip(fields(Parts), parts.tolist(), strict=True)}


def parts_of(pool: Pool) -> Parts:
    """All parts of the score for every mentor and mentee."""
    mentors, mentees = pool.mentors, pool.mentees
    waiting_mentors, waiting_mentees = _waiting(pool, mentors), _waiting(pool, mentees)
    return Parts(
        learning=_taught(mentors, mentees),
        reciprocal=_taught(mentees, mentors).T,
        preference=(_rank(mentors, mentees) + _rank(mentees, mentors).T) // 2,
        diversity=_diversity(pool),
        waiting=(waiting_mentors[:, None] + waiting_mentees[None, :]) // 2,
    )


def weighed(parts: Parts, weights: Weights) -> Micros:
    """The weighted mean of the parts, rounded half up."""
    total = np.zeros(parts.learning.shape, dtype=np.int64)
    for name, share in shares(weights).items():
        total += share * getattr(parts, name)
    return np.asarray((total + WHOLE // 2) // WHOLE)


def shares(weights: Weights) -> dict[str, int]:
    """What each part counts, as whole numbers that sum to 2**20; where all weights are 0 each part counts alike.

    The largest remainders are rounded up (the method of Hamilton); of equal ones those of the parts named first.
    """
    given = {part.name: Fraction(getattr(weights, part.name)) for part in fields(Parts)}
    whole = sum(given.values())
    exact = {name: weight * WHOLE / whole if whole else Fraction(WHOLE, len(given)) for name, weight in given.items()}
    shared = {name: floor(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: shared[name] - exact[name])
    for name in by_remainder[: WHOLE - sum(shared.values())]:
        shared[name] += 1
    return shared


def topic_key(topic: str) -> str:
    """Topics are the same whatever their case and spacing."""
    return " ".join(topic.casefold().split())


def expertise_of(person: ParticipantEnrolled) -> dict[str, int]:
    """The highest level by topic."""
    return _highest((skill.topic, skill.level) for skill in person.expertise)


def goals_of(person: ParticipantEnrolled) -> dict[str, int]:
    """The highest priority by topic."""
    return _highest((goal.topic, goal.priority) for goal in person.goals)


def _highest(rated: Iterable[tuple[str, int]]) -> dict[str, int]:
    highest: dict[str, int] = {}
    for topic, rating in rated:
        key = topic_key(topic)
        highest[key] = max(rating, highest.get(key, 0))
    return highest


def _taught(teachers: People, learners: People) -> Micros:
    """What the teachers' levels give of all that the learners want; nothing for a learner without goals."""
    skills, goals = [expertise_of(person) for person in teachers], [goals_of(person) for person in learners]
    column = {topic: index for index, topic in enumerate(sorted({topic for wanted in goals for topic in wanted}))}
    if not column or not skills:
        return np.zeros((len(skills), len(goals)), dtype=np.int64)
    gained = (_table(skills, column) @ _table(goals, column).T).toarray()
    wanted = np.array([HIGHEST_LEVEL * sum(goal.values()) for goal in goals], dtype=np.int64)
    return np.asarray(gained * FULL // np.maximum(wanted, 1)[None, :], dtype=np.int64)


def _table(ratings: list[dict[str, int]], column: Mapping[str, int]) -> csr_array:
    cells = [
        (row, column[topic], rating)
        for row, rated in enumerate(ratings)
        for topic, rating in rated.items()
        if topic in column
    ]
    rows, columns, values = np.array(cells, dtype=np.int64).reshape(-1, 3).T
    return csr_array((values, (rows, columns)), shape=(len(ratings), len(column)))


def _rank(people: People, others: People) -> Micros:
    """1 for the most wanted, falling evenly to 1/n for the last of n."""
    index = places(others)
    rank = np.zeros((len(people), len(others)), dtype=np.int64)
    for row, person in enumerate(people):
        count = len(person.preferred_ids)
        for place, other in reversed(list(enumerate(person.preferred_ids))):
            if other in index:
                rank[row, index[other]] = (count - place) * FULL // count
    return rank


def _diversity(pool: Pool) -> Micros:
    policy, mentors, mentees = pool.program.policy, pool.mentors, pool.mentees
    alike = [same((p.location for p in mentors), (p.location for p in mentees))]
    if policy.different_unit is Difference.PREFERRED:
        alike.append(same((p.unit for p in mentors), (p.unit for p in mentees)))
    if policy.different_function is Difference.PREFERRED:
        alike.append(same((p.function for p in mentors), (p.function for p in mentees)))
    differing = len(alike) - np.sum(alike, axis=0, dtype=np.int64)
    return np.asarray(differing * FULL // len(alike), dtype=np.int64)


def _waiting(pool: Pool, people: People) -> Micros:
    seconds = np.array(
        [max(0, (pool.standing.now - person.enrolled_at) // timedelta(seconds=1)) for person in people],
        dtype=np.int64,
    )
    return seconds * FULL // (seconds + HALF_OF_WAITING // timedelta(seconds=1))
