"""The one step of the market: settle a person who has a price but free places.

A set of pairs and prices are optimal together when no price is below 0; who has a price has no free place; no pair that
is not made scores above the two prices; none that is made scores below them. Settling keeps the two conditions on pairs
and repairs the second one: a shortest path along which pairs are made and unmade in turn (Dijkstra over what each
step lacks, after Edmonds and Karp 1972) leads to somebody of the other side with a free place, or to somebody of the same
side whose price falls to 0 and who gives up a place, or the person's own price falls to 0.

Everything compiled that changes a book is in this file: see `compiled`.
"""

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled
from services.matching.rules.market.book import Book, Numbers
from services.matching.rules.market.rows import Integers

_NONE = -1
_FAR = 2**62


@compiled
def _rise(book: Book, person: int) -> None:
    """Put a person, whose distance has become shorter, where it belongs in the heap."""
    heap, place, distance = book.heap, book.place, book.distance
    at, far = place[person], distance[person]
    while at > 0:
        above = (at - 1) >> 1
        if distance[heap[above]] <= far:
            break
        heap[at] = heap[above]
        place[heap[at]] = at
        at = above
    heap[at] = person
    place[person] = at


@compiled
def _nearest(book: Book, size: int) -> int:
    """Take the nearest person out of a heap of `size`."""
    heap, place, distance = book.heap, book.place, book.distance
    nearest = heap[0]
    person = heap[size - 1]
    far, at, size = distance[person], 0, size - 1
    while 2 * at + 1 < size:
        below = 2 * at + 1
        if below + 1 < size and distance[heap[below + 1]] < distance[heap[below]]:
            below += 1
        if distance[heap[below]] >= far:
            break
        heap[at] = heap[below]
        place[heap[at]] = at
        at = below
    heap[at] = person
    place[person] = at
    return int(nearest)


@compiled
def _take(book: Book, edge: int) -> None:
    book.taken[edge] = True
    for end in (2 * edge, 2 * edge + 1):
        person = book.person[end]
        book.next_taken[end] = book.first_taken[person]
        book.first_taken[person] = end
        book.free[person] -= 1


@compiled
def _drop(book: Book, edge: int) -> None:
    book.taken[edge] = False
    for end in (2 * edge, 2 * edge + 1):
        person = book.person[end]
        book.free[person] += 1
        if book.first_taken[person] == end:
            book.first_taken[person] = book.next_taken[end]
            continue
        before = book.first_taken[person]
        while book.next_taken[before] != end:
            before = book.next_taken[before]
        book.next_taken[before] = book.next_taken[end]


@compiled
def _search(book: Book, source: int) -> int:
    """One path for one free place of `source`: prices and pairs change by it. How many people it touched."""
    price, distance, way = book.price, book.distance, book.way
    limit, last = price[source], source
    distance[source], way[source] = 0, _NONE
    book.heap[0], book.place[source], book.touched[0] = source, 0, source
    size, touched = 1, 1
    side = book.first[source] & 1
    while size > 0:
        person = _nearest(book, size)
        size -= 1
        far = distance[person]
        if far >= limit:
            break
        own = way[person] == _NONE or (way[person] & 1) != side
        end = book.first[person] if own else book.first_taken[person]
        while end != _NONE:
            edge = end >> 1
            if own and book.taken[edge]:
                end = book.next[end]
                continue
            other = book.person[end ^ 1]
            lacks = price[person] + price[other] - book.score[edge]
            reach = far + (lacks if own else -lacks)
            if reach < limit and reach < distance[other]:
                if distance[other] == _FAR:
                    book.touched[touched] = other
                    touched += 1
                    book.place[other] = size
                    size += 1
                distance[other], way[other] = reach, end
                _rise(book, other)
                if own and book.free[other] > 0:
                    limit, last = reach, other
                if not own and reach + price[other] < limit:
                    limit, last = reach + price[other], other
            end = book.next[end] if own else book.next_taken[end]
    _reprice(book, touched, limit, side)
    _exchange(book, last)
    return touched


@compiled
def _reprice(book: Book, touched: int, limit: int, side: int) -> None:
    """Whoever is nearer than the path's end pays less on the side of the source, and more on the other."""
    for person in book.touched[:touched]:
        step = limit - book.distance[person]
        if step > 0:
            own = book.way[person] == _NONE or (book.way[person] & 1) != side
            book.price[person] += -step if own else step
        book.distance[person] = _FAR


@compiled
def _exchange(book: Book, last: int) -> None:
    """Make and unmake the pairs along the path that ends at `last`."""
    end = book.way[last]
    while end != _NONE:
        before = book.way[book.person[end]]
        if book.taken[end >> 1]:
            _drop(book, end >> 1)
        else:
            _take(book, end >> 1)
        end = before


@compiled
def settle(book: Book, people: Integers, begin: int, effort: int) -> int:
    """Let people demand and settle one after the other, from the position `begin` in `people`.

    Stops after the person with whom the searches have touched `effort` people; the position of who is next.
    """
    touched = 0
    for n in range(begin, len(people)):
        person = people[n]
        _demand(book, person)
        while book.free[person] > 0 and book.price[person] > 0:
            touched += _search(book, person)
        if touched >= effort:
            return n + 1
    return len(people)


@compiled
def _demand(book: Book, person: int) -> None:
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
            _drop(book, end >> 1)
        end = after


@compiled
def give_up(book: Book, person: int) -> None:
    """Take a free place of a person away, or else the one of the pair that gives least; the partner may be unsettled."""
    if book.free[person] == 0:
        least, end = book.first_taken[person], book.first_taken[person]
        while end != _NONE:
            if _gives(book, end) < _gives(book, least):
                least = end
            end = book.next_taken[end]
        book.price[person] = _gives(book, least)
        _drop(book, least >> 1)
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
    _drop(book, end >> 1)
    book.score[end >> 1] = -_FAR
    book.free[row] -= 1
    book.free[column] -= 1
    return True


@compiled
def greedy(free: Integers, person: Numbers, taken: NDArray[np.bool_], order: Integers) -> NDArray[np.bool_]:
    """Which edges, not taken, can be added when they are tried in this order."""
    free, added = free.copy(), np.zeros(len(order), dtype=np.bool_)
    for edge in order:
        row, column = person[2 * edge], person[2 * edge + 1]
        if not taken[edge] and free[row] > 0 and free[column] > 0:
            added[edge] = True
            free[row] -= 1
            free[column] -= 1
    return added


@compiled
def link(
    book: Book, edges: int, side: int, people: Integers, starts: Integers, others: Integers, scores: Integers
) -> int:
    """Give people of one side (0 rows, 1 columns) edges to others, but none that they have; how many edges there are.

    `others` and `scores` of the n-th of `people` stand at starts[n] to starts[n + 1]; there were `edges` before.
    """
    for n in range(len(people)):
        person = people[n]
        known = -2 - person
        end = book.first[person]
        while end != _NONE:
            book.place[book.person[end ^ 1]] = known
            end = book.next[end]
        # the first of the others comes last, because lists grow at their heads
        for at in range(starts[n + 1] - 1, starts[n] - 1, -1):
            if book.place[others[at]] != known:
                _put(book, 2 * edges + side, person, others[at], scores[at])
                edges += 1
    return edges


@compiled
def _put(book: Book, end: int, person: int, other: int, score: int) -> None:
    book.score[end >> 1] = score
    book.person[end], book.person[end ^ 1] = person, other
    book.next[end], book.next[end ^ 1] = book.first[person], book.first[other]
    book.first[person], book.first[other] = end, end ^ 1
