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

# With fewer edges than this the whole programme is solved at once
FEW_EDGES = 20_000
# Edges per place at the start; more are priced in when they could raise the total
SHORTLIST = 10


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
    pairs = int(start.sum())
    active = start | _shortlist(edges)
    while True:
        answer = _programme(edges, active, pairs if most else None, time_limit)
        if answer.status != 0:
            return _without_answer(edges, start, most)
        prices = _prices(answer, edges)
        chosen = np.flatnonzero(active)[answer.x > 0.5]
        bound = prices.bound(edges, pairs)
        surplus = prices.surplus(edges)
        missing = (surplus > 0) & ~active
        met = bound == int(edges.score[chosen].sum())
        if met or not missing.any():
            return chosen, bound, met and _is_allowed(edges, chosen, pairs if most else None)
        active |= missing & _best_of_each(edges, np.where(missing, surplus, -1))


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
    """The best edges of every person, more for those with more places."""
    if len(edges) <= FEW_EDGES:
        return np.ones(len(edges), dtype=bool)
    return _best_of_each(edges, edges.score)


def _best_of_each(edges: Edges, worth: Integers) -> NDArray[np.bool_]:
    by_mentor = _rank(edges.mentor, edges.mentee, worth) < SHORTLIST + edges.mentor_capacity[edges.mentor]
    by_mentee = _rank(edges.mentee, edges.mentor, worth) < SHORTLIST + edges.mentee_capacity[edges.mentee]
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


def _without_answer(edges: Edges, start: NDArray[np.bool_], most: bool) -> tuple[Integers, int, bool]:
    """What is known when the time is over: the largest set, or pairs taken greedily, and a simple bound."""
    chosen = np.flatnonzero(start) if most else _greedy(edges)
    best = _rank(edges.mentor, edges.mentee, edges.score) < edges.mentor_capacity[edges.mentor]
    return chosen, int(edges.score[best].sum()), False


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
