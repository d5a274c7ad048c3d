"""The pipeline that a careful engineer would build of numpy and scipy: the likely best columns of each row.

One sparse x dense product in float32 gives, row by row, all of the score that differs between columns, and a
partition finds the best of those that break no rule. Only those are scored exactly.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from services.matching.rules.score import FULL, WHOLE

from .blocks import Blocks
from .draw import Integers
from .encoded import Marks

THREADS: Final = 2
LENGTH: Final = 50


class Shortlist:
    """The likely best columns per row; rows of the tables are topics, then what people may differ in."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        rows, columns, share = blocks.rows, blocks.columns, blocks.shares
        to_rows, to_columns = blocks.directions()
        learned = rows.wants.multiply((to_rows * FULL / WHOLE / rows.most)[:, None])
        alike = share["diversity"] * FULL / WHOLE / len(blocks.diverse())
        own, theirs = zip(
            *(_one_hot(getattr(rows, name), getattr(columns, name)) for name in blocks.diverse()), strict=True
        )
        self._rows = hstack([learned, rows.teaches, *own]).tocsr().astype(np.float32)
        returned = columns.wants.multiply((to_columns * FULL / WHOLE / columns.most)[:, None])
        tables = [columns.teaches, returned, *(one * -alike for one in theirs)]
        # in the order of rows, or each product would first copy all of it
        self._columns = np.ascontiguousarray(hstack(tables).T.toarray(), dtype=np.float32)
        self._waiting = (columns.waiting * (share["waiting"] / WHOLE / 2)).astype(np.float32)

    def edges(self) -> tuple[Integers, Integers]:
        """Rows and columns of the choice, without those that break a rule."""
        with ThreadPoolExecutor(THREADS) as threads:
            found = list(threads.map(self._best, self._blocks.slices()))
        rows, columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return rows, columns

    def _best(self, block: slice) -> tuple[Integers, Integers]:
        likely: NDArray[np.float32] = self._rows[block] @ self._columns
        likely += self._waiting
        wished = self._blocks.preferred[block].tocoo()
        likely[wished.row, wished.col] += wished.data * np.float32(self._blocks.shares["preference"] / WHOLE)
        best = [_best_of(own, marks) for own, marks in zip(likely, self._blocks.feasible(block), strict=True)]
        return np.repeat(np.arange(block.start, block.stop), [len(found) for found in best]), np.concatenate(best)


def _best_of(likely: NDArray[np.float32], feasible: Marks) -> Integers:
    # ten times as fast as a partition of all columns in which the refused ones are struck out
    columns = np.flatnonzero(feasible)
    return columns[np.argpartition(-likely[columns], LENGTH)[:LENGTH]] if len(columns) > LENGTH else columns


def _one_hot(own: Integers, theirs: Integers) -> tuple[Any, Any]:
    """People x values, on both sides."""
    width = 1 + int(max(own.max(), theirs.max()))
    return tuple(
        csr_array((np.ones(len(side)), (np.arange(len(side)), side)), shape=(len(side), width))
        for side in (own, theirs)
    )
