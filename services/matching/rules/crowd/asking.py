"""People as rows that ask an index over the other side."""

import numpy as np
from numpy.typing import NDArray

from libs.contracts.words import Difference, Role
from services.matching.rules.crowd.columns import Names, profiles_of, scale, shares_of, traits_of
from services.matching.rules.crowd.crowd import Crowd, opposite
from services.matching.rules.crowd.lists import Integers, Lists, Short, grouped
from services.matching.rules.crowd.scan import COARSE
from services.matching.rules.crowd.sets import Bits, common, packed, stacked
from services.matching.rules.crowd.sides import STARS, Side
from services.matching.rules.crowd.tables import Asking
from services.matching.rules.score import FULL
from services.matching.rules.working_hours import QUARTER


def asking_of(crowd: Crowd, role: Role, names: Names) -> Asking:
    """The people of the role. Takes a bitmap over the other side per distinct grade and working week."""
    rows, columns, weights = crowd.side(role), crowd.side(opposite(role)), shares_of(crowd, role)
    grades, row_grades = np.unique(rows.grade, return_inverse=True)
    weeks, row_weeks = np.unique(rows.hours, return_inverse=True)
    languages = _within(rows.languages, names.languages)
    apart, named, (wishes, wished) = _apart(crowd, rows, names), _named(crowd, role), _wishes(crowd, role)
    terms, factors = _terms(rows, traits_of(crowd, rows), names, weights)
    return Asking(
        open=rows.takes_part & (rows.places > 0),
        bitmaps=np.concatenate(
            (_grades_that_fit(crowd, role, columns, grades), _hours_that_fit(crowd, columns, weeks))
        ),
        grades=row_grades.astype(np.int32),
        hours=(row_weeks + len(grades)).astype(np.int32),
        needs_language=crowd.program.policy.require_shared_language,
        language_starts=languages.starts,
        languages=languages.values,
        apart_starts=apart.starts,
        apart=apart.values,
        named_starts=named.starts,
        named=named.values,
        term_starts=terms.starts,
        terms=terms.values,
        factors=factors,
        wish_starts=wishes.starts,
        wishes=wishes.values,
        wished=wished,
        shares=weights,
        profiles=profiles_of(crowd, rows),
    )


def _grades_that_fit(crowd: Crowd, role: Role, columns: Side, grades: Integers) -> Bits:
    policy, found = crowd.program.policy, []
    for grade in grades.tolist():
        gap = grade - columns.grade if role is Role.MENTEE else columns.grade - grade
        fits = gap >= policy.min_grade_gap
        found.append(packed(fits if policy.max_grade_gap is None else fits & (gap <= policy.max_grade_gap)))
    return stacked(found, len(columns))


def _hours_that_fit(crowd: Crowd, columns: Side, weeks: Short) -> Bits:
    """Weeks are compared once for each two distinct ones."""
    least = crowd.program.policy.min_overlap_minutes_per_week
    theirs, places = np.unique(columns.hours, return_inverse=True)
    others = crowd.weeks[theirs]
    found = [packed((QUARTER * common(crowd.weeks[week], others) >= least)[places]) for week in weeks.tolist()]
    return stacked(found, len(columns))


def _apart(crowd: Crowd, rows: Side, names: Names) -> Lists:
    """The sets that a row must not meet: its manager's reports, and its unit and function where the policy says so."""
    policy, kept = crowd.program.policy, [(rows.manager, names.managers)]
    if policy.different_unit is Difference.REQUIRED:
        kept.append((rows.unit, names.units))
    if policy.different_function is Difference.REQUIRED:
        kept.append((rows.function, names.functions))
    owners = [np.flatnonzero((values >= 0) & (values < len(sets))) for values, sets in kept]
    values = [values[owner] + sets.start for owner, (values, sets) in zip(owners, kept, strict=True)]
    return grouped(np.concatenate(owners), np.concatenate(values).astype(np.int32), len(rows))


def _within(lists: Lists, sets: range) -> Lists:
    """The sets of the listed numbers, but for those that nobody of the other side has."""
    known = lists.values < len(sets)
    return grouped(lists.owners()[known], (lists.values[known] + sets.start).astype(np.int32), len(lists.starts) - 1)


def _named(crowd: Crowd, role: Role) -> Lists:
    pairs = [pairs.seen_by(role) for pairs in crowd.apart.values()]
    one, other = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    return grouped(one, other.astype(np.int32), len(crowd.side(role)))


def _wishes(crowd: Crowd, role: Role) -> tuple[Lists, Integers]:
    one, other = crowd.wishes.seen_by(role)
    order = np.lexsort((other, one))
    return grouped(one[order], other[order].astype(np.int32), len(crowd.side(role))), crowd.wished[order]


def _terms(rows: Side, traits: Short, names: Names, weights: Integers) -> tuple[Lists, NDArray[np.uint16]]:
    """What a row wants to learn, what it knows, its traits; with what a column's worth is multiplied for a bound."""
    stars, learning, teaching = (1 << STARS) - 1, rows.goals.owners(), rows.skills.owners()
    learnt = _coarse((rows.goals.values & stars) * weights[0] * FULL, rows.wanted[learning])
    taught = (rows.skills.values & stars) * scale(int(weights[1]))[1]
    alike = int(weights[3]) * FULL // len(names.traits) >> COARSE
    everybody = np.arange(len(rows))
    kinds = [
        (learning, rows.goals.values >> STARS, names.taught, learnt),
        (teaching, rows.skills.values >> STARS, names.wanted, taught),
        # bounds begin with full diversity; 16 bits wrap around, so this takes it off again
        *(
            (everybody, trait, terms, everybody * 0 - alike)
            for trait, terms in zip(traits.T, names.traits, strict=True)
        ),
    ]
    found = [
        (owners, values + terms.start, factors, (values < len(terms)) & (factors != 0))
        for owners, values, terms, factors in kinds
    ]
    owners, terms, factors, kept = (np.concatenate(values) for values in zip(*found, strict=True))
    order = grouped(owners[kept], np.flatnonzero(kept).astype(np.int32), len(rows))
    return Lists(order.starts, terms[order.values].astype(np.int32)), factors[order.values].astype(np.uint16)


def _coarse(value: Integers, divisor: Integers) -> Integers:
    """The quotient in coarse units, rounded up."""
    return np.asarray(-(-value // (divisor << COARSE)))
