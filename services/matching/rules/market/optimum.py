"""The exact best pairs over all feasible ones, of which only a choice is ever looked at.

Column generation (after Dantzig and Wolfe 1960): the best columns of each row make a market; its prices prove a row
when no column that the row does not know could give it more than it has. The other rows are scanned at these prices and
learn better columns, until every row is proven. Then the prices bound the total over all feasible pairs by the value
that is reached.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from libs.contracts.words import Objective
from services.matching.rules.market.book import UNPAYABLE
from services.matching.rules.market.market import Market, Side
from services.matching.rules.market.rows import Integers, Rows

# Columns per row in the first choice, and in each later one besides one per place
FIRST = 32
MORE = 8
# Where many want the same, prices are guessed after so many first scans: bids step by a part of the highest score
GUESSES = 3
_STEPS = 500
_BIDS = 50
_ROWS_A_LOOK = 1_000
_HIGHEST = UNPAYABLE // 2


@dataclass(frozen=True, slots=True)
class Optimum:
    """Pairs by row and column number, sorted, with their scores; `value` is their total.

    No set of pairs that the objective allows scores above `upper_bound`: equal to `value` unless the time was over.
    `market` is the state that it comes from, for who wants to go on with it. `scans` is how many times rows were asked.
    """

    rows: Integers
    columns: Integers
    scores: Integers
    value: int
    upper_bound: int
    market: Market
    scans: int


def optimum(
    rows: Rows,
    objective: Objective,
    *,
    first: int = FIRST,
    more: int = MORE,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Optimum:
    """The best pairs under one of the two objectives, see `best_pairs`.

    first, more: how many columns each row is told of at first, and later besides one per place; they change the speed.
    out_of_time: asked now and then; once it says yes the pairs found so far are returned, with an honest upper bound.
    Raises OverflowError where prices could leave 61 bits: for `participation` the highest score x possible pairs.
    """
    shift = shift_of(rows, objective)
    market = Market(rows.row_places, rows.column_places, shift)
    rest = np.where(rows.row_places > 0, rows.highest + shift, 0)
    scans, proven = _prove(rows, market, rest, (first, more), out_of_time)
    row, column, score = market.pairs() if proven else market.filled_pairs()
    value = sum(score.tolist())
    bound = market.upper_bound(rest)
    most = bound // shift if shift else len(row)
    bound -= len(row) * shift
    if most > len(row):
        bound = min(bound, most * rows.highest)
    return Optimum(row, column, score, value, bound, market, scans)


def _prove(
    rows: Rows, market: Market, rest: Integers, counts: tuple[int, int], out_of_time: Callable[[], bool]
) -> tuple[int, bool]:
    """Scan and settle until every row is proven or the time is over; how often, and which of the two.

    `rest` is kept true: no pair of a row that the market does not know gives more than that.
    """
    lowest = -1 if market.shift else 0
    asked = np.flatnonzero(rows.row_places > 0)
    floors, count, scans, guesses, settled = np.full(len(asked), lowest), counts[0], 0, 0, True
    always = rest.copy()
    while (len(asked) or not settled) and not (scans and out_of_time()):
        prices = market.prices(Side.COLUMN)
        found = rows.best(asked, prices, floors, count)
        market.offer(Side.ROW, asked, found)
        rest[asked] = found.rest + market.shift
        if scans == 0:
            # prices never fall below 0, so what holds at 0 holds always
            always[asked] = np.where(found.rest == lowest, 0, rest[asked])
            guesses = 0 if market.settle(_soon(len(asked), out_of_time)) else GUESSES
        scans += 1
        if scans <= guesses:
            market.guess(max(rows.highest // _STEPS, 1), _BIDS, out_of_time)
        settled = scans >= guesses and market.settle(out_of_time)
        fall = int((prices - market.prices(Side.COLUMN)).max(initial=0))
        rest[:] = np.minimum(rest + fall, always)
        wants = market.prices(Side.ROW)
        asked = np.flatnonzero(rest > wants)
        # a row's own pairs may be told first: one more is news, and without news the search would never end
        floors, count = wants[asked] - market.shift, max(counts[1], 1) + int(rows.row_places.max())
    return scans, settled and len(asked) == 0


def _soon(rows: int, out_of_time: Callable[[], bool]) -> Callable[[], bool]:
    """Out of time also after so many looks at the clock as rows in a pool with room need."""
    looks = iter(range(2 + rows // _ROWS_A_LOOK))
    return lambda: next(looks, None) is None or out_of_time()


def shift_of(rows: Rows, objective: Objective) -> int:
    """What to add to each score so that the best total also has the most pairs, where these come first."""
    most = min(int(rows.row_places.sum()), int(rows.column_places.sum()))
    shift = most * rows.highest + 1 if objective is Objective.PARTICIPATION else 0
    if shift + rows.highest > _HIGHEST:
        raise OverflowError(f"scores up to {rows.highest} are too large for {most} pairs: divide them")
    return shift
