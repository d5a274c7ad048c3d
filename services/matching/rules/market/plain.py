"""Rows over a matrix of scores, for those who have one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled
from services.matching.rules.market.rows import Integers, Shortlist

# Neighbouring rows start this far apart when they look for the best of equal columns
_STRIDE = 7_919


@dataclass(frozen=True, slots=True)
class PlainRows:
    """`Rows` over parallel arrays: the feasible columns of the n-th row stand at starts[n] to starts[n + 1].

    `best` reads every stored pair of the rows that it is asked about.
    """

    row_places: Integers
    column_places: Integers
    starts: Integers
    columns: Integers
    scores: Integers

    @property
    def highest(self) -> int:
        return int(self.scores.max(initial=0))

    def best(self, rows: Integers, prices: Integers, floors: Integers, count: int) -> Shortlist:
        return Shortlist(*_best(self.starts, self.columns, self.scores, rows, prices, floors, count))


@compiled
def _best(
    starts: Integers,
    columns: Integers,
    scores: Integers,
    rows: Integers,
    prices: Integers,
    floors: Integers,
    count: int,
) -> tuple[Integers, NDArray[np.int32], Integers, Integers]:
    ends = np.zeros(len(rows) + 1, dtype=np.int64)
    rest = floors.copy()
    found = np.empty(int((np.minimum(starts[rows + 1] - starts[rows], count)).sum()), dtype=np.int64)
    worth = np.empty(count, dtype=np.int64)
    for n in range(len(rows)):
        begin, size = starts[rows[n]], starts[rows[n] + 1] - starts[rows[n]]
        top, kept = found[ends[n] :], 0
        for step in range(size):
            cell = begin + (rows[n] * _STRIDE + step) % size
            utility = scores[cell] - prices[columns[cell]]
            if utility <= rest[n]:
                continue
            if kept == count:
                rest[n] = min(utility, worth[count - 1])
                if utility <= worth[count - 1]:
                    continue
                kept -= 1
            at = kept
            while at > 0 and worth[at - 1] < utility:
                worth[at], top[at] = worth[at - 1], top[at - 1]
                at -= 1
            worth[at], top[at] = utility, cell
            kept += 1
        ends[n + 1] = ends[n] + kept
    found = found[: ends[-1]]
    return ends, columns[found].astype(np.int32), scores[found], rest


def of_matrix(scores: Any, row_places: Any, column_places: Any) -> PlainRows:
    """Rows of a dense matrix of whole numbers, in which a negative one forbids the pair."""
    row, column = np.nonzero(np.asarray(scores) >= 0)
    shape = np.shape(scores)
    return PlainRows(
        np.broadcast_to(row_places, shape[0]).astype(np.int64),
        np.broadcast_to(column_places, shape[1]).astype(np.int64),
        np.searchsorted(row, np.arange(shape[0] + 1)),
        column.astype(np.int64),
        np.asarray(scores)[row, column].astype(np.int64),
    )
