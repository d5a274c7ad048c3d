"""Everything that chance decides about people, in arrays; the first `mentees` people are the executives."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .company import (
    ENGLISH_TOO,
    FUNCTIONS,
    FURTHER_LANGUAGE,
    FURTHER_LANGUAGES,
    HUB_TOPICS,
    INDIVIDUAL_HOURS,
    MENTEE_GRADES,
    MENTOR_GRADES,
    OFFICES,
    TOPICS,
    UNITS,
    USUAL_HOURS,
)

Integers: TypeAlias = NDArray[np.int64]

LEVELS_OF_MANAGERS: Final = 5
NOBODY: Final = -1
_REPORTS: Final = 8  # people of one direct manager
_STARS: Final = np.array([0.1, 0.15, 0.25, 0.3, 0.2])


@dataclass(frozen=True, slots=True)
class Lists:
    """A list of numbers per person: `values[starts[i]:starts[i + 1]]`."""

    starts: Integers
    values: Integers


@dataclass(frozen=True, slots=True)
class Drawn:
    """One entry per person; pairs are rows of (mentor, mentee) by index."""

    mentees: int
    numbers: Integers
    """What the ids are made of: in another order than people."""
    grade: Integers
    unit: Integers
    function: Integers
    office: Integers
    english: NDArray[np.bool_]
    further_language: Integers
    hours: Integers
    """Place in the usual hours; beyond them what individual ones are made of."""
    managers: Integers
    """Nearest first, five columns; NOBODY ends a chain, below it are managers outside of the pool."""
    expertise: Lists
    goals: Lists
    """Places in the company's skills and goals."""
    preferred: Lists
    capacity: Integers
    """0 for the policy's."""
    agrees: NDArray[np.bool_]
    waited_seconds: Integers
    in_force: Integers
    former: Integers
    days_since_end: Integers
    excluded: Integers


def draw(people: int, mentees: int, seed: int, *, hub: bool, capacities: bool) -> Drawn:
    """Draw a pool; the same arguments give the same people."""
    chance = np.random.default_rng(seed)
    office = _weighted(chance, [office.share for office in OFFICES], people)
    managers = _managers(chance, people, mentees)
    former = _pairs_of_an_office(chance, office, mentees, people // 50)
    return Drawn(
        mentees=mentees,
        numbers=chance.permutation(people),
        grade=_grades(chance, people, mentees),
        unit=_units(chance, managers, mentees),
        function=_zipf(chance, FUNCTIONS, people),
        office=office,
        english=chance.random(people) < ENGLISH_TOO,
        further_language=_some(chance, FURTHER_LANGUAGE, chance.integers(len(FURTHER_LANGUAGES), size=people)),
        hours=_hours(chance, people),
        managers=managers,
        expertise=_topics(chance, people, mentees, executives=(3, 7), juniors=(3, 9), mirrored=True),
        goals=_hub(chance, people, mentees) if hub else _topics(chance, people, mentees, (3, 7), (2, 6)),
        preferred=_preferred(chance, office, mentees),
        capacity=chance.integers(1, 5, size=people) if capacities else np.zeros(people, dtype=np.int64),
        agrees=chance.random(people) > 0.01,
        waited_seconds=(np.minimum(chance.exponential(20, size=people), 180) * 86_400).astype(np.int64),
        in_force=_one_each(_pairs_of_an_office(chance, office, mentees, people // 200)),
        former=former,
        days_since_end=chance.integers(1, 730, size=len(former)),
        excluded=_pairs_of_an_office(chance, office, mentees, people // 100),
    )


def _weighted(chance: Generator, shares: Any, size: int) -> Integers:
    ends = np.cumsum(shares, dtype=np.float64)
    return np.searchsorted(ends / ends[-1], chance.random(size), side="right").astype(np.int64)


def _zipf(chance: Generator, kinds: int, size: int) -> Integers:
    return _weighted(chance, 1 / np.arange(1, kinds + 1), size)


def _some(chance: Generator, share: float, values: Integers) -> Integers:
    return np.where(chance.random(len(values)) < share, values, -1)


def _grades(chance: Generator, people: int, mentees: int) -> Integers:
    sides = ((MENTEE_GRADES, mentees), (MENTOR_GRADES, people - mentees))
    return np.concatenate(
        [np.array(list(grades))[_weighted(chance, list(grades.values()), count)] for grades, count in sides]
    )


def _hours(chance: Generator, people: int) -> Integers:
    days, starts, lengths = (chance.integers(low, high, size=people) for low, high in ((1, 32), (28, 64), (8, 32)))
    individual = len(USUAL_HOURS) + (days * 64 + starts) * 32 + lengths
    return np.where(
        chance.random(people) < INDIVIDUAL_HOURS, individual, chance.integers(len(USUAL_HOURS), size=people)
    )


def _managers(chance: Generator, people: int, mentees: int) -> Integers:
    """Executives form a tree; each team of juniors reports to one, most of them through a lead outside of the pool."""
    above = np.append((np.arange(mentees) - 1) // _REPORTS, NOBODY)
    above[0] = NOBODY
    teams = np.arange(people - mentees) // _REPORTS
    executive = chance.integers(mentees, size=people)[teams]
    led = (chance.random(people) < 0.9)[teams]
    first = np.concatenate([above[:mentees], np.where(led, NOBODY - 1 - teams, executive)])
    chain = [first, np.concatenate([above[first[:mentees]], np.where(led, executive, above[executive])])]
    while len(chain) < LEVELS_OF_MANAGERS:
        chain.append(above[chain[-1]])
    return np.stack(chain, axis=1)


def _units(chance: Generator, managers: Integers, mentees: int) -> Integers:
    """Most juniors are in the unit of the executive at the head of their team."""
    drawn = _zipf(chance, UNITS, len(managers))
    head = np.where(managers[mentees:, 0] < NOBODY, managers[mentees:, 1], managers[mentees:, 0])
    drawn[mentees:] = np.where(chance.random(len(head)) < 0.8, drawn[head], drawn[mentees:])
    return drawn


def _topics(
    chance: Generator,
    people: int,
    mentees: int,
    executives: tuple[int, int],
    juniors: tuple[int, int],
    mirrored: bool = False,
) -> Lists:
    """Distinct topics with stars, from as few to as many as the ranges of `Generator.integers` say.

    What executives want is what juniors know; `mirrored` turns the popularity around for what people know.
    """
    count = np.concatenate(
        [chance.integers(*executives, size=mentees), chance.integers(*juniors, size=people - mentees)]
    )
    popular = _zipf(chance, TOPICS, people * 8).reshape(people, 8)
    popular[np.arange(8) >= count[:, None]] = NOBODY
    turned = slice(0, mentees) if mirrored else slice(mentees, people)
    popular[turned] = np.where(popular[turned] >= 0, TOPICS - 1 - popular[turned], NOBODY)
    topics = _distinct(popular)
    return Lists(topics.starts, topics.values * 5 + _weighted(chance, _STARS, len(topics.values)))


def _hub(chance: Generator, people: int, mentees: int) -> Lists:
    juniors = _topics(chance, people - mentees, 0, (3, 7), (2, 6))
    starts = np.concatenate([np.arange(mentees) * HUB_TOPICS, mentees * HUB_TOPICS + juniors.starts])
    wanted = np.tile(np.arange(HUB_TOPICS), mentees) * 5
    return Lists(starts, np.concatenate([wanted + _weighted(chance, _STARS, len(wanted)), juniors.values]))


def _distinct(table: Integers) -> Lists:
    """The values of each row from 0 on, each once."""
    table = np.sort(table, axis=1)
    first = table >= 0
    first[:, 1:] &= table[:, 1:] != table[:, :-1]
    return Lists(np.concatenate([[0], np.cumsum(first.sum(axis=1))]), table[first])


def _partners(chance: Generator, office: Integers, mentees: int, people: Integers) -> Integers:
    """Somebody of the other side in the office of each of `people`; NOBODY where there is none."""
    order = np.lexsort((office, np.arange(len(office)) < mentees))
    other = np.stack([people < mentees, people >= mentees], axis=1) @ np.array([0, len(OFFICES)])
    sizes = np.bincount(office + len(OFFICES) * (np.arange(len(office)) < mentees), minlength=2 * len(OFFICES))
    cell = other + office[people]
    start = np.cumsum(sizes)[cell] - sizes[cell]
    chosen = start + (chance.random(len(people)) * sizes[cell]).astype(np.int64)
    return np.where(sizes[cell] > 0, order[np.minimum(chosen, len(order) - 1)], NOBODY)


def _pairs_of_an_office(chance: Generator, office: Integers, mentees: int, count: int) -> Integers:
    executives = chance.integers(mentees, size=count)
    pairs = np.stack([_partners(chance, office, mentees, executives), executives], axis=1)
    return np.unique(pairs[pairs[:, 0] >= 0], axis=0)


def _one_each(pairs: Integers) -> Integers:
    for side in (0, 1):
        pairs = pairs[np.unique(pairs[:, side], return_index=True)[1]]
    return pairs


def _preferred(chance: Generator, office: Integers, mentees: int) -> Lists:
    """One person in twelve names up to three whom they know."""
    people = np.arange(len(office))
    names = np.stack([_partners(chance, office, mentees, people) for _ in range(3)], axis=1)
    count = np.where(chance.random(len(people)) < 1 / 12, chance.integers(1, 4, size=len(people)), 0)
    names[np.arange(3) >= count[:, None]] = NOBODY
    return _distinct(names)
