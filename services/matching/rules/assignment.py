"""The exact best set of pairs under capacities on both sides (maximum-weight b-matching)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.contracts.words import Objective
from services.matching.rules.dense_assignment import fits_dense, solve_dense
from services.matching.rules.edges import Capacity, Edges, Integers, edges_of
from services.matching.rules.path_assignment import solve_by_paths
from services.matching.rules.priced_assignment import solve_priced

# Both float solvers add up whole numbers along paths that visit each place at most twice; below this sum
# float64 holds every one of them exactly.
EXACT_IN_FLOAT64 = 2**53


@dataclass(frozen=True, slots=True)
class BestPairs:
    """Pairs by index, sorted by mentor and mentee; `value` is their total score.

    No set of pairs that the objective allows scores above `upper_bound`: the two are equal unless a time limit was hit.
    """

    mentors: Integers
    mentees: Integers
    value: int
    upper_bound: int


def best_pairs(
    scores: Any,
    mentor_capacity: Capacity,
    mentee_capacity: Capacity,
    objective: Objective | str,
    *,
    time_limit: float | None = None,
) -> BestPairs:
    """Choose the best pairs; no two people are paired twice and nobody takes more pairs than their capacity.

    scores: mentors x mentees, an array or a scipy sparse matrix of non-negative integers. A negative entry, or
    one that is absent from a sparse matrix, forbids the pair; a stored zero allows it at no value.
    mentor_capacity, mentee_capacity: one number for all, or one per person.
    objective: `score` takes the highest total, and each pair must add value (score above 0); `participation`
    takes as many pairs as possible and among such sets the highest total.
    time_limit: seconds for the linear programmes where they are needed; what was found until then is returned
    with an honest upper bound. Without it the result is always the optimum.

    Ties fall the same way for the same input. With one side's capacities at most 1 the work is that of a dense
    assignment, O(n^2 m) at worst and far less in practice (1,000 x 1,000: 0.1 s; both sides with 2: 1 s). Scores
    above about 10^12 for 1,000 people leave float64 and are added up by a slow exact method instead. Raises
    ValueError on bad input, OverflowError where a score needs more than 63 bits.
    """
    aim = Objective(objective)
    edges = edges_of(scores, mentor_capacity, mentee_capacity)
    if aim is Objective.SCORE:
        edges = edges.where(edges.score > 0)
    chosen, upper_bound = _solve(edges, aim is Objective.PARTICIPATION, time_limit)
    value = sum(edges.score[chosen].tolist())
    return BestPairs(
        edges.mentor[chosen], edges.mentee[chosen], value, value if upper_bound is None else max(value, upper_bound)
    )


def _solve(edges: Edges, most: bool, time_limit: float | None) -> tuple[Integers, int | None]:
    """Positions of the chosen edges in ascending order, and a bound where the solver does not prove its own end."""
    if len(edges) == 0:
        return np.empty(0, dtype=np.int64), None
    places = int(edges.mentor_capacity.sum() + edges.mentee_capacity.sum())
    if 2 * (places + 1) * (edges.highest + 1) >= EXACT_IN_FLOAT64:
        return solve_by_paths(edges, most), None
    if fits_dense(edges):
        return solve_dense(edges, most), None
    chosen, upper_bound, proven = solve_priced(edges, most, time_limit)
    if not proven and time_limit is None:
        return solve_by_paths(edges, most), None
    return chosen, upper_bound
