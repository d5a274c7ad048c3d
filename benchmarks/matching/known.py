"""Pairs of people who know of each other, as sparse matrices of rows x columns."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from services.matching.rules.feasibility import Pool
from services.matching.rules.score import FULL

from .encoded import Side


def refused(pool: Pool, rows: Side, columns: Side) -> Any:
    """Reporting lines, exclusions, pairs in force and those that cool down: stored where a pair is refused."""
    standing = pool.standing
    apart = standing.excluded | standing.together
    if not standing.cooldown_loosened:
        apart |= standing.cooling
    bosses = [
        (person.participant_id, boss)
        for side in (rows, columns)
        for person in side.people
        for boss in person.manager_ids
    ]
    twos = [tuple(two) for two in apart if len(two) == 2] + bosses
    cells = [(one, other, 1) for two in twos for one, other in (two, two[::-1])]
    managers = 1 + int(max(rows.manager.max(initial=0), columns.manager.max(initial=0)))
    return _table(cells, rows, columns) + _reports(rows, managers) @ _reports(columns, managers).T


def preferred(rows: Side, columns: Side) -> Any:
    """The mean rank that two people give each other, in millionths."""
    total = _table(_ranks(rows), rows, columns) + _table(_ranks(columns), columns, rows).T
    total.data //= 2
    return total.tocsr()


def _ranks(side: Side) -> list[tuple[str, str, int]]:
    """Who prefers whom: from 1,000,000 for the most wanted evenly down."""
    return [
        (person.participant_id, other, (len(person.preferred_ids) - place) * FULL // len(person.preferred_ids))
        for person in side.people
        for place, other in enumerate(person.preferred_ids)
        if other not in person.preferred_ids[:place]
    ]


def _table(cells: Iterable[tuple[str, str, int]], one: Side, other: Side) -> Any:
    """Values at (id of one side, id of the other); ids that are on other sides are left out."""
    ones, others = (
        {str(person.participant_id): index for index, person in enumerate(side.people)} for side in (one, other)
    )
    known = [(ones[left], others[right], value) for left, right, value in cells if left in ones and right in others]
    row, column, value = np.array(known, dtype=np.int64).reshape(-1, 3).T
    return csr_array((value, (row, column)), shape=(len(one), len(other)))


def _reports(side: Side, managers: int) -> Any:
    """People x direct managers."""
    return csr_array(
        (np.ones(len(side), dtype=np.int64), (np.arange(len(side)), side.manager)), shape=(len(side), managers)
    )
