"""People come and go, change their places and are paired for good: after each step the market is what a new one is."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.words import Objective
from services.matching.rules.market.book import UNPAYABLE
from services.matching.rules.market.market import Market, Side
from services.matching.rules.market.optimum import optimum, shift_of
from services.matching.rules.market.rows import Shortlist
from tests.matching.markets import people, row_of_each, rows_of_matrix

HIGHEST, MOST = 50, 200
SHIFTS = {Objective.SCORE: 0, Objective.PARTICIPATION: MOST * HIGHEST + 1}


def found(numbers: list[int], scores: list[int]) -> Shortlist:
    return Shortlist(np.array([0, len(numbers)]), np.array(numbers, dtype=np.int32), np.array(scores), np.array([0]))


@dataclass
class Town:
    """A market, and beside it what a new market would be told."""

    objective: Objective
    places: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    scores: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        none = np.empty(0, dtype=np.int64)
        self.market = Market(none, none, SHIFTS[self.objective])

    def come(self, side: Side, places: int, wishes: list[int]) -> None:
        number = self.market.come(side, places)
        self.places[side].append(places)
        self.offer(side, number, list(range(len(self.places[side.other]))), wishes)

    def offer(self, side: Side, number: int, others: list[int], wishes: list[int]) -> None:
        """A wish below 0 forbids; a pair without value is no pair where the score counts."""
        lowest = 0 if self.objective is Objective.PARTICIPATION else 1
        known = [(other, wish) for other, wish in zip(others, wishes, strict=False) if wish >= lowest]
        pairs = [(number, other) if side is Side.ROW else (other, number) for other, _ in known]
        for pair, (_, wish) in zip(pairs, known, strict=True):
            self.scores.setdefault(pair, wish)
        self.market.offer(side, np.array([number]), found([other for other, _ in known], [wish for _, wish in known]))

    def change(self, side: Side, number: int, places: int) -> None:
        self.places[side][number] = places
        self.market.change(side, number, places)

    def freeze(self, row: int, column: int) -> None:
        self.market.freeze(row, column)
        self.scores[row, column] = -1
        self.places[Side.ROW][row] -= 1
        self.places[Side.COLUMN][column] -= 1

    def check(self) -> None:
        assert self.market.settle()
        rows, columns, scores = self.market.pairs()
        matrix = np.full((len(self.places[0]), len(self.places[1])), -1)
        for pair, score in self.scores.items():
            matrix[pair] = score
        anew = optimum(rows_of_matrix(matrix, *self.places), self.objective)
        assert scores.tolist() == matrix[rows, columns].tolist()
        assert int(scores.sum()) == anew.value
        assert self.objective is Objective.SCORE or len(rows) == len(anew.rows)
        for side, numbers in ((Side.ROW, rows), (Side.COLUMN, columns)):
            assert (np.bincount(numbers, minlength=len(self.places[side])) <= self.places[side]).all()
            assert [self.market.places(side, n) for n in range(len(self.places[side]))] == self.places[side]
            unpayable = self.market.prices(side) == UNPAYABLE
            assert unpayable.tolist() == [places == 0 for places in self.places[side]]
        nothing_else = np.zeros(len(self.places[0]), dtype=np.int64)
        assert self.market.upper_bound(nothing_else) == int(scores.sum()) + len(rows) * self.market.shift


@pytest.mark.parametrize("objective", Objective)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_after_every_step_the_pairs_are_those_of_a_new_market(objective: Objective, data: st.DataObject) -> None:
    town = Town(objective)
    side, wish = st.sampled_from(Side), st.integers(-HIGHEST, HIGHEST)
    for _ in range(data.draw(st.integers(1, 25))):
        step = data.draw(st.sampled_from(["come", "come", "come", "change", "leave", "freeze", "offer", "offer"]))
        where = data.draw(side)
        rows, columns, _ = town.market.pairs()
        if step == "come":
            town.come(where, data.draw(st.integers(0, 3)), data.draw(st.lists(wish, min_size=12, max_size=12)))
        elif step == "freeze" and len(rows):
            pair = data.draw(st.integers(0, len(rows) - 1))
            town.freeze(int(rows[pair]), int(columns[pair]))
        elif step in ("change", "leave", "offer") and town.places[where]:
            number = data.draw(st.integers(0, len(town.places[where]) - 1))
            if step == "offer" and town.places[where.other]:
                other = data.draw(st.integers(0, len(town.places[where.other]) - 1))
                town.offer(where, number, [other], [data.draw(wish)])
            elif step != "offer":
                town.change(where, number, data.draw(st.integers(0, 3)) if step == "change" else 0)
        town.check()


@pytest.mark.parametrize("objective", Objective)
def test_hundreds_of_people_who_come_one_by_one_are_paired_as_if_all_had_come_at_once(objective: Objective) -> None:
    pool = people(6, 300, 260, 12, highest=HIGHEST, places=2, hub=True)
    market = Market(np.empty(0, dtype=np.int64), pool.column_places, shift_of(pool, objective))
    for row in range(300):
        cells = slice(pool.starts[row], pool.starts[row + 1])
        worth = pool.scores[cells] > (0 if objective is Objective.SCORE else -1)
        market.come(Side.ROW, int(pool.row_places[row]))
        market.offer(Side.ROW, np.array([row]), found(pool.columns[cells][worth], pool.scores[cells][worth]))
        assert market.settle()

    rows, columns, scores = market.pairs()

    best = optimum(pool, objective)
    assert int(scores.sum()) == best.value
    assert objective is Objective.SCORE or len(rows) == len(best.rows)
    assert market.partners(Side.ROW, int(rows[0])) == columns[rows == rows[0]].tolist()
    assert len(row_of_each(pool)) == len(pool.scores)


def test_who_learns_of_a_better_pair_leaves_for_it_and_the_partner_finds_another() -> None:
    market = Market(np.array([1, 1]), np.array([1, 1]))
    market.offer(
        Side.ROW, np.array([0, 1]), Shortlist(np.array([0, 1, 2]), np.zeros(2, np.int32), np.array([5, 3]), np.zeros(2))
    )
    assert market.settle()
    assert market.partners(Side.COLUMN, 0) == [0]

    market.offer(Side.ROW, np.array([0]), found([1], [9]))

    assert market.settle()
    assert [numbers.tolist() for numbers in market.pairs()] == [[0, 1], [1, 0], [9, 3]]


def test_a_pair_that_is_not_made_cannot_be_frozen() -> None:
    market = Market(np.array([1]), np.array([1]))
    with pytest.raises(KeyError):
        market.freeze(0, 0)


def test_a_frozen_pair_is_not_made_again_when_free_places_are_filled() -> None:
    market = Market(np.array([2]), np.array([2]))
    market.offer(Side.ROW, np.array([0]), found([0], [5]))
    assert market.settle()
    market.freeze(0, 0)
    assert [numbers.tolist() for numbers in market.filled_pairs()] == [[], [], []]


def test_nobody_can_pay_who_has_no_place_left_beside_frozen_pairs() -> None:
    market = Market(np.array([1]), np.array([1]))
    market.offer(Side.ROW, np.array([0]), found([0], [5]))
    assert market.settle()
    market.freeze(0, 0)
    assert [market.prices(side).tolist() for side in Side] == [[UNPAYABLE], [UNPAYABLE]]


def test_who_gets_a_place_again_is_paired_with_whom_the_market_knows() -> None:
    market = Market(np.array([0]), np.array([1]))
    market.offer(Side.ROW, np.array([0]), found([0], [5]))
    assert market.settle()
    assert market.partners(Side.COLUMN, 0) == []

    market.change(Side.ROW, 0, 1)

    assert market.settle()
    assert market.partners(Side.COLUMN, 0) == [0]


def test_a_pair_that_is_offered_twice_is_made_once() -> None:
    market = Market(np.array([2]), np.array([2]))
    for _ in range(2):
        market.offer(Side.ROW, np.array([0]), found([0], [5]))
    assert market.settle()
    assert market.partners(Side.ROW, 0) == [0]
