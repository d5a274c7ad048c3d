"""The shortest path of a person who has a price and a free place, along which pairs are made and unmade in turn.

Dijkstra's algorithm over what each step lacks (after Edmonds and Karp 1972): making a pair lacks its two prices less
its score, unmaking one the contrary; neither is ever below 0. The path ends at somebody of the other side who has a
free place, or at somebody of the same side, perhaps the person alone, whose price falls to 0 by giving up a place.
"""

from services.matching.rules.compiled import compiled
from services.matching.rules.market.book import Book, Numbers
from services.matching.rules.market.rows import Integers

_NONE = -1
_FAR = 2**62


@compiled
def search(book: Book, source: int) -> int:
    """One path for one free place of `source`: prices and pairs change by it. How many people it touched."""
    price, distance, way, place, owner = book.price, book.distance, book.way, book.place, book.person
    limit, last, side = price[source], source, book.first[source] & 1
    distance[source], way[source] = 0, _NONE
    book.heap[0], place[source], book.touched[0] = source, 0, source
    size, touched = 1, 1
    while size > 0:
        person = _nearest(book.heap, place, distance, size)
        size -= 1
        far, own = distance[person], way[person] == _NONE or (way[person] & 1) != side
        if far >= limit:
            break
        # go on from the source's own side by pairs not made, from the other side by pairs made
        end = book.first[person] if own else book.first_taken[person]
        while end != _NONE:
            other, edge = owner[end ^ 1], end >> 1
            lacks = price[person] + price[other] - book.score[edge]
            reach = far + (lacks if own else -lacks)
            if reach < limit and reach < distance[other] and not (own and book.taken[edge]):
                if distance[other] == _FAR:
                    book.touched[touched], place[other] = other, size
                    touched, size = touched + 1, size + 1
                distance[other], way[other] = reach, end
                _rise(book.heap, place, distance, other)
                if not own or book.free[other] > 0:
                    # a path may end here: for nothing at a free place, for its price at somebody who gives one up
                    whole = reach if own else reach + price[other]
                    limit, last = (whole, other) if whole < limit else (limit, last)
            end = book.next[end] if own else book.next_taken[end]
    _move_prices(book, touched, limit, side)
    _exchange(book, last)
    return touched


@compiled
def _rise(heap: Numbers, place: Numbers, distance: Integers, person: int) -> None:
    """Put a person, whose distance has become shorter, where it belongs in the heap."""
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
def _nearest(heap: Numbers, place: Numbers, distance: Integers, size: int) -> int:
    """Take the nearest person out of a heap of `size`."""
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
def _move_prices(book: Book, touched: int, limit: int, side: int) -> None:
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
            drop(book, end >> 1)
        else:
            take(book, end >> 1)
        end = before


@compiled
def take(book: Book, edge: int) -> None:
    """Make a pair."""
    book.taken[edge] = True
    for end in (2 * edge, 2 * edge + 1):
        person = book.person[end]
        book.next_taken[end] = book.first_taken[person]
        book.first_taken[person] = end
        book.free[person] -= 1


@compiled
def drop(book: Book, edge: int) -> None:
    """Unmake a pair."""
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
