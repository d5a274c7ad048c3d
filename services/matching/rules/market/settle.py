"""The one step of the market: settle a person who has a price but free places.

Pairs and prices are optimal together when no price is below 0, who has a price has no free place, no pair that is not
made scores above its two prices, and none that is made scores below them. Settling keeps the conditions on pairs and
repairs the one on places, by one `search` for each free place.
"""

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled
from services.matching.rules.market.book import Book, Numbers
from services.matching.rules.market.rows import Integers
from services.matching.rules.market.search import drop, search

_NONE = -1
_UNPAYABLE = 2**61


@compiled
def settle(book: Book, people: Integers, begin: int, effort: int) -> int:
    """Settle people one after the other, from the position `begin` in `people`.

    Stops after the person with whom the searches have touched `effort` people; the position of who is next.
    """
    for n in range(begin, len(people)):
        effort -= _settle(book, people[n])
        if effort <= 0:
            return n + 1
    return len(people)


@compiled
def _settle(book: Book, person: int) -> int:
    touched = 0
    while book.free[person] > 0 and book.price[person] > 0:
        touched += search(book, person)
    return touched


@compiled
def introduce(
    book: Book,
    edges: int,
    side: int,
    people: Integers,
    starts: Integers,
    others: Integers,
    scores: Integers,
    begin: int,
    effort: int,
) -> tuple[int, int]:
    """Give people of one side (0 rows, 1 columns) new edges and settle them one after the other, as `settle` does.

    `others` and `scores` of the n-th of `people` stand at starts[n] to starts[n + 1]; there were `edges` before.
    Who is next, and how many edges there are. With an effort of 0 all get their edges and nobody is settled.
    """
    search = effort > 0
    for n in range(begin, len(people)):
        found = slice(starts[n], starts[n + 1])
        edges = _link(book, edges, side, people[n], others[found], scores[found])
        # until the person demands, its new edges break conditions on which the searches of others rely
        demand(book, people[n])
        if search:
            effort -= _settle(book, people[n])
            if effort <= 0:
                return n + 1, edges
    return len(people), edges


@compiled
def _link(book: Book, edges: int, side: int, person: int, others: Integers, scores: Integers) -> int:
    """Edges to those others to whom the person has none."""
    known = -2 - person
    end = book.first[person]
    while end != _NONE:
        book.place[book.person[end ^ 1]] = known
        end = book.next[end]
    # the first of the others comes last, because lists grow at their heads
    for n in range(len(others) - 1, -1, -1):
        if book.place[others[n]] != known:
            _put(book, 2 * edges + side, person, others[n], scores[n])
            edges += 1
    return edges


@compiled
def _put(book: Book, end: int, person: int, other: int, score: int) -> None:
    book.score[end >> 1] = score
    book.person[end], book.person[end ^ 1] = person, other
    book.next[end], book.next[end ^ 1] = book.first[person], book.first[other]
    book.first[person], book.first[other] = end, end ^ 1


@compiled
def demand(book: Book, person: int) -> None:
    """Raise a person's price to the best that a pair not made would give, and unmake pairs that give less.

    Afterwards no edge of the person breaks a condition; the person and former partners may be unsettled.
    """
    best = book.price[person]
    end = book.first[person]
    while end != _NONE:
        if not book.taken[end >> 1]:
            best = max(best, book.score[end >> 1] - book.price[book.person[end ^ 1]])
        end = book.next[end]
    if best == book.price[person]:
        return
    book.price[person] = best
    end = book.first_taken[person]
    while end != _NONE:
        after = book.next_taken[end]
        if book.score[end >> 1] - book.price[book.person[end ^ 1]] < best:
            drop(book, end >> 1)
        end = after


@compiled
def give_up(book: Book, person: int) -> None:
    """Take a free place of a person away, or else that of the pair that gives least, whose partner may be unsettled."""
    if book.free[person] == 0:
        least, end = book.first_taken[person], book.first_taken[person]
        while end != _NONE:
            if _gives(book, end) < _gives(book, least):
                least = end
            end = book.next_taken[end]
        book.price[person] = _gives(book, least)
        drop(book, least >> 1)
    book.free[person] -= 1


@compiled
def _gives(book: Book, end: int) -> int:
    return int(book.score[end >> 1] - book.price[book.person[end ^ 1]])


@compiled
def freeze(book: Book, row: int, column: int) -> bool:
    """Take a made pair and one place of both out of the market; whether there is such a pair."""
    end = book.first_taken[row]
    while end != _NONE and book.person[end ^ 1] != column:
        end = book.next_taken[end]
    if end == _NONE:
        return False
    drop(book, end >> 1)
    book.score[end >> 1] = -_UNPAYABLE
    book.free[row] -= 1
    book.free[column] -= 1
    return True


@compiled
def greedy(free: Integers, person: Numbers, taken: NDArray[np.bool_], order: Integers) -> NDArray[np.bool_]:
    """Which edges, not taken, can be added when they are tried in this order."""
    free, added = free.copy(), np.zeros(len(taken), dtype=np.bool_)
    for edge in order:
        row, column = person[2 * edge], person[2 * edge + 1]
        if not taken[edge] and free[row] > 0 and free[column] > 0:
            added[edge] = True
            free[row] -= 1
            free[column] -= 1
    return added
