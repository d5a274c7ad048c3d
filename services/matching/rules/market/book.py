"""The arrays of a market: people with prices and free places, the pairs that they may make, and those that they make.

A person is a number below `people`; a possible pair is an edge with two ends, 2 * edge at its row and 2 * edge + 1 at
its column, so that `end ^ 1` is the other end and `end >> 1` the edge. Each person's ends are a linked list, and so are
the ends of the edges that the person has taken.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.market.rows import Integers

NONE = -1
# Nobody can pay this: the price of people without places. Two of them and a score still fit into 63 bits.
UNPAYABLE = 2**61
_FAR = 2**62

Numbers = NDArray[np.int32]


class Book(NamedTuple):
    """int64 `price`, `free` (places not taken) and `distance` per person; int64 `score` and bool `taken` per edge.

    `first` and `first_taken` (per person), `next` and `next_taken` (per end) are the lists; `person` is whose end it
    is. The rest is the room of a search: the `distance` to a person, the end by which it came (`way`), a heap of people
    with the `place` of each in it, and the people it touched.
    """

    price: Integers
    free: Integers
    first: Numbers
    first_taken: Numbers
    person: Numbers
    next: Numbers
    next_taken: Numbers
    score: Integers
    taken: NDArray[np.bool_]
    distance: Integers
    way: Numbers
    heap: Numbers
    place: Numbers
    touched: Numbers


def empty_book(people: int, edges: int) -> Book:
    """Room for so many people and edges; nobody has places yet."""
    return Book(
        price=np.full(people, UNPAYABLE),
        free=np.zeros(people, dtype=np.int64),
        first=_none(people),
        first_taken=_none(people),
        person=_none(2 * edges),
        next=_none(2 * edges),
        next_taken=_none(2 * edges),
        score=np.zeros(edges, dtype=np.int64),
        taken=np.zeros(edges, dtype=np.bool_),
        distance=np.full(people, _FAR),
        way=_none(people),
        heap=_none(people),
        place=_none(people),
        touched=_none(people),
    )


def larger(book: Book, people: int, edges: int) -> Book:
    """A copy with room for more."""
    grown = empty_book(people, edges)
    for name in Book._fields:
        old = getattr(book, name)
        getattr(grown, name)[: len(old)] = old
    return grown


def _none(count: int) -> Numbers:
    return np.full(count, NONE, dtype=np.int32)
