"""Rows over pairs and scores that are known beforehand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled
from services.matching.rules.edges import Edges
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
        turn = rows[n] * _STRIDE % max(size, 1)
        for step in range(turn, turn + size):
            cell = begin + (step if step < size else step - size)
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


def rows_of(edges: Edges, mentees_are_rows: bool = False) -> PlainRows:
    """Mentors as rows and mentees as columns, or the other way round."""
    row, column, score = edges.mentor, edges.mentee, edges.score
    places = edges.mentor_capacity, edges.mentee_capacity
    if mentees_are_rows:
        order = np.argsort(edges.mentee, kind="stable")
        row, column, score, places = edges.mentee[order], edges.mentor[order], score[order], places[::-1]
    starts = np.searchsorted(row, np.arange(len(places[0]) + 1))
    return PlainRows(*places, starts, column, score)
