"""The hard rules for all pairs at once, as matrices of mentors x mentees. `pairing.refusals` says what they mean."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Difference, Role
from services.matching.rules.pairing import Rule, Standing, Two, free_places, spoken, takes_part
from services.matching.rules.working_hours import overlaps, weekly_slots

Marks: TypeAlias = NDArray[np.bool_]
People: TypeAlias = Sequence[ParticipantEnrolled]


@dataclass(frozen=True, slots=True)
class Pool:
    """The people whom a round looks at; the place in these sequences is the index in every matrix."""

    program: ProgramPublished
    mentors: People
    mentees: People
    standing: Standing

    def side(self, role: Role) -> People:
        """The people of a role."""
        return self.mentors if role is Role.MENTOR else self.mentees

    def free(self, people: People) -> NDArray[np.int64]:
        """Free places per person."""
        return np.array([free_places(self.program, person, self.standing) for person in people], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Which pairs break no rule, and how many candidates each rule refuses for each person.

    A candidate who breaks several rules counts under each of them.
    """

    feasible: Marks
    refused_to_mentors: Mapping[Rule, NDArray[np.int64]]
    refused_to_mentees: Mapping[Rule, NDArray[np.int64]]


def feasibility_of(pool: Pool) -> Feasibility:
    """Work in memory of a few matrices, one rule after the other."""
    feasible = np.ones((len(pool.mentors), len(pool.mentees)), dtype=np.bool_)
    to_mentors, to_mentees = {}, {}
    for rule, refused_by in _REFUSED_BY.items():
        refused = np.broadcast_to(refused_by(pool), feasible.shape)
        to_mentors[rule], to_mentees[rule] = refused.sum(axis=1), refused.sum(axis=0)
        feasible &= ~refused
    return Feasibility(feasible, to_mentors, to_mentees)


def codes(one: Iterable[Hashable], other: Iterable[Hashable]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers for the values of both sides, the same number for the same value."""
    known: dict[Hashable, int] = {}
    first, second = ([known.setdefault(value, len(known)) for value in values] for values in (one, other))
    return np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)


def same(one: Iterable[Hashable], other: Iterable[Hashable]) -> Marks:
    """Where both sides have the same value."""
    first, second = codes(one, other)
    alike: Marks = first[:, None] == second[None, :]
    return alike


def places(people: People) -> dict[str, int]:
    """The index of each person by id."""
    return {person.participant_id: index for index, person in enumerate(people)}


def _role(pool: Pool) -> Marks:
    mentors = np.array([takes_part(pool.program, person, Role.MENTOR) for person in pool.mentors], dtype=np.bool_)
    mentees = np.array([takes_part(pool.program, person, Role.MENTEE) for person in pool.mentees], dtype=np.bool_)
    return ~(mentors[:, None] & mentees[None, :])


def _grade_gap(pool: Pool) -> Marks:
    lowest, highest = pool.program.policy.min_grade_gap, pool.program.policy.max_grade_gap
    mentors, mentees = (np.array([p.grade for p in side], dtype=np.int64) for side in (pool.mentors, pool.mentees))
    gap = mentees[None, :] - mentors[:, None]
    refused: Marks = gap < lowest
    return refused if highest is None else refused | (gap > highest)


def _reporting_line(pool: Pool) -> Marks:
    mentors, mentees = places(pool.mentors), places(pool.mentees)
    refused = _share_direct_manager(pool)
    for mentor, person in enumerate(pool.mentors):
        refused[mentor, [mentees[boss] for boss in person.manager_ids if boss in mentees]] = True
    for mentee, person in enumerate(pool.mentees):
        refused[[mentors[boss] for boss in person.manager_ids if boss in mentors], mentee] = True
    return refused


def _share_direct_manager(pool: Pool) -> Marks:
    # people without a manager share none, so each gets a value of its own
    direct = (
        [(side, index) if not person.manager_ids else person.manager_ids[0] for index, person in enumerate(people)]
        for side, people in enumerate((pool.mentors, pool.mentees))
    )
    return same(*direct)


def _different_unit(pool: Pool) -> Marks:
    if pool.program.policy.different_unit is not Difference.REQUIRED:
        return _none()
    return same((p.unit for p in pool.mentors), (p.unit for p in pool.mentees))


def _different_function(pool: Pool) -> Marks:
    if pool.program.policy.different_function is not Difference.REQUIRED:
        return _none()
    return same((p.function for p in pool.mentors), (p.function for p in pool.mentees))


def _language(pool: Pool) -> Marks:
    if not pool.program.policy.require_shared_language:
        return _none()
    names = sorted({name for side in (pool.mentors, pool.mentees) for person in side for name in spoken(person)})
    mentors, mentees = (_speaks(side, names) for side in (pool.mentors, pool.mentees))
    refused: Marks = mentors @ mentees.T == 0
    return refused


def _speaks(people: People, names: Sequence[str]) -> NDArray[np.float32]:
    column = {name: index for index, name in enumerate(names)}
    speaks = np.zeros((len(people), len(names)), dtype=np.float32)
    for row, person in enumerate(people):
        speaks[row, [column[name] for name in spoken(person)]] = 1
    return speaks


def _working_hours(pool: Pool) -> Marks:
    policy, week = pool.program.policy, pool.standing.week
    if policy.min_overlap_minutes_per_week == 0 or not pool.mentors or not pool.mentees:
        return _none()
    mentors, mentees = (
        [weekly_slots(person, week, policy.time_zone) for person in side] for side in (pool.mentors, pool.mentees)
    )
    refused: Marks = overlaps(mentors, mentees) < policy.min_overlap_minutes_per_week
    return refused


def _excluded(pool: Pool) -> Marks:
    return _pairs(pool, pool.standing.excluded)


def _cooldown(pool: Pool) -> Marks:
    standing = pool.standing
    return _pairs(pool, standing.together if standing.cooldown_loosened else standing.together | standing.cooling)


def _capacity(pool: Pool) -> Marks:
    full: Marks = (pool.free(pool.mentors) == 0)[:, None] | (pool.free(pool.mentees) == 0)[None, :]
    return full


def _pairs(pool: Pool, twos: Iterable[Two]) -> Marks:
    """Marks these pairs, whichever of the two is the mentor."""
    mentors, mentees = places(pool.mentors), places(pool.mentees)
    marks = np.zeros((len(mentors), len(mentees)), dtype=np.bool_)
    for two in twos:
        for mentor in two & mentors.keys():
            marks[mentors[mentor], [mentees[mentee] for mentee in two - {mentor} if mentee in mentees]] = True
    return marks


def _none() -> Marks:
    return np.zeros((1, 1), dtype=np.bool_)


_REFUSED_BY: Mapping[Rule, Callable[[Pool], Marks]] = {
    Rule.ROLE: _role,
    Rule.GRADE_GAP: _grade_gap,
    Rule.REPORTING_LINE: _reporting_line,
    Rule.DIFFERENT_UNIT: _different_unit,
    Rule.DIFFERENT_FUNCTION: _different_function,
    Rule.LANGUAGE: _language,
    Rule.WORKING_HOURS: _working_hours,
    Rule.EXCLUDED: _excluded,
    Rule.COOLDOWN: _cooldown,
    Rule.CAPACITY: _capacity,
}
