"""What the market asks of whoever knows the people: for some rows, the columns that are worth most at given prices.

Rows are the people of one side (the smaller one, where speed matters), columns those of the other. Nobody ever holds
the matrix of their scores.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The best columns of each row that was asked about: those of the n-th stand at starts[n] to starts[n + 1]."""

    starts: Integers
    """One more than rows were asked about."""
    columns: NDArray[np.int32]
    scores: Integers
    """As many as `columns`; a pair's score, from which no price is taken off."""
    rest: Integers
    """Per row: no feasible column that was left out has a utility above this (its floor, if all above are given)."""


class Rows(Protocol):
    """People of both sides and the scores of their feasible pairs, in whole numbers."""

    @property
    def row_places(self) -> Integers:
        """How many pairs each row can take; 0 or more."""

    @property
    def column_places(self) -> Integers:
        """How many pairs each column can take; 0 or more."""

    @property
    def highest(self) -> int:
        """No score is above this, and none below 0."""

    def best(self, rows: Integers, prices: Integers, floors: Integers, count: int) -> Shortlist:
        """Up to `count` feasible columns per row with the highest utility (score - price) above the row's floor.

        rows: which rows, in any order. prices: one per column, 0 or more. floors: one per asked row; may be negative.
        Best first. Of equal columns each row prefers others than its neighbours do, or all rows would be told of the
        same few; the same question always gets the same answer. A column without places may be left out.
        """
