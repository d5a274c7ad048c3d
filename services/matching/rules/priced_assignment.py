"""Assignment as a linear programme over a growing choice of edges, certified by whole-number prices.

The constraint matrix is totally unimodular, so a vertex is a set of pairs and its prices are whole numbers. The prices
bound the total over *all* edges by weak duality, in integers: a result is called proven only when the bound meets it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from services.matching.rules.edges import Edges, Integers
from services.matching.rules.smooth_prices import smooth_prices

# With fewer edges than this the whole programme is solved at once
FEW_EDGES = 20_000
# Edges per person at the start, and in each later round while one that is left out could raise the total
SHORTLIST = 5
PRICED_IN = 4


@dataclass(frozen=True, slots=True)
class _Prices:
    """What a place of each person costs, and what a pair costs (0 unless the number of pairs is fixed)."""

    mentor: Integers
    mentee: Integers
    pair: int

    def surplus(self, edges: Edges) -> Integers:
        """How far each edge scores above what it costs."""
        return edges.score - self.mentor[edges.mentor] - self.mentee[edges.mentee] - self.pair

    def bound(self, edges: Edges, pairs: int) -> int:
        places = int(edges.mentor_capacity @ self.mentor + edges.mentee_capacity @ self.mentee)
        return places + pairs * self.pair + int(np.maximum(self.surplus(edges), 0).sum())


def solve_priced(edges: Edges, most: bool, time_limit: float | None) -> tuple[Integers, int, bool]:
    """Positions of the chosen edges, an upper bound of the total, and whether the bound proves the optimum."""
    start = _most_pairs(edges) if most else np.zeros(len(edges), dtype=bool)
    pairs = int(start.sum()) if most else None
    chosen, bound = (np.flatnonzero(start) if most else _greedy(edges)), _simple_bound(edges)
    active = start | _shortlist(edges)
    while True:
        # each programme may use half of the time left, so that all of them together keep the limit
        time_limit = None if time_limit is None else time_limit / 2
        answer = _programme(edges, active, pairs, time_limit)
        if answer.status != 0:
            return chosen, bound, False
        prices = _prices(answer, edges)
        chosen, bound = np.flatnonzero(active)[answer.x > 0.5], min(bound, prices.bound(edges, pairs or 0))
        surplus = prices.surplus(edges)
        met = bound == int(edges.score[chosen].sum())
        if met or not (surplus[~active] > 0).any():
            return chosen, bound, met and _is_allowed(edges, chosen, pairs)
        active |= _best_of_each(edges, surplus, PRICED_IN)


def _programme(edges: Edges, active: NDArray[np.bool_], pairs: int | None, time_limit: float | None) -> Any:
    mentors, mentees = edges.shape
    count = int(active.sum())
    column = np.arange(count)
    row = np.concatenate([edges.mentor[active], mentors + edges.mentee[active]])
    uses = csr_array((np.ones(2 * count), (row, np.tile(column, 2))), shape=(mentors + mentees, count))
    return linprog(
        -edges.score[active],
        A_ub=uses,
        b_ub=np.concatenate([edges.mentor_capacity, edges.mentee_capacity]),
        A_eq=None if pairs is None else np.ones((1, count)),
        b_eq=None if pairs is None else [pairs],
        bounds=(0, 1),
        method="highs-ds",
        options={} if time_limit is None else {"time_limit": time_limit},
    )


def _prices(answer: Any, edges: Edges) -> _Prices:
    """Rounded, and never below 0 for a place: any such prices bound the total, so rounding cannot lie."""
    places = np.maximum(np.rint(-answer.ineqlin.marginals), 0).astype(np.int64)
    pair = int(np.rint(-answer.eqlin.marginals[0])) if len(answer.eqlin.marginals) else 0
    return _Prices(places[: edges.shape[0]], places[edges.shape[0] :], pair)


def _shortlist(edges: Edges) -> NDArray[np.bool_]:
    """The edges of every person that look best at smooth prices."""
    if len(edges) <= FEW_EDGES:
        return np.ones(len(edges), dtype=bool)
    mentor, mentee = smooth_prices(edges)
    return _best_of_each(edges, _Prices(mentor, mentee, 0).surplus(edges), SHORTLIST)


def _best_of_each(edges: Edges, worth: Integers, count: int) -> NDArray[np.bool_]:
    """The edges worth most to some person: so many, and one more for each place."""
    by_mentor = _rank(edges.mentor, edges.mentee, worth) < count + edges.mentor_capacity[edges.mentor]
    by_mentee = _rank(edges.mentee, edges.mentor, worth) < count + edges.mentee_capacity[edges.mentee]
    return by_mentor | by_mentee


def _rank(person: Integers, partner: Integers, worth: Integers) -> Integers:
    """The place of each edge among the same person's edges, best first.

    Equal edges start at another partner for each person, or all people would shortlist the same few.
    """
    turn = (partner - person) % (int(partner.max()) + 1)
    order = np.lexsort((turn, -worth, person))
    counts = np.bincount(person)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    rank = np.empty(len(person), dtype=np.int64)
    rank[order] = np.arange(len(person)) - first
    return rank


def _most_pairs(edges: Edges) -> NDArray[np.bool_]:
    """One of the largest sets of pairs, by maximum flow from a source over mentors and mentees to a sink."""
    mentors, mentees = edges.shape
    source, sink = mentors + mentees, mentors + mentees + 1
    tail = np.concatenate([np.full(mentors, source), edges.mentor, mentors + np.arange(mentees)])
    head = np.concatenate([np.arange(mentors), mentors + edges.mentee, np.full(mentees, sink)])
    width = np.concatenate([edges.mentor_capacity, np.ones(len(edges)), edges.mentee_capacity]).astype(np.int32)
    network = csr_array((width, (tail, head)), shape=(sink + 1, sink + 1))
    flow = maximum_flow(network, source, sink).flow.tocsr()
    return np.asarray(flow[edges.mentor, mentors + edges.mentee]).ravel() > 0


def _simple_bound(edges: Edges) -> int:
    """As if every mentor got their best mentees."""
    best = _rank(edges.mentor, edges.mentee, edges.score) < edges.mentor_capacity[edges.mentor]
    return int(edges.score[best].sum())


def _greedy(edges: Edges) -> Integers:
    free_mentor, free_mentee = edges.mentor_capacity.copy(), edges.mentee_capacity.copy()
    chosen = []
    for edge in np.argsort(-edges.score, kind="stable"):
        mentor, mentee = edges.mentor[edge], edges.mentee[edge]
        if free_mentor[mentor] and free_mentee[mentee]:
            free_mentor[mentor] -= 1
            free_mentee[mentee] -= 1
            chosen.append(edge)
    return np.sort(np.array(chosen, dtype=np.int64))


def _is_allowed(edges: Edges, chosen: Integers, pairs: int | None) -> bool:
    mentors, mentees = edges.shape
    return bool(
        (np.bincount(edges.mentor[chosen], minlength=mentors) <= edges.mentor_capacity).all()
        and (np.bincount(edges.mentee[chosen], minlength=mentees) <= edges.mentee_capacity).all()
        and pairs in (None, len(chosen))
    )
