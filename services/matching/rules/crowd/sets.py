"""Sets of columns: a bit per column for those that are large, a list for the others."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled
from services.matching.rules.crowd.judge import ones
from services.matching.rules.crowd.lists import Integers, Short

Bits: TypeAlias = NDArray[np.uint64]


class Sets:
    """Grows while an index is built. A set with more members than a bitmap has words is a bitmap."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._bitmaps: list[Bits] = []
        self._dense: list[Short] = []
        self._sizes: list[Integers] = []
        self._members: list[Short] = []
        self._count = 0

    def add(self, names: NDArray[Any], columns: NDArray[Any], count: int) -> range:
        """Add `count` sets from pairs of a set, counted from 0, and its member; their numbers."""
        order, words = np.argsort(names, kind="stable"), -(-self.columns // 64)
        sizes, members = np.bincount(names, minlength=count), columns[order].astype(np.int32)
        starts, dense = np.concatenate(([0], np.cumsum(sizes))), np.full(count, -1, dtype=np.int32)
        listed = np.ones(len(members), dtype=np.bool_)
        for large in np.flatnonzero(sizes > words).tolist():
            place, marks = slice(starts[large], starts[large + 1]), np.zeros(self.columns, dtype=np.bool_)
            marks[members[place]], listed[place] = True, False
            dense[large] = len(self._bitmaps)
            self._bitmaps.append(packed(marks))
        self._dense.append(dense)
        self._sizes.append(np.where(dense < 0, sizes, 0))
        self._members.append(members[listed])
        self._count += count
        return range(self._count - count, self._count)

    def bitmaps(self) -> Bits:
        """All bitmaps x words."""
        return stacked(self._bitmaps, self.columns)

    def dense(self) -> Short:
        """Per set its bitmap, or -1."""
        return np.concatenate(self._dense)

    def starts(self) -> Integers:
        """Where the members of each set that is no bitmap begin, and the end."""
        return np.concatenate(([0], np.cumsum(np.concatenate(self._sizes)))).astype(np.int64)

    def members(self) -> Short:
        """The members of all sets that are no bitmaps."""
        return np.concatenate(self._members)


def packed(marks: NDArray[np.bool_]) -> Bits:
    """The marked columns as a bitmap, whose last word is filled up with zeros."""
    padded = np.zeros(-(-len(marks) // 64) * 64, dtype=np.bool_)
    padded[: len(marks)] = marks
    return np.packbits(padded, bitorder="little").view(np.uint64)


def stacked(bitmaps: Sequence[Bits], columns: int) -> Bits:
    """Bitmaps x words."""
    return np.array(bitmaps, dtype=np.uint64).reshape(len(bitmaps), -(-columns // 64))


@compiled
def common(one: NDArray[np.uint64], others: NDArray[np.uint64]) -> Short:
    """How many bits each of the others shares with the one."""
    found = np.zeros(len(others), dtype=np.int32)
    for other in range(len(others)):
        for word in range(len(one)):
            found[other] += ones(one[word] & others[other, word])
    return found
