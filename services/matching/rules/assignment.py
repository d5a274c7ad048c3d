"""The exact best set of pairs under capacities on both sides (maximum-weight b-matching)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from libs.contracts.words import Objective
from services.matching.rules.deadline import after
from services.matching.rules.edges import Capacity, Edges, Integers, edges_of
from services.matching.rules.path_assignment import solve_by_paths

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
    time_limit: seconds for a large pool; what was found until then is returned with an honest upper bound, for
    `participation` perhaps without the most pairs. Small pools take less than a second and do not look at it.
    Without it the result is always the optimum.

    Ties fall the same way for the same input. Small pools are left to scipy: up to 2,000 x 2,000 where one side takes
    one pair each, else up to 50,000 allowed pairs. The others meet in a market (`market.optimum`), compiled at its
    first use, of O(pairs x log people) for each person at worst and far less in practice. Memory: some 50 bytes per
    allowed pair. Scores above 10^18, or for `participation` 10^18 divided by the number of possible pairs, are added up
    by a slow exact method. Raises ValueError on bad input, OverflowError where a score needs more than 63 bits.
    """
    aim = Objective(objective)
    edges = edges_of(scores, mentor_capacity, mentee_capacity)
    if aim is Objective.SCORE:
        edges = edges.where(edges.score > 0)
    chosen = _small(edges, aim is Objective.PARTICIPATION)
    if chosen is None:
        try:
            return _by_market(edges, aim, time_limit)
        except OverflowError:
            chosen = solve_by_paths(edges, aim is Objective.PARTICIPATION)
    value = sum(edges.score[chosen].tolist())
    return BestPairs(edges.mentor[chosen], edges.mentee[chosen], value, value)


def _small(edges: Edges, most: bool) -> Integers | None:
    """Positions of the chosen edges in ascending order; None for what is large or cannot be proven in float64."""
    if len(edges) == 0:
        return np.empty(0, dtype=np.int64)
    # loads scipy.optimize, a quarter of what the service would need to start
    from services.matching.rules.dense_assignment import fits_dense, solve_dense
    from services.matching.rules.linear_assignment import MAX_EDGES, solve_linear

    places = int(edges.mentor_capacity.sum() + edges.mentee_capacity.sum())
    if 2 * (places + 1) * (edges.highest + 1) >= EXACT_IN_FLOAT64:
        return None
    if fits_dense(edges):
        return solve_dense(edges, most)
    return solve_linear(edges, most) if len(edges) <= MAX_EDGES else None


def _by_market(edges: Edges, objective: Objective, time_limit: float | None) -> BestPairs:
    # loads numba, which small pools do without
    from services.matching.rules.market.optimum import optimum
    from services.matching.rules.market.plain import rows_of

    mentees_are_rows = edges.shape[0] > edges.shape[1]
    best = optimum(rows_of(edges, mentees_are_rows), objective, out_of_time=after(time_limit))
    if not mentees_are_rows:
        return BestPairs(best.rows, best.columns, best.value, best.upper_bound)
    order = np.lexsort((best.rows, best.columns))
    return BestPairs(best.columns[order], best.rows[order], best.value, best.upper_bound)
