"""The rows of a crowd as the market asks them: the best columns of each at given prices, found by scans."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from libs.contracts.words import Role
from services.matching.rules.crowd.asking import asking_of
from services.matching.rules.crowd.columns import columns_of, full_diversity
from services.matching.rules.crowd.crowd import Crowd, opposite
from services.matching.rules.crowd.judge import count_feasible, parts_of_pairs
from services.matching.rules.crowd.lists import Integers
from services.matching.rules.crowd.scan import BLOCK, mark_bases, scan
from services.matching.rules.crowd.tables import Asking, Columns, Scratch
from services.matching.rules.market.rows import Shortlist
from services.matching.rules.score import FULL

AT_ONCE = 256
"""Rows that a thread scans before it takes the next ones."""
TOGETHER = 32
"""Of these so many go through a block together."""


class CrowdRows:
    """The people of one role as rows, those of the other as columns, in the order of the crowd."""

    highest = FULL

    def __init__(self, crowd: Crowd, role: Role, threads: int = 1) -> None:
        self.crowd, self.role, self.threads = crowd, role, threads
        sides = (crowd.side(role), crowd.side(opposite(role)))
        self.row_places, self.column_places = (np.where(side.takes_part, side.places, 0) for side in sides)
        self.columns, names = columns_of(crowd, role)
        self.asking = asking_of(crowd, role, names)

    def best(self, rows: Integers, prices: Integers, floors: Integers, count: int) -> Shortlist:
        """See `Rows`. Takes memory for `count` entries for each of AT_ONCE rows and thread, beside the answer."""
        count, lowest = min(count, len(prices)), int(prices.min()) if len(prices) else 0
        bases = np.zeros(-(-len(prices) // BLOCK) * BLOCK, dtype=np.uint16)
        mark_bases(prices, lowest, full_diversity(self.asking.shares), self.columns, bases)

        def part(first: int) -> Shortlist:
            some, scratch = slice(first, first + AT_ONCE), scratch_of(self.columns, bases, min(TOGETHER, len(rows)))
            return _scanned(self.asking, self.columns, rows[some], prices, lowest, floors[some], count, scratch)

        firsts = range(0, len(rows), AT_ONCE)
        if self.threads == 1 or len(firsts) == 1:
            return _joined([part(first) for first in firsts])
        with ThreadPoolExecutor(self.threads) as threads:
            return _joined(list(threads.map(part, firsts)))

    def feasible(self, rows: Integers) -> tuple[Integers, Integers]:
        """How many columns break no rule with each row, and how many of them score 0."""
        counts = np.zeros((len(rows), 2), dtype=np.int64)

        def part(first: int) -> None:
            some = slice(first, first + AT_ONCE)
            count_feasible(rows[some], self.asking, self.columns, scratch_of(self.columns), counts[some])

        with ThreadPoolExecutor(self.threads) as threads:
            list(threads.map(part, range(0, len(rows), AT_ONCE)))
        return counts[:, 0], counts[:, 1]

    def parts(self, rows: Integers, columns: Integers) -> tuple[Integers, Integers]:
        """Of each pair the parts in millionths, pairs x the parts in the order of `Parts`, and the score."""
        found = np.zeros((len(rows), 6), dtype=np.int64)
        parts_of_pairs(rows, columns, self.asking, self.columns, scratch_of(self.columns), found)
        turned = [0, 1] if self.role is Role.MENTEE else [1, 0]
        return found[:, [*turned, 2, 3, 4]], found[:, 5]


def _scanned(
    asking: Asking,
    columns: Columns,
    rows: Integers,
    prices: Integers,
    lowest: int,
    floors: Integers,
    count: int,
    scratch: Scratch,
) -> Shortlist:
    utilities, scores = (np.empty((len(rows), count), dtype=np.int64) for _ in range(2))
    found, sizes = np.empty((len(rows), count), dtype=np.int32), np.zeros(len(rows), dtype=np.int64)
    if not count:
        return Shortlist(np.zeros(len(rows) + 1, dtype=np.int64), found.ravel(), scores.ravel(), floors)
    scan(rows, floors, prices, lowest, asking, columns, scratch, utilities, found, scores, sizes)
    kept = np.arange(count)[None, :] < sizes[:, None]
    rest = np.where(sizes == count, utilities[np.arange(len(rows)), sizes - 1], floors)
    return Shortlist(np.concatenate(([0], np.cumsum(sizes))), found[kept], scores[kept], rest)


NO_BASES = np.zeros(0, dtype=np.uint16)


def scratch_of(columns: Columns, bases: NDArray[np.uint16] = NO_BASES, rows: int = 1) -> Scratch:
    """Clean room for one thread; a scan also needs the bases. `rows` are scanned together."""
    goals, skills = (np.zeros(columns.topics, dtype=np.int32) for _ in range(2))
    return Scratch(
        bits=np.zeros((rows, len(columns.open)), dtype=np.uint64),
        bases=bases,
        bounds=np.zeros(BLOCK, dtype=np.uint16),
        goals=goals,
        skills=skills,
        parts=np.zeros(5, dtype=np.int64),
    )


def _joined(parts: list[Shortlist]) -> Shortlist:
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return Shortlist(np.zeros(1, dtype=np.int64), empty.astype(np.int32), empty, empty)
    ends = np.cumsum([0, *(part.starts[-1] for part in parts)])
    starts = [part.starts[:-1] + end for part, end in zip(parts, ends, strict=False)]
    return Shortlist(
        np.concatenate([*starts, ends[-1:]]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.rest for part in parts]),
    )
