"""Random people for the market, and what their best pairs are by ways that share no code with it."""

from itertools import product

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.optimize import linprog
from scipy.sparse import csr_array

from services.matching.rules.market.plain import PlainRows

Numbers = NDArray[np.int64]
Best = tuple[int, int]


def rows_of_matrix(scores: Numbers, row_places: object, column_places: object) -> PlainRows:
    """A negative score forbids the pair."""
    row, column = np.nonzero(scores >= 0)
    return PlainRows(
        np.broadcast_to(np.asarray(row_places), scores.shape[0]).astype(np.int64),
        np.broadcast_to(np.asarray(column_places), scores.shape[1]).astype(np.int64),
        np.searchsorted(row, np.arange(scores.shape[0] + 1)),
        column,
        scores[row, column],
    )


@st.composite
def small_rows(draw: st.DrawFn) -> tuple[Numbers, list[int], list[int]]:
    """Scores with ties and zeros, a third of the pairs forbidden, places from 0 to 3."""
    rows, columns = draw(st.sampled_from([(a, b) for a, b in product(range(1, 7), repeat=2) if a * b <= 12]))
    highest = draw(st.sampled_from([0, 1, 3, 1000, 10**9]))
    cell = st.one_of(st.just(-1), st.integers(0, highest), st.integers(max(highest - 2, 0), highest))
    cells = draw(st.lists(cell, min_size=rows * columns, max_size=rows * columns))
    places = st.sampled_from([1, 1, 2, 3, 0])
    row_places = draw(st.lists(places, min_size=rows, max_size=rows))
    column_places = draw(st.lists(places, min_size=columns, max_size=columns))
    return np.array(cells, dtype=np.int64).reshape(rows, columns), row_places, column_places


def best_of_all_sets(scores: Numbers, row_places: list[int], column_places: list[int]) -> tuple[Best, Best]:
    """(pairs, total) of the best set by total, and of the best by number of pairs and then total, of every set."""
    row, column = np.nonzero(scores >= 0)
    sets = (np.arange(2 ** len(row))[:, None] >> np.arange(len(row))) & 1
    by_row, by_column = np.eye(len(row_places), dtype=int)[row], np.eye(len(column_places), dtype=int)[column]
    fits = (sets @ by_row <= row_places).all(axis=1) & (sets @ by_column <= column_places).all(axis=1)
    found = [(int(n), int(total)) for n, total in zip(sets[fits].sum(1), sets[fits] @ scores[row, column], strict=True)]
    return max(found, key=lambda best: best[1]), max(found)


def people(seed: int, rows: int, columns: int, each: int, *, highest: int, places: int, hub: bool) -> PlainRows:
    """`each` random pairs a row. With `hub` most people want the same few, and score them higher."""
    chance = np.random.default_rng(seed)
    weights = 1 / np.arange(1, columns + 1) if hub else np.ones(columns)
    column = chance.choice(columns, size=(rows, each), p=weights / weights.sum())
    scores = np.full((rows, columns), -1)
    score = chance.integers(0, highest + 1, (rows, each))
    scores[np.arange(rows)[:, None], column] = (
        score // 2 + (columns - column) * highest // 2 // columns if hub else score
    )
    return rows_of_matrix(scores, chance.integers(1, places + 1, rows), chance.integers(1, places + 1, columns))


def row_of_each(pool: PlainRows) -> Numbers:
    return np.repeat(np.arange(len(pool.row_places)), np.diff(pool.starts))


def best_by_flow(pool: PlainRows, most: bool) -> Best:
    """OR-Tools' minimum-cost flow; unless most pairs are wanted a row's places may also stay empty."""
    rows, columns = len(pool.row_places), len(pool.column_places)
    source, sink = rows + columns, rows + columns + 1
    flow = SimpleMinCostFlow()
    pairs = flow.add_arcs_with_capacity_and_unit_cost(
        row_of_each(pool), rows + pool.columns, np.ones_like(pool.scores), -pool.scores
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        np.full(rows, source), np.arange(rows), pool.row_places, np.zeros(rows, int)
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        rows + np.arange(columns), np.full(columns, sink), pool.column_places, np.zeros(columns, int)
    )
    if not most:
        flow.add_arcs_with_capacity_and_unit_cost(
            np.arange(rows), np.full(rows, sink), pool.row_places, np.zeros(rows, int)
        )
    flow.set_node_supply(source, int(pool.row_places.sum()))
    flow.set_node_supply(sink, -int(pool.row_places.sum()))
    assert flow.solve_max_flow_with_min_cost() == flow.OPTIMAL
    return int(flow.flows(pairs).sum()), -int(flow.optimal_cost())


def best_by_programme(pool: PlainRows, most: bool) -> Best:
    """scipy's HiGHS; where most pairs are wanted, first for their number and then for their total."""
    count, rows = len(pool.scores), len(pool.row_places)
    places = np.concatenate([pool.row_places, pool.column_places])
    ends = np.concatenate([row_of_each(pool), rows + pool.columns])
    uses = csr_array((np.ones(2 * count), (ends, np.tile(np.arange(count), 2))), shape=(len(places), count))
    number = None
    if most:
        number = round(-linprog(-np.ones(count), A_ub=uses, b_ub=places, bounds=(0, 1), method="highs").fun)
    answer = linprog(
        -pool.scores,
        A_ub=uses,
        b_ub=places,
        A_eq=None if number is None else np.ones((1, count)),
        b_eq=None if number is None else [number],
        bounds=(0, 1),
        method="highs",
    )
    chosen = answer.x > 0.5
    return int(chosen.sum()), int(pool.scores[chosen].sum())
