"""How many candidates each rule refuses to each person, counted by kinds of people and not by pairs."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from libs.contracts.words import Difference, Role
from services.matching.rules.crowd.crowd import Crowd, opposite
from services.matching.rules.crowd.lists import Integers, Short
from services.matching.rules.crowd.sets import common
from services.matching.rules.crowd.sides import NOBODY, Side
from services.matching.rules.pairing import Rule
from services.matching.rules.working_hours import QUARTER

Refused: TypeAlias = Mapping[Rule, Integers]


def refused_to(crowd: Crowd, role: Role) -> Refused:
    """Per person of the role, how many of the other side each rule refuses; who breaks several counts under each.

    O(kinds x kinds), where a kind is a distinct working week or set of languages, and O(people + named pairs).
    """
    rows, columns = crowd.side(role), crowd.side(opposite(role))
    return {rule: count(crowd, role, rows, columns) for rule, count in _REFUSED_BY.items()}


def _role(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    return np.where(rows.takes_part, np.count_nonzero(~columns.takes_part), len(columns))


def _capacity(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    return np.where(rows.places > 0, np.count_nonzero(columns.places == 0), len(columns))


def _grade_gap(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    policy, grades = crowd.program.policy, np.sort(columns.grade)
    gaps = (policy.min_grade_gap, policy.max_grade_gap)
    if role is Role.MENTEE:
        low, high = (None if gap is None else rows.grade - gap for gap in reversed(gaps))
    else:
        low, high = (None if gap is None else rows.grade + gap for gap in gaps)
    below = 0 if low is None else np.searchsorted(grades, low, side="left")
    above = 0 if high is None else len(grades) - np.searchsorted(grades, high, side="right")
    return np.asarray(below + above, dtype=np.int64)


def _reporting_line(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    return _alike(rows.manager, columns.manager) + _named(crowd, role, rows, Rule.REPORTING_LINE)


def _different_unit(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    if crowd.program.policy.different_unit is not Difference.REQUIRED:
        return _none(rows)
    return _alike(rows.unit, columns.unit)


def _different_function(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    if crowd.program.policy.different_function is not Difference.REQUIRED:
        return _none(rows)
    return _alike(rows.function, columns.function)


def _language(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    if not crowd.program.policy.require_shared_language:
        return _none(rows)
    sets = crowd.tongues
    return _by_kinds(rows.tongue, columns.tongue, lambda mine, theirs: common(sets[mine], sets[theirs]) == 0)


def _working_hours(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    least, weeks = crowd.program.policy.min_overlap_minutes_per_week, crowd.weeks
    return _by_kinds(
        rows.hours, columns.hours, lambda mine, theirs: QUARTER * common(weeks[mine], weeks[theirs]) < least
    )


def _excluded(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    return _named(crowd, role, rows, Rule.EXCLUDED)


def _cooldown(crowd: Crowd, role: Role, rows: Side, columns: Side) -> Integers:
    return _named(crowd, role, rows, Rule.COOLDOWN)


def _alike(mine: Short, theirs: Short) -> Integers:
    """How many of the others have the same; nobody's are not alike."""
    sizes = np.bincount(theirs[theirs != NOBODY], minlength=int(mine.max(initial=0)) + 1)
    return np.where(mine != NOBODY, sizes[mine], 0)


def _named(crowd: Crowd, role: Role, rows: Side, rule: Rule) -> Integers:
    pairs = crowd.apart[rule]
    return np.bincount(pairs.mentors if role is Role.MENTOR else pairs.mentees, minlength=len(rows))


def _by_kinds(mine: Short, theirs: Short, refuses: Callable[[int, Short], NDArray[np.bool_]]) -> Integers:
    """Judge each kind of row against all kinds of columns, and count the columns of the refused kinds."""
    kinds, place = np.unique(mine, return_inverse=True)
    others, sizes = np.unique(theirs, return_counts=True)
    counts = np.array([sizes[refuses(kind, others)].sum() for kind in kinds.tolist()], dtype=np.int64)
    return counts[place] if len(kinds) else np.zeros(0, dtype=np.int64)


def _none(rows: Side) -> Integers:
    return np.zeros(len(rows), dtype=np.int64)


_REFUSED_BY: Mapping[Rule, Callable[[Crowd, Role, Side, Side], Integers]] = {
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
