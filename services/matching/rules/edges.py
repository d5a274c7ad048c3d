"""The pairs that an assignment may choose from, as parallel arrays of integers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Integers: TypeAlias = NDArray[np.int64]
Capacity: TypeAlias = int | Sequence[int] | NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Edges:
    """Allowed pairs sorted by (mentor, mentee), and how many pairs each person can take.

    `mentor`, `mentee` and `score` have one entry per allowed pair; the capacities one per person.
    """

    mentor: Integers
    mentee: Integers
    score: Integers
    mentor_capacity: Integers
    mentee_capacity: Integers

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.mentor_capacity), len(self.mentee_capacity)

    @property
    def highest(self) -> int:
        return int(self.score.max(initial=0))

    def __len__(self) -> int:
        return len(self.score)

    def where(self, keep: NDArray[np.bool_]) -> "Edges":
        """The same people with only the pairs that `keep` marks."""
        return Edges(self.mentor[keep], self.mentee[keep], self.score[keep], self.mentor_capacity, self.mentee_capacity)


def edges_of(scores: Any, mentor_capacity: Capacity, mentee_capacity: Capacity) -> Edges:
    """Read a mentors x mentees array or scipy sparse matrix; absent and negative entries are no edges.

    A zero that is stored in a sparse matrix is an allowed pair of score 0; one that is not stored is absent.
    Raises ValueError for other shapes, fractional scores and unfit capacities, OverflowError beyond 63 bits.
    """
    if sparse.issparse(scores):
        # tocsr of a copy sums duplicates and keeps stored zeros; arithmetic on the matrix would drop them
        stored = sparse.csr_array(scores, copy=True)
        stored.sum_duplicates()
        stored = stored.tocoo()
        shape, rows, columns, values = stored.shape, stored.row, stored.col, stored.data
    else:
        dense = np.asarray(scores)
        if dense.ndim != 2:
            raise ValueError(f"scores must have two dimensions, not {dense.ndim}")
        rows, columns = np.nonzero(np.isnan(dense) | (dense >= 0) if dense.dtype.kind == "f" else dense >= 0)
        shape, values = dense.shape, dense[rows, columns]
    allowed = values >= 0 if values.dtype.kind != "f" else ~(values < 0)
    edges = Edges(
        rows[allowed].astype(np.int64),
        columns[allowed].astype(np.int64),
        _whole(values[allowed]),
        _capacities(mentor_capacity, shape[0], "mentor_capacity"),
        _capacities(mentee_capacity, shape[1], "mentee_capacity"),
    )
    return _usable(edges)


def _whole(values: NDArray[Any]) -> Integers:
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and (values == np.floor(values)).all()):
        raise ValueError("scores must be whole numbers: scale fractional scores to integers first")
    if values.dtype.kind not in "biuf":
        raise ValueError(f"scores must be integers, not {values.dtype}")
    if len(values) and int(values.max()) > np.iinfo(np.int64).max:
        raise OverflowError("scores must fit into 63 bits")
    return values.astype(np.int64)


def _capacities(given: Capacity, people: int, name: str) -> Integers:
    capacities = np.asarray(given)
    if capacities.size and capacities.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers")
    if capacities.ndim > 1 or (capacities.ndim == 1 and len(capacities) != people):
        raise ValueError(f"{name} must be one number or {people} numbers, not shape {capacities.shape}")
    if (capacities < 0).any():
        raise ValueError(f"{name} must not be negative")
    return np.broadcast_to(capacities, people).astype(np.int64)


def _usable(edges: Edges) -> Edges:
    """Without the people who are full, and without places that no allowed pair could fill."""
    mentors, mentees = edges.shape
    edges = edges.where((edges.mentor_capacity[edges.mentor] > 0) & (edges.mentee_capacity[edges.mentee] > 0))
    return Edges(
        edges.mentor,
        edges.mentee,
        edges.score,
        np.minimum(edges.mentor_capacity, np.bincount(edges.mentor, minlength=mentors)),
        np.minimum(edges.mentee_capacity, np.bincount(edges.mentee, minlength=mentees)),
    )
