"""A market that stays: people come and go, change their places, are paired for good, and the rest stays optimal."""

from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.market import settle as steps
from services.matching.rules.market.bids import ask, bid
from services.matching.rules.market.book import UNPAYABLE, empty_book, larger
from services.matching.rules.market.rows import Integers, Shortlist
from services.matching.rules.market.search import drop

# Searches may touch so many people (some ten milliseconds) before somebody looks at the clock
_EFFORT = 50_000


class Side(IntEnum):
    ROW = 0
    COLUMN = 1

    @property
    def other(self) -> "Side":
        return Side(1 - self)


class Market:
    """The best pairs of the people and possible pairs that it knows, with the prices that prove it.

    A person is `(side, number)`, numbered from 0 on each side in the order of coming. `shift` is added to each score:
    more than any set of pairs can score puts the number of pairs first. Prices are in shifted scores.

    Whoever keeps a market for rolling matching does this:

    * arrival: `come(side, places)`, then scan that person at the other side's `prices` and `offer` what was found;
    * `settle()`, after which `partners` and `pairs` are the optimum over all that the market knows;
    * a pair in force: `freeze(row, column)` takes the pair and one place of both out of the market;
    * withdrawal: `change(side, number, 0)`; new capacity: `change(side, number, places)`, counted without frozen pairs.
      Who had no place left and gets one is scanned and offered again, since nobody looked at that person meanwhile.

    A pair that is not known can add value only if its score plus `shift` is above the two prices: a scan at the present
    prices finds all such pairs of a person. Memory: 60 bytes a person and 33 bytes a pair. A step takes some
    microseconds in a pool with room, and the time of one shortest path in a full one.
    """

    def __init__(self, row_places: Integers, column_places: Integers, shift: int = 0) -> None:
        rows, columns = len(row_places), len(column_places)
        self.shift = shift
        self._people = [np.arange(rows), rows + np.arange(columns)]
        self._count, self._edges = rows + columns, 0
        self._offers: list[tuple[Side, Integers, Integers, Integers, Integers]] = []
        self._book = empty_book(rows + columns, 0)
        self._book.free[:] = np.concatenate([row_places, column_places])
        self._book.price[self._book.free > 0] = 0

    def prices(self, side: Side) -> Integers:
        """What a place of each person of a side costs; `UNPAYABLE` where the person has none."""
        return self._book.price[self._people[side]]

    def places(self, side: Side, number: int) -> int:
        """How many pairs a person can make beside frozen ones."""
        person = self._people[side][number]
        return int(self._book.free[person]) + len(self._taken_ends(person))

    def partners(self, side: Side, number: int) -> list[int]:
        """With whom of the other side, by number, a person is paired, frozen pairs apart."""
        others = [self._book.person[end ^ 1] for end in self._taken_ends(self._people[side][number])]
        return sorted(self._numbers()[others].tolist())

    def pairs(self) -> tuple[Integers, Integers, Integers]:
        """Row, column and score (without the shift) of each pair that is made, sorted by row and column."""
        return self._pairs(self._book.taken[: self._edges])

    def filled_pairs(self) -> tuple[Integers, Integers, Integers]:
        """The same while people are unsettled, and pairs among their free places: greedily, highest scores first."""
        book, edges = self._book, slice(0, self._edges)
        order = np.argsort(-book.score[edges], kind="stable")
        order = order[book.score[order] >= 0]
        return self._pairs(book.taken[edges] | steps.greedy(book.free, book.person, book.taken[edges], order))

    def come(self, side: Side, places: int) -> int:
        """A person arrives; its number on its side."""
        person, self._count = self._count, self._count + 1
        self._reserve(self._count, 0)
        self._people[side] = np.append(self._people[side], person)
        self._book.free[person] = places
        self._book.price[person] = 0 if places else UNPAYABLE
        return len(self._people[side]) - 1

    def offer(self, side: Side, numbers: Integers, found: Shortlist) -> None:
        """Tell of pairs that people of one side could make; those that are known already are passed over."""
        others = self._people[side.other][found.columns]
        self._offers.append((side, self._people[side][numbers], found.starts, others, found.scores + self.shift))

    def change(self, side: Side, number: int, places: int) -> None:
        """Give a person so many places; pairs that no longer fit are unmade."""
        person, book = int(self._people[side][number]), self._book
        now = self.places(side, number)
        if now == 0 and places > 0:
            book.price[person] = 0
            steps.demand(book, person)
        book.free[person] += max(places - now, 0)
        for _ in range(now - places):
            steps.give_up(book, person)
        if places == 0:
            book.price[person] = UNPAYABLE

    def freeze(self, row: int, column: int) -> None:
        """Take a pair that is made out of the market. Raises KeyError if it is not made."""
        two = int(self._people[Side.ROW][row]), int(self._people[Side.COLUMN][column])
        if not steps.freeze(self._book, *two):
            raise KeyError((row, column))
        for person in two:
            if self._book.free[person] == 0 and not self._taken_ends(person):
                self._book.price[person] = UNPAYABLE

    def settle(self, out_of_time: Callable[[], bool] = lambda: False) -> bool:
        """Make the pairs the best of all known; False if the time was over before that."""
        while self._offers:
            self._take_up(*self._offers.pop(0), out_of_time)
        book, count, done = self._book, self._count, 0
        people = np.flatnonzero((book.free[:count] > 0) & (book.price[:count] > 0))
        while done < len(people) and not out_of_time():
            done = steps.settle(book, people, done, _EFFORT)
        return done == len(people)

    def guess(self, step: int, bids: int, out_of_time: Callable[[], bool] = lambda: False) -> None:
        """Begin anew with the prices that rows reach by bidding for the known pairs, so many times each on average."""
        while self._offers:
            self._take_up(*self._offers.pop(0), lambda: True)
        book, rows = self._book, self._people[Side.ROW]
        for edge in np.flatnonzero(book.taken).tolist():
            drop(book, edge)
        book.price[book.price < UNPAYABLE] = 0
        paid, left, unused = np.zeros(len(book.score), dtype=np.int64), bids * len(rows), 0
        while left > 0 and not unused and not out_of_time():
            now = min(left, _EFFORT)
            unused, left = bid(book, rows, self.shift, step, paid, now), left - now
        ask(book, rows)

    def _take_up(
        self,
        side: Side,
        people: Integers,
        starts: Integers,
        others: Integers,
        scores: Integers,
        out_of_time: Callable[[], bool],
    ) -> None:
        self._reserve(self._count, self._edges + len(others))
        done = 0
        while done < len(people):
            effort = 0 if out_of_time() else _EFFORT
            done, self._edges = steps.introduce(
                self._book, self._edges, int(side), people, starts, others, scores, done, effort
            )

    def upper_bound(self, rest: Integers) -> int:
        """What no set of pairs can exceed in shifted scores, by weak duality at the present prices.

        rest: per row, no pair that is not known gives more than this (shifted score less the column's price).
        """
        book, rows = self._book, np.maximum(self.prices(Side.ROW), rest)
        row, column = self._known()
        columns = self.prices(Side.COLUMN)
        surplus = book.score[: self._edges] - columns[column] - rows[row]
        taken = self._book.taken[: self._edges]
        paid = 0
        for side, prices, numbers in ((Side.ROW, rows, row), (Side.COLUMN, columns, column)):
            places = book.free[self._people[side]] + np.bincount(numbers[taken], minlength=len(prices))
            paid += _total(np.where(places > 0, prices, 0), places)
        surplus = surplus[surplus > 0]
        return paid + _total(surplus, np.ones_like(surplus))

    def _pairs(self, chosen: NDArray[np.bool_]) -> tuple[Integers, Integers, Integers]:
        rows, columns = self._known()
        rows, columns, scores = rows[chosen], columns[chosen], self._book.score[: self._edges][chosen] - self.shift
        order = np.lexsort((columns, rows))
        return rows[order], columns[order], scores[order]

    def _known(self) -> tuple[Integers, Integers]:
        """Row and column number of every edge."""
        numbers, person = self._numbers(), self._book.person[: 2 * self._edges]
        return numbers[person[0::2]], numbers[person[1::2]]

    def _numbers(self) -> Integers:
        numbers = np.empty(self._count, dtype=np.int64)
        for people in self._people:
            numbers[people] = np.arange(len(people))
        return numbers

    def _taken_ends(self, person: int) -> list[int]:
        ends, end = [], int(self._book.first_taken[person])
        while end >= 0:
            ends.append(end)
            end = int(self._book.next_taken[end])
        return ends

    def _reserve(self, people: int, edges: int) -> None:
        """Room for so many people and edges; it grows by half, so that coming is cheap on average."""
        has = len(self._book.price), len(self._book.score)
        if people > has[0] or edges > has[1]:
            wants = zip((people, edges), has, strict=True)
            room = [size if want <= size else max(want, size + size // 2) for want, size in wants]
            self._book = larger(self._book, *room)


def _total(values: Integers, times: Integers) -> int:
    """The exact sum of values x times, of values below 2**62 and times that sum to less than 2**31."""
    high, low = values >> 31, values & (2**31 - 1)
    return (int(high @ times) << 31) + int(low @ times)
