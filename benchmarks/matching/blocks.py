"""All pairs of a pool, some rows at a time, with numpy and scipy.sparse.

The rivals get their scores from here and the verifier judges by it. It shares with the engine only what looks at one
person at a time. Floats hold whole numbers below 2**53 (below 2**24 in float32), so every score is exact.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from libs.contracts.words import Difference, Role
from services.matching.rules.feasibility import Pool
from services.matching.rules.score import FULL, WHOLE, shares
from services.matching.rules.working_hours import QUARTER

from .draw import Integers
from .encoded import Encoder, Marks
from .known import preferred, refused

Floats: TypeAlias = NDArray[np.floating[Any]]

# A block of so many pairs is 8 MB of float64; larger ones were slower
_CELLS = 1_000_000


class Blocks:
    """Rows are the smaller side (mentees where the two are as large), columns the other."""

    def __init__(self, pool: Pool) -> None:
        encoder = Encoder(pool)
        mentees, mentors = encoder.side(pool.mentees, Role.MENTEE), encoder.side(pool.mentors, Role.MENTOR)
        self.rows_are_mentees = len(mentees) <= len(mentors)
        self.rows, self.columns = (mentees, mentors) if self.rows_are_mentees else (mentors, mentees)
        self.policy = pool.program.policy
        self.shares = shares(self.policy.weights)
        self._allowed = list(self._rules())
        self._refused = refused(pool, self.rows, self.columns)
        self.preferred = preferred(self.rows, self.columns)
        self._teach, self._want = (table.toarray().T.copy() for table in (self.columns.teaches, self.columns.wants))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.columns)

    def slices(self) -> Iterator[slice]:
        """The rows in blocks that fit into caches and memory."""
        size = max(1, _CELLS // max(1, len(self.columns)))
        return (slice(start, min(start + size, len(self.rows))) for start in range(0, len(self.rows), size))

    def feasible(self, block: slice) -> Marks:
        """Which pairs of these rows break no rule: rows of the block x all columns."""
        (codes, allowed), *others = self._allowed
        marks: Marks = allowed[codes[block]]
        for codes, allowed in others:
            marks &= allowed[codes[block]]
        row, column = self._refused[block].nonzero()
        marks[row, column] = False
        return marks

    def scores(self, block: slice) -> Floats:
        """What each pair of these rows scores, whether it is feasible or not."""
        rows, columns, share = self.rows, self.columns, self.shares
        to_rows, to_columns = self.directions()
        total = to_rows * np.floor((rows.wants[block] @ self._teach) * float(FULL) / rows.most[block, None])
        total += to_columns * np.floor((rows.teaches[block] @ self._want) * float(FULL) / columns.most)
        total += share["diversity"] * self._diversity(self._differing(block))
        total += share["waiting"] * ((rows.waiting[block, None] + columns.waiting) // 2)
        wished = self.preferred[block].tocoo()
        total[wished.row, wished.col] += share["preference"] * wished.data
        return _rounded(total)

    def scores_of(self, rows: Integers, columns: Integers) -> Integers:
        """What these pairs score, feasible or not; as many columns as rows."""
        one, other, share = self.rows, self.columns, self.shares
        to_rows, to_columns = self.directions()
        learned = (one.wants[rows] * other.teaches[columns]).sum(axis=1) * float(FULL) // one.most[rows]
        returned = (one.teaches[rows] * other.wants[columns]).sum(axis=1) * float(FULL) // other.most[columns]
        differing = sum(
            (getattr(one, name)[rows] != getattr(other, name)[columns]).astype(np.int64) for name in self.diverse()
        )
        total = to_rows * learned + to_columns * returned + share["diversity"] * self._diversity(differing)
        total += share["waiting"] * ((one.waiting[rows] + other.waiting[columns]) // 2)
        total += share["preference"] * np.asarray(self.preferred[rows, columns]).ravel()
        return _rounded(total).astype(np.int64)

    def directions(self) -> tuple[int, int]:
        """What it counts that rows learn and that columns learn."""
        both = self.shares["learning"], self.shares["reciprocal"]
        return both if self.rows_are_mentees else (both[1], both[0])

    def diverse(self) -> list[str]:
        asked = {"unit": self.policy.different_unit, "function": self.policy.different_function}
        return ["location", *(name for name, difference in asked.items() if difference is Difference.PREFERRED)]

    def _differing(self, block: slice) -> Integers:
        different: Any = 0
        for name in self.diverse():
            one, other = getattr(self.rows, name).astype(np.int32), getattr(self.columns, name).astype(np.int32)
            different = different + (one[block, None] != other).astype(np.int8)
        return np.asarray(different)

    def _diversity(self, differing: Any) -> Integers:
        share: Integers = np.array([count * FULL // len(self.diverse()) for count in range(4)])
        return np.asarray(share[differing])

    def _rules(self) -> Iterator[tuple[Integers, Marks]]:
        """For each rule on single values: the place of each row's value, and distinct values x columns."""
        rows, columns, policy = self.rows, self.columns, self.policy
        yield _table(rows.places > 0, lambda free: free[:, None] & (columns.places > 0))
        yield _table(rows.grade, self._fit_grades)
        yield rows.hours, self._enough_hours()[:, columns.hours]
        if policy.require_shared_language:
            yield _table(rows.languages, lambda spoken: (spoken[:, None] & columns.languages) != 0)
        for name in ("unit", "function"):
            if getattr(policy, f"different_{name}") is Difference.REQUIRED:
                yield _table(getattr(rows, name), lambda own, name=name: own[:, None] != getattr(columns, name))

    def _fit_grades(self, grades: Integers) -> Marks:
        gap = (grades[:, None] - self.columns.grade) * (1 if self.rows_are_mentees else -1)
        highest = self.policy.max_grade_gap
        fit: Marks = (gap >= self.policy.min_grade_gap) & (highest is None or gap <= highest)
        return fit

    def _enough_hours(self) -> Marks:
        quarters = self.rows.masks @ self.columns.masks.T
        return np.asarray(quarters * QUARTER >= self.policy.min_overlap_minutes_per_week)


def _table(values: Any, judge: Any) -> tuple[Integers, Marks]:
    distinct, codes = np.unique(values, return_inverse=True)
    return codes, judge(distinct)


def _rounded(total: Floats) -> Floats:
    return np.asarray(np.floor((total + WHOLE // 2) / WHOLE))
