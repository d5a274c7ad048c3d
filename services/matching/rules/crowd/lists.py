"""A list of numbers for each of many people, in two arrays."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]
Short: TypeAlias = NDArray[np.int32]


class Lists(NamedTuple):
    """The numbers of person i are `values[starts[i]:starts[i + 1]]`."""

    starts: Integers
    values: Short

    def owners(self) -> Integers:
        """The person of each number."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def sums(self, of: Integers) -> Integers:
        """Per person the sum of `of`, which has an entry for each number."""
        totals = np.concatenate(([0], np.cumsum(of)))
        return np.asarray(totals[self.starts[1:]] - totals[self.starts[:-1]])

    def firsts(self, otherwise: int) -> Short:
        """The first number of each person."""
        padded = np.append(self.values, np.int32(otherwise))
        return np.where(np.diff(self.starts) > 0, padded[self.starts[:-1]], np.int32(otherwise))

    def taken(self, order: Integers) -> "Lists":
        """The lists of these people, in this order."""
        lengths = np.diff(self.starts)[order]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        places = np.arange(starts[-1]) - np.repeat(starts[:-1] - self.starts[order], lengths)
        return Lists(starts, self.values[places])


def lists_of(lists: Iterable[Sequence[int]]) -> Lists:
    """One list per person, in their order."""
    given = list(lists)
    lengths = np.fromiter(map(len, given), dtype=np.int64, count=len(given))
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return Lists(starts, np.fromiter(chain.from_iterable(given), dtype=np.int32, count=int(starts[-1])))


def grouped(owners: Integers, values: NDArray[np.int32], people: int) -> Lists:
    """Lists from numbers and whose they are; the numbers of a person keep their order."""
    order = np.argsort(owners, kind="stable")
    starts = np.searchsorted(owners[order], np.arange(people + 1))
    return Lists(starts.astype(np.int64), values[order])


def joined(parts: Sequence[Lists]) -> Lists:
    """The lists of all parts, one after the other."""
    ends = np.cumsum([0, *(part.starts[-1] for part in parts)])
    starts = [part.starts[:-1] + end for part, end in zip(parts, ends, strict=False)]
    return Lists(np.concatenate([*starts, ends[-1:]]), np.concatenate([part.values for part in parts]))
