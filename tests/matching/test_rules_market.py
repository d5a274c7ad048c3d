"""The market reaches the optimum over all pairs though it looks at few, and its prices prove it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.words import Objective
from services.matching.rules.market.market import Market, Side
from services.matching.rules.market.optimum import Optimum, optimum
from services.matching.rules.market.plain import PlainRows
from tests.matching.markets import (
    Numbers,
    best_by_flow,
    best_by_programme,
    best_of_all_sets,
    people,
    row_of_each,
    rows_of_matrix,
    small_rows,
)

OBJECTIVES = tuple(Objective)
POOLS = {
    "as many of both": lambda seed: people(seed, 1_000, 1_000, 20, highest=1_000_000, places=1, hub=False),
    "few among many": lambda seed: people(seed, 500, 2_000, 30, highest=1_000_000, places=1, hub=False),
    "too few places": lambda seed: people(seed, 2_000, 600, 10, highest=1_000_000, places=2, hub=False),
    "places on both sides": lambda seed: people(seed, 700, 900, 25, highest=1_000_000, places=3, hub=False),
    "all want the same": lambda seed: people(seed, 800, 1_000, 25, highest=1_000_000, places=2, hub=True),
    "ties everywhere": lambda seed: people(seed, 900, 900, 20, highest=2, places=2, hub=False),
}


def fits(best: Optimum, pool: PlainRows) -> bool:
    """Whether nobody takes more pairs than places, and nobody the same partner twice."""
    rows, columns = len(pool.row_places), len(pool.column_places)
    return bool(
        (np.bincount(best.rows, minlength=rows) <= pool.row_places).all()
        and (np.bincount(best.columns, minlength=columns) <= pool.column_places).all()
        and len(set(zip(best.rows.tolist(), best.columns.tolist(), strict=True))) == len(best.rows)
    )


def violations(best: Optimum, pool: PlainRows) -> int:
    """How many people and pairs, of all that are allowed, contradict the prices; plain numpy over every pair."""
    made = np.zeros((len(pool.row_places), len(pool.column_places)), dtype=bool)
    made[best.rows, best.columns] = True
    row_prices, column_prices = best.market.prices(Side.ROW), best.market.prices(Side.COLUMN)
    row = row_of_each(pool)
    taken = made[row, pool.columns]
    surplus = pool.scores + best.market.shift - row_prices[row] - column_prices[pool.columns]
    empty = [
        (pool.row_places > made.sum(1)) & (row_prices > 0),
        (pool.column_places > made.sum(0)) & (column_prices > 0),
    ]
    wrong_pairs = (taken & (surplus < 0)) | (~taken & (surplus > 0))
    wrong_prices = int((row_prices < 0).sum() + (column_prices < 0).sum())
    return int(wrong_pairs.sum()) + wrong_prices + sum(int(people.sum()) for people in empty)


@settings(max_examples=2_000, deadline=None)
@given(small_rows(), st.integers(1, 3), st.integers(0, 2), st.booleans())
def test_the_pairs_are_as_good_as_the_best_of_every_possible_set(
    instance: tuple[Numbers, list[int], list[int]], first: int, more: int, guessed: bool
) -> None:
    by_score, by_number = best_of_all_sets(*instance)
    pool = rows_of_matrix(*instance)

    for objective, known in ((Objective.SCORE, by_score), (Objective.PARTICIPATION, by_number)):
        with pytest.MonkeyPatch.context() as patch:
            if guessed:
                patch.setattr("services.matching.rules.market.optimum._soon", lambda *_: lambda: True)
            best = optimum(pool, objective, first=first, more=more)
        assert best.value == best.upper_bound == known[1]
        assert objective is Objective.SCORE or len(best.rows) == known[0]
        assert fits(best, pool)
        assert best.scores.tolist() == instance[0][best.rows, best.columns].tolist()
        assert objective is Objective.PARTICIPATION or (best.scores > 0).all()
        assert violations(best, pool) == 0


@settings(max_examples=300, deadline=None)
@given(small_rows(), st.integers(1, 50), st.integers(0, 5))
def test_whatever_prices_were_guessed_they_settle_at_the_best(
    instance: tuple[Numbers, list[int], list[int]], step: int, bids: int
) -> None:
    pool = rows_of_matrix(*instance)
    market, everybody = Market(pool.row_places, pool.column_places), np.arange(len(pool.row_places))
    market.offer(Side.ROW, everybody, pool.best(everybody, pool.column_places * 0, everybody * 0 - 1, 12))

    market.guess(step, bids)

    assert (market.prices(Side.COLUMN) >= 0).all()
    assert market.settle()
    assert market.pairs()[2].sum() == best_of_all_sets(*instance)[0][1]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_two_independent_exact_solvers_find_nothing_better(
    pool: Callable[[int], PlainRows], objective: Objective
) -> None:
    them = pool(1)
    most = objective is Objective.PARTICIPATION

    best = optimum(them, objective, first=4, more=2)

    assert best.value == best.upper_bound == best_by_flow(them, most)[1] == best_by_programme(them, most)[1]
    assert not most or len(best.rows) == best_by_flow(them, most)[0] == best_by_programme(them, most)[0]
    assert fits(best, them)
    assert violations(best, them) == 0


def test_a_row_is_asked_again_when_prices_that_proved_it_have_fallen() -> None:
    for seed in range(400):
        size = 6 + seed % 8
        pool = people(seed, size, size, 2 * size, highest=5 if seed % 2 else 50, places=1 + seed % 2, hub=seed % 3 > 0)
        assert optimum(pool, Objective.SCORE, first=1, more=0).value == best_by_flow(pool, False)[1]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_prices_bound_the_total_of_every_set_by_the_value_that_is_reached(objective: Objective) -> None:
    chance = np.random.default_rng(5)
    scores = chance.integers(-3_000, 10_000, (300, 400))
    pool = rows_of_matrix(scores, chance.integers(0, 4, 300), chance.integers(0, 3, 400))

    best = optimum(pool, objective, first=3)

    prices = best.market.prices(Side.ROW)[:, None] + best.market.prices(Side.COLUMN)[None, :]
    surplus = np.maximum(np.where(scores >= 0, scores + best.market.shift, 0) - prices, 0)
    paid = [
        int(places[places > 0] @ best.market.prices(side)[places > 0])
        for side, places in ((Side.ROW, pool.row_places), (Side.COLUMN, pool.column_places))
    ]
    assert sum(paid) + int(surplus.sum()) == best.value + len(best.rows) * best.market.shift
    assert violations(best, pool) == 0


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_the_order_of_people_changes_no_value_and_the_same_order_gives_the_same_pairs(
    pool: Callable[[int], PlainRows], objective: Objective
) -> None:
    them, chance = pool(2), np.random.default_rng(3)
    scores = np.full((len(them.row_places), len(them.column_places)), -1)
    scores[row_of_each(them), them.columns] = them.scores
    rows, columns = (chance.permutation(size) for size in scores.shape)

    best = optimum(them, objective)
    again = optimum(them, objective)
    other = optimum(
        rows_of_matrix(scores[np.ix_(rows, columns)], them.row_places[rows], them.column_places[columns]), objective
    )

    assert (best.rows.tolist(), best.columns.tolist()) == (again.rows.tolist(), again.columns.tolist())
    assert best.value == other.value
    assert objective is Objective.SCORE or len(best.rows) == len(other.rows)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("looks", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["too few places", "all want the same", "places on both sides"])
def test_when_the_time_is_over_the_pairs_found_are_allowed_and_the_bound_is_honest(
    name: str, looks: int, objective: Objective
) -> None:
    pool = POOLS[name](4)
    best = optimum(pool, objective)
    asked = iter(range(looks))

    hurried = optimum(pool, objective, first=3, more=1, out_of_time=lambda: next(asked, None) is None)

    assert fits(hurried, pool)
    assert best.value <= hurried.upper_bound
    assert hurried.value <= hurried.upper_bound
    assert hurried.value > best.value // 4
    assert objective is Objective.PARTICIPATION or hurried.value <= best.value


def test_scores_that_could_leave_the_numbers_of_the_market_are_refused() -> None:
    pool = rows_of_matrix(np.full((4, 4), 2**58), 1, 1)
    assert optimum(pool, Objective.SCORE).value == 2**60
    with pytest.raises(OverflowError, match="divide them"):
        optimum(pool, Objective.PARTICIPATION)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_totals_beyond_63_bits_are_exact(objective: Objective) -> None:
    scores = np.full((40, 40), 2**59 // 40 if objective is Objective.PARTICIPATION else 2**59) - np.arange(40)
    best = optimum(rows_of_matrix(scores, 1, 1), objective, first=2)
    assert best.value == best.upper_bound == sum(scores[0].tolist())
