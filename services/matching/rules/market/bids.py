"""A first guess at prices: rows bid for columns (after Bertsekas 1988), and whoever pays least for a place loses it.

A bid is what a column is worth to the row beyond its next best, and `step` more, so that prices move on where many want
the same. The pairs are nearly the best ones; `search` repairs what is not.
"""

import numpy as np

from services.matching.rules.compiled import compiled
from services.matching.rules.market.book import Book
from services.matching.rules.market.rows import Integers
from services.matching.rules.market.search import drop, take
from services.matching.rules.market.settle import demand

_NONE = -1


@compiled
def bid(book: Book, rows: Integers, shift: int, step: int, paid: Integers, effort: int) -> int:
    """Let the rows bid until none wants to or they have made `effort` bids; how many of these were not needed.

    `paid`: what the last bid for each pair was, 0 at first.
    """
    out, busy = np.zeros(len(rows), dtype=np.bool_), True
    while busy and effort > 0:
        busy = False
        for n in range(len(rows)):
            while not out[n] and book.free[rows[n]] > 0 and effort > 0:
                out[n], busy, effort = not _bid(book, rows[n], shift, step, paid), True, effort - 1
    return effort


@compiled
def ask(book: Book, rows: Integers) -> None:
    """Price the rows by what the columns cost."""
    for row in rows:
        demand(book, row)


@compiled
def _bid(book: Book, row: int, shift: int, step: int, paid: Integers) -> bool:
    """Bid for the best column; False if none is worth its price."""
    best, second, chosen = 0, 0, _NONE
    end = book.first[row]
    while end != _NONE:
        worth = book.score[end >> 1] - shift - book.price[book.person[end ^ 1]]
        if worth > second and not book.taken[end >> 1]:
            if worth > best:
                best, second, chosen = worth, best, end
            else:
                second = worth
        end = book.next[end]
    if chosen == _NONE:
        return False
    column = book.person[chosen ^ 1]
    # no more than the pair is worth, or the row would hold it at a loss
    paid[chosen >> 1] = book.price[column] + min(best - second + step, best)
    take(book, chosen >> 1)
    if book.free[column] < 0:
        drop(book, _lowest(book, column, paid) >> 1)
    if book.free[column] == 0:
        book.price[column] = paid[_lowest(book, column, paid) >> 1]
    return True


@compiled
def _lowest(book: Book, column: int, paid: Integers) -> int:
    lowest = end = book.first_taken[column]
    while end != _NONE:
        if paid[end >> 1] < paid[lowest >> 1]:
            lowest = end
        end = book.next_taken[end]
    return int(lowest)
