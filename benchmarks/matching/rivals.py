"""What other libraries make of the same pool: most pairs first, then the highest total score.

Each gets its scores in blocks on two threads and is asked with care: nobody meets the same person twice, who must stay
alone may, and costs stay whole numbers. Where a library can't express the capacities it raises Unfit.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import munkres
import networkx
import numpy as np
import typer
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from services.matching.rules.score import FULL

from .blocks import Blocks, Floats
from .clock import Clock, peak_megabytes
from .contest import Done, limit_memory, report
from .draw import Integers
from .generator import Variant, generate
from .pool import pool_of
from .shortlist import THREADS, Shortlist

Pairs = tuple[Integers, Integers]


class Unfit(Exception):
    """The library has no words for this pool."""


def scipy_dense(blocks: Blocks, clock: Clock) -> Pairs:
    """scipy's linear_sum_assignment on the matrix of all pairs."""
    with clock.part("scoring"):
        _one_each(blocks)
        rewards = _rewards(blocks)
    with clock.part("solving"):
        rows, columns = linear_sum_assignment(np.negative(rewards, out=rewards))
        made = rewards[rows, columns] < 0
        return rows[made], columns[made]


def scipy_sparse(blocks: Blocks, clock: Clock) -> Pairs:
    """scipy's min_weight_full_bipartite_matching on all feasible pairs; a column of its own lets a row stay alone."""
    with clock.part("scoring"):
        _one_each(blocks)
        rows, columns, scores = _edges(blocks)
        (height, width), alone = blocks.shape, np.arange(blocks.shape[0])
        weights = np.concatenate([scores + _larger_than_all(blocks), np.ones(height)])
        ends = np.concatenate([rows, alone]), np.concatenate([columns, width + alone])
        table = csr_array((weights, ends), shape=(height, width + height))
    with clock.part("solving"):
        rows, columns = min_weight_full_bipartite_matching(table, maximize=True)
        return rows[columns < width], columns[columns < width]


def flow_of_all_pairs(blocks: Blocks, clock: Clock) -> Pairs:
    """OR-Tools SimpleMinCostFlow with an arc for each feasible pair."""
    with clock.part("scoring"):
        rows, columns, scores = _edges(blocks)
    with clock.part("solving"):
        return _flow(blocks, rows, columns, scores)


def top_50(blocks: Blocks, clock: Clock) -> Pairs:
    """The best 50 columns of each row by numpy and scipy.sparse, then OR-Tools SimpleMinCostFlow on these."""
    with clock.part("scoring"):
        rows, columns = Shortlist(blocks).edges()
        scores = blocks.scores_of(rows, columns)
    with clock.part("solving"):
        return _flow(blocks, rows, columns, scores)


def networkx_matching(blocks: Blocks, clock: Clock) -> Pairs:
    """networkx's max_weight_matching (Edmonds' blossoms) on all feasible pairs."""
    with clock.part("scoring"):
        _one_each(blocks)
        rows, columns, scores = _edges(blocks)
        graph, height = networkx.Graph(), blocks.shape[0]
        ends = rows.tolist(), (columns + height).tolist(), scores.astype(np.int64).tolist()
        graph.add_weighted_edges_from(zip(*ends, strict=True))
    with clock.part("solving"):
        made = networkx.max_weight_matching(graph, maxcardinality=True)
        twos = np.array([sorted(two) for two in made], dtype=np.int64).reshape(-1, 2)
        return twos[:, 0], twos[:, 1] - height


def munkres_matrix(blocks: Blocks, clock: Clock) -> Pairs:
    """munkres (the Hungarian algorithm in Python) on the matrix of all pairs."""
    with clock.part("scoring"):
        _one_each(blocks)
        rewards = _rewards(blocks)
        costs = (rewards.max() - rewards).astype(np.int64).tolist()
    with clock.part("solving"):
        rows, columns = np.array(munkres.Munkres().compute(costs), dtype=np.int64).reshape(-1, 2).T
        made = rewards[rows, columns] > 0
        return rows[made], columns[made]


RIVALS: Final[Mapping[str, Callable[[Blocks, Clock], Pairs]]] = {
    "top_50": top_50,
    "scipy_dense": scipy_dense,
    "scipy_sparse": scipy_sparse,
    "ortools_all_pairs": flow_of_all_pairs,
    "networkx": networkx_matching,
    "munkres": munkres_matrix,
}


def _one_each(blocks: Blocks) -> None:
    if max(blocks.rows.places.max(), blocks.columns.places.max()) > 1:
        raise Unfit("somebody has more than one place")


def _larger_than_all(blocks: Blocks) -> int:
    """More than any set of pairs scores: with it in each pair's weight, the number of pairs comes first."""
    return len(blocks.rows) * FULL + 2


def _rewards(blocks: Blocks) -> Floats:
    """Scores raised by what puts the number of pairs first; 0 where a rule is broken."""
    rewards = np.empty(blocks.shape)

    def fill(block: slice) -> None:
        scores = blocks.scores(block)
        scores += _larger_than_all(blocks)
        np.multiply(scores, blocks.feasible(block), out=rewards[block])

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(fill, blocks.slices()))
    return rewards


def _edges(blocks: Blocks) -> tuple[Integers, Integers, Floats]:
    """Row, column and score of every feasible pair."""

    def read(block: slice) -> tuple[Any, Any, Floats]:
        rows, columns = np.nonzero(blocks.feasible(block))
        scores = blocks.scores(block)[rows, columns]
        return (rows + block.start).astype(np.int32), columns.astype(np.int32), scores

    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(read, blocks.slices()))
    rows, columns, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, columns, scores


def _flow(blocks: Blocks, rows: Integers, columns: Integers, scores: Any) -> Pairs:
    """The largest flow of the least cost from a source over rows and columns to a sink; arcs of rows come first."""
    (height, width), flow = blocks.shape, SimpleMinCostFlow()
    source, sink = height + width, height + width + 1
    all_rows, all_columns = np.arange(height), height + np.arange(width)
    flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([rows, np.full(height, source), all_columns]),
        np.concatenate([columns + height, all_rows, np.full(width, sink)]),
        np.concatenate([np.ones(len(rows), dtype=np.int64), blocks.rows.places, blocks.columns.places]),
        np.concatenate([-scores.astype(np.int64), np.zeros(height + width, dtype=np.int64)]),
    )
    places = int(min(blocks.rows.places.sum(), blocks.columns.places.sum()))
    flow.set_node_supply(source, places)
    flow.set_node_supply(sink, -places)
    status = flow.solve_max_flow_with_min_cost()
    if status != flow.OPTIMAL:
        raise RuntimeError(f"OR-Tools ended with status {status}")
    taken = flow.flows(np.arange(len(rows))) > 0
    return rows[taken], columns[taken]


def main(name: str, people: int, variant: Variant, seed: int) -> None:
    limit_memory()
    pool, clock = pool_of(generate(people, variant, seed)), Clock()
    with clock.part("loading"):
        blocks = Blocks(pool)
    rows, columns = RIVALS[name](blocks, clock)
    value = int(blocks.scores_of(rows, columns).sum())
    report(Done(clock.seconds, peak_megabytes(), len(rows), value))


if __name__ == "__main__":
    typer.run(main)
