"""How long an arrival takes in a pool whose best pairs are kept: a scan of one person and one step of the market.

Two pools are measured: one in which pairs may still be remade for the newcomer, so that the result stays the optimum,
and one in which all pairs are in force, as after a round.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from statistics import median, quantiles
from typing import Annotated, Any, Final

import numpy as np
import typer

from libs.contracts.words import Objective, Role
from services.matching.rules.crowd.rows import CrowdRows
from services.matching.rules.market.market import Market, Side
from services.matching.rules.market.optimum import optimum
from services.matching.rules.market.rows import Integers, Rows

from .clock import Clock
from .engine import THREADS, crowd_in
from .generator import Variant, generate

# As long as a row's first choice in a round
_SHORTLIST: Final = 32
_WARM_UP: Final = 20


class Before:
    """The pool before some of its rows have come: they have no places yet."""

    def __init__(self, rows: Rows, late: Integers) -> None:
        self.row_places = rows.row_places.copy()
        self.row_places[late] = 0
        self.column_places, self.highest, self.best = rows.column_places, rows.highest, rows.best


def arrive(market: Market, rows: Rows, row: int) -> None:
    """The row gets its places and the best pair that the whole pool has for it."""
    market.change(Side.ROW, row, int(rows.row_places[row]))
    number, floor = np.array([row]), -1
    while True:
        found = rows.best(number, market.prices(Side.COLUMN), np.array([floor]), _SHORTLIST)
        market.offer(Side.ROW, number, found)
        market.settle()
        paid = int(market.prices(Side.ROW)[row]) - market.shift
        if found.rest[0] <= paid:
            return
        floor = paid


def freeze_all(market: Market) -> None:
    """Put every pair into force."""
    made, others, _ = market.pairs()
    for row, column in zip(made.tolist(), others.tolist(), strict=True):
        market.freeze(row, column)


def milliseconds(act: Callable[[int], None], rows: Integers) -> dict[str, Any]:
    """What one act took; the first few are not counted."""
    taken = []
    for row in rows.tolist():
        start = time.perf_counter()
        act(row)
        taken.append(1_000 * (time.perf_counter() - start))
    counted = taken[_WARM_UP:]
    percentiles = quantiles(counted, n=100)
    spread = {"min": min(counted), "max": max(counted), "p95": percentiles[94], "p99": percentiles[98]}
    return {"unit": "ms", "median": median(counted)} | spread


def measured(people: int, variant: Variant, seed: int, arrivals: int) -> dict[str, Any]:
    """Figures by name, and how far the kept pairs are from the full optimum after all have come."""
    crowd = crowd_in(generate(people, variant, seed), Clock())
    rows = CrowdRows(crowd, Role.MENTEE, THREADS)
    open_rows = np.flatnonzero(rows.row_places > 0)
    late = np.random.default_rng(seed).choice(open_rows, min(arrivals + _WARM_UP, len(open_rows) // 2), replace=False)
    figures = {}
    for name, frozen in (("arrival_remaking_pairs", False), ("arrival_after_a_round", True)):
        market = optimum(Before(rows, late), Objective.PARTICIPATION).market
        if frozen:
            freeze_all(market)
        figures[name] = milliseconds(partial(arrive, market, rows), late)
        if not frozen:
            full = optimum(rows, Objective.PARTICIPATION)
            kept = int(market.pairs()[2].sum())
            figures[name] |= {"value": kept, "full_optimum": full.value}
    return figures


def main(
    people: int,
    variant: Variant = Variant.LOPSIDED,
    seed: int = 1,
    arrivals: Annotated[int, typer.Option(help="How many arrive one after the other")] = 1_000,
) -> None:
    measured(1_000, variant, seed, 2 * _WARM_UP)
    print(json.dumps(measured(people, variant, seed, arrivals)))


if __name__ == "__main__":
    typer.run(main)
