"""Assignment as one linear programme, for a few thousand pairs under capacities on both sides; nothing is compiled.

The constraint matrix is totally unimodular, so a vertex is a set of pairs and its prices are whole numbers. The prices
bound the total by weak duality, in integers: a result counts only when the bound meets it.
"""

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from services.matching.rules.edges import Edges, Integers

# HiGHS takes about half a second for so many
MAX_EDGES = 50_000


def solve_linear(edges: Edges, most: bool) -> Integers | None:
    """Positions of the chosen edges; None where rounding leaves the optimum unproven."""
    pairs = round(-_programme(edges, np.ones(len(edges)), None).fun) if most else None
    answer = _programme(edges, edges.score, pairs)
    if answer.status != 0:
        return None
    chosen = np.flatnonzero(answer.x > 0.5)
    met = _bound(edges, answer, pairs or 0) == int(edges.score[chosen].sum())
    return chosen if met and _is_allowed(edges, chosen, pairs) else None


def _programme(edges: Edges, worth: Any, pairs: int | None) -> Any:
    mentors, mentees = edges.shape
    count = len(edges)
    row = np.concatenate([edges.mentor, mentors + edges.mentee])
    uses = csr_array((np.ones(2 * count), (row, np.tile(np.arange(count), 2))), shape=(mentors + mentees, count))
    return linprog(
        -worth,
        A_ub=uses,
        b_ub=np.concatenate([edges.mentor_capacity, edges.mentee_capacity]),
        A_eq=None if pairs is None else np.ones((1, count)),
        b_eq=None if pairs is None else [pairs],
        bounds=(0, 1),
        method="highs-ds",
    )


def _bound(edges: Edges, answer: Any, pairs: int) -> int:
    """What no set of pairs can exceed. Rounded, and never below 0 for a place: any such prices are a bound."""
    places = np.maximum(np.rint(-answer.ineqlin.marginals), 0).astype(np.int64)
    pair = int(np.rint(-answer.eqlin.marginals[0])) if len(answer.eqlin.marginals) else 0
    mentor, mentee = places[: edges.shape[0]], places[edges.shape[0] :]
    surplus = edges.score - mentor[edges.mentor] - mentee[edges.mentee] - pair
    paid = int(edges.mentor_capacity @ mentor + edges.mentee_capacity @ mentee)
    return paid + pairs * pair + int(np.maximum(surplus, 0).sum())


def _is_allowed(edges: Edges, chosen: Integers, pairs: int | None) -> bool:
    mentors, mentees = edges.shape
    return bool(
        (np.bincount(edges.mentor[chosen], minlength=mentors) <= edges.mentor_capacity).all()
        and (np.bincount(edges.mentee[chosen], minlength=mentees) <= edges.mentee_capacity).all()
        and pairs in (None, len(chosen))
    )
