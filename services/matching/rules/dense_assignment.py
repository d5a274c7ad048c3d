"""Assignment on a full matrix with scipy's shortest augmenting paths, for capacities of 1 on one side.

Where one side takes one pair each, a person of the other side can stand in the matrix once per place: two places
of one person can never meet the same partner. Nothing here weighs cardinality with a large constant.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from services.matching.rules.edges import Edges, Integers

# 2,000 x 2,000; half a second of work
MAX_CELLS = 4_000_000


def fits_dense(edges: Edges) -> bool:
    """One side takes at most one pair each, and the matrix of places stays within memory."""
    rows, columns = int(edges.mentor_capacity.sum()), int(edges.mentee_capacity.sum())
    one_each = edges.mentor_capacity.max(initial=0) <= 1 or edges.mentee_capacity.max(initial=0) <= 1
    return bool(one_each) and rows * columns <= MAX_CELLS


def solve_dense(edges: Edges, most: bool) -> Integers:
    """Positions of the chosen edges; `most` puts the number of pairs before their total score."""
    edge = _places(edges)
    if edge.shape[0] > edge.shape[1]:
        edge = edge.T
    reward = np.where(edge >= 0, edges.score[edge], -np.inf if most else 0).astype(np.float64)
    if most:
        reward = _with_spare_columns(reward, edge)
    rows, columns = linear_sum_assignment(reward, maximize=True)
    real = columns < edge.shape[1]
    chosen = edge[rows[real], columns[real]]
    return np.sort(chosen[chosen >= 0])


def _places(edges: Edges) -> Integers:
    """Which edge joins two places; -1 for none."""
    edge = np.full(edges.shape, -1, dtype=np.int64)
    edge[edges.mentor, edges.mentee] = np.arange(len(edges))
    return np.repeat(np.repeat(edge, edges.mentor_capacity, axis=0), edges.mentee_capacity, axis=1)


def _with_spare_columns(reward: NDArray[np.float64], edge: Integers) -> NDArray[np.float64]:
    """As many columns of no reward as rows must stay alone, so that every full assignment has the most pairs."""
    partner = maximum_bipartite_matching(csr_array(edge >= 0), perm_type="column")
    alone = int((partner < 0).sum())
    return np.hstack([reward, np.zeros((len(reward), alone))])
