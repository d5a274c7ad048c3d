"""The chosen pairs are the optimum, against brute force and between independent ways."""

from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from libs.contracts.words import Objective
from services.matching.rules.assignment import BestPairs, best_pairs
from services.matching.rules.edges import edges_of
from services.matching.rules.linear_assignment import solve_linear
from services.matching.rules.market.optimum import optimum
from services.matching.rules.market.plain import rows_of
from services.matching.rules.path_assignment import solve_by_paths

OBJECTIVES = tuple(Objective)


@st.composite
def small_instances(draw: st.DrawFn) -> tuple[NDArray[np.int64], list[int], list[int]]:
    mentors, mentees = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    highest = draw(st.sampled_from([1, 3, 1000]))
    cells = draw(st.lists(st.integers(-1, highest), min_size=mentors * mentees, max_size=mentors * mentees))
    mentor_capacity = draw(st.lists(st.integers(0, 3), min_size=mentors, max_size=mentors))
    mentee_capacity = draw(st.lists(st.integers(0, 3), min_size=mentees, max_size=mentees))
    return np.array(cells).reshape(mentors, mentees), mentor_capacity, mentee_capacity


def within(pairs: list[tuple[int, int]], mentor_capacity: list[int], mentee_capacity: list[int]) -> bool:
    mentors, mentees = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return all(mentors.count(i) <= c for i, c in enumerate(mentor_capacity)) and all(
        mentees.count(j) <= c for j, c in enumerate(mentee_capacity)
    )


def every_set(
    scores: NDArray[np.int64], mentor_capacity: list[int], mentee_capacity: list[int]
) -> set[tuple[int, int]]:
    """(number of pairs, total) of every set of pairs that is allowed."""
    allowed = [(int(i), int(j)) for i, j in np.argwhere(scores >= 0)]
    return {
        (size, sum(int(scores[pair]) for pair in pairs))
        for size in range(len(allowed) + 1)
        for pairs in combinations(allowed, size)
        if within(list(pairs), mentor_capacity, mentee_capacity)
    }


def pairs_of(best: BestPairs) -> list[tuple[int, int]]:
    return list(zip(best.mentors.tolist(), best.mentees.tolist(), strict=True))


def random_instance(seed: int, mentors: int, mentees: int, highest: int = 1_000_000) -> NDArray[np.int64]:
    chance = np.random.default_rng(seed)
    return np.where(chance.random((mentors, mentees)) < 0.3, -1, chance.integers(0, highest, (mentors, mentees)))


@settings(max_examples=200, deadline=None)
@given(small_instances())
def test_the_pairs_are_as_good_as_the_best_of_every_possible_set(
    instance: tuple[NDArray[np.int64], list[int], list[int]],
) -> None:
    scores, mentor_capacity, mentee_capacity = instance
    possible = every_set(scores, mentor_capacity, mentee_capacity)

    by_score = best_pairs(scores, mentor_capacity, mentee_capacity, "score")
    by_number = best_pairs(scores, mentor_capacity, mentee_capacity, "participation")

    assert by_score.value == max(total for _, total in possible)
    assert (len(by_number.mentors), by_number.value) == max(possible)
    for best in (by_score, by_number):
        pairs = pairs_of(best)
        assert len(set(pairs)) == len(pairs)
        assert within(pairs, mentor_capacity, mentee_capacity)
        assert sum(int(scores[pair]) for pair in pairs) == best.value == best.upper_bound
        assert all(scores[pair] >= 0 for pair in pairs)
    assert all(scores[pair] > 0 for pair in pairs_of(by_score))


@settings(max_examples=100, deadline=None)
@given(small_instances())
def test_three_independent_solvers_agree(instance: tuple[NDArray[np.int64], list[int], list[int]]) -> None:
    scores, mentor_capacity, mentee_capacity = instance
    edges = edges_of(scores, mentor_capacity, mentee_capacity)
    if len(edges) == 0:
        return

    linear = solve_linear(edges, True)
    by_paths = solve_by_paths(edges, True)
    market = optimum(rows_of(edges), Objective.PARTICIPATION, first=1)

    assert linear is not None
    assert len(linear) == len(by_paths) == len(market.rows)
    assert edges.score[linear].sum() == edges.score[by_paths].sum() == market.value


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize(("mentors", "mentees"), [(150, 200), (200, 150)])
def test_the_dense_way_and_the_market_agree_on_hundreds_of_people(
    objective: Objective, mentors: int, mentees: int
) -> None:
    scores = random_instance(7, mentors, mentees)
    edges = edges_of(scores, 2, 1)

    best = best_pairs(scores, 2, 1, objective)
    market = optimum(rows_of(edges), objective)

    assert (len(best.mentors), best.value) == (len(market.rows), market.value)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_result_with_capacities_on_both_sides_is_certified_by_prices_over_all_pairs(objective: Objective) -> None:
    scores = random_instance(8, 300, 300)

    best = best_pairs(scores, 3, 2, objective)

    assert best.value == best.upper_bound
    assert len(set(pairs_of(best))) == len(best.mentors)
    assert within(pairs_of(best), [3] * 300, [2] * 300)


@pytest.mark.parametrize("stars", [False, True])
def test_a_growing_choice_of_edges_reaches_the_optimum_over_all_of_them(stars: bool) -> None:
    chance = np.random.default_rng(11)
    scores = np.multiply.outer(chance.integers(0, 1000, 160), chance.integers(0, 1000, 150))
    scores = scores if stars else random_instance(12, 200, 200)
    mentors, mentees = scores.shape

    best = best_pairs(scores, 2, 3, "score")

    edge = np.arange(scores.size)
    row = np.concatenate([edge // mentees, mentors + edge % mentees])
    uses = sparse.csr_array((np.ones(2 * scores.size), (row, np.tile(edge, 2))))
    limits = np.repeat([2, 3], [mentors, mentees])
    whole = linprog(-np.maximum(scores, 0).ravel(), A_ub=uses, b_ub=limits, bounds=(0, 1), method="highs")
    assert best.value == best.upper_bound == pytest.approx(-whole.fun, abs=0.5)


@settings(max_examples=50, deadline=None)
@given(small_instances(), st.randoms(use_true_random=False))
def test_relabelling_people_changes_no_value(
    instance: tuple[NDArray[np.int64], list[int], list[int]], chance: Random
) -> None:
    scores, mentor_capacity, mentee_capacity = instance
    rows, columns = list(range(scores.shape[0])), list(range(scores.shape[1]))
    chance.shuffle(rows)
    chance.shuffle(columns)

    for objective in OBJECTIVES:
        best = best_pairs(scores, mentor_capacity, mentee_capacity, objective)
        relabelled = best_pairs(
            scores[np.ix_(rows, columns)],
            [mentor_capacity[row] for row in rows],
            [mentee_capacity[column] for column in columns],
            objective,
        )
        assert (len(best.mentors), best.value) == (len(relabelled.mentors), relabelled.value)


@pytest.mark.parametrize("capacity", [1, 2])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_ties_fall_the_same_way_every_time(objective: Objective, capacity: int) -> None:
    scores = np.ones((30, 30), dtype=int)
    first = pairs_of(best_pairs(scores, capacity, capacity, objective))
    assert all(pairs_of(best_pairs(scores, capacity, capacity, objective)) == first for _ in range(3))


def test_participation_gives_up_score_for_one_more_pair() -> None:
    scores = np.array([[100, 1], [1, -1]])
    assert pairs_of(best_pairs(scores, 1, 1, "score")) == [(0, 0)]
    assert pairs_of(best_pairs(scores, 1, 1, "participation")) == [(0, 1), (1, 0)]


def test_a_pair_without_value_is_made_for_participation_only() -> None:
    scores = np.array([[0]])
    assert pairs_of(best_pairs(scores, 1, 1, "score")) == []
    assert pairs_of(best_pairs(scores, 1, 1, "participation")) == [(0, 0)]


def test_two_people_with_room_for_more_are_still_paired_once() -> None:
    assert pairs_of(best_pairs(np.array([[5]]), 3, 3, "score")) == [(0, 0)]


def test_a_stored_zero_allows_a_pair_and_an_absent_entry_forbids_it() -> None:
    scores = sparse.coo_array((np.array([0, 7, -2]), (np.array([0, 1, 2]), np.array([0, 1, 2]))), shape=(3, 3))
    for matrix in (scores, scores.tocsr(), sparse.csc_matrix(scores)):
        assert pairs_of(best_pairs(matrix, 1, 1, "participation")) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_scores_too_large_for_float64_lose_nothing(objective: Objective) -> None:
    huge = 2**62
    scores = np.array([[huge - 1, huge - 3], [huge - 2, huge - 5]], dtype=np.int64)
    best = best_pairs(scores, 1, 1, objective)
    assert best.value == 2 * huge - 5
    assert pairs_of(best) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 2)])
def test_nobody_to_pair_is_an_empty_answer(shape: tuple[int, int]) -> None:
    best = best_pairs(np.full(shape, -1), 1, 1, "participation")
    assert (pairs_of(best), best.value, best.upper_bound) == ([], 0, 0)


def test_a_time_limit_gives_what_was_found_with_an_honest_bound() -> None:
    scores = random_instance(9, 200, 200)
    optimum = {objective: best_pairs(scores, 2, 2, objective) for objective in OBJECTIVES}
    for objective in OBJECTIVES:
        hurried = best_pairs(scores, 2, 2, objective, time_limit=0.0)
        assert hurried.value <= optimum[objective].value <= hurried.upper_bound
        assert within(pairs_of(hurried), [2] * 200, [2] * 200)
        assert objective is Objective.SCORE or len(hurried.mentors) == len(optimum[objective].mentors)


@pytest.mark.parametrize(
    ("scores", "capacity", "objective"),
    [
        (np.array([[0.5]]), 1, "score"),
        (np.array([[np.nan]]), 1, "score"),
        (np.array([1, 2]), 1, "score"),
        (np.array([[1]]), -1, "score"),
        (np.array([[1]]), [1, 1], "score"),
        (np.array([[1]]), 0.5, "score"),
        (np.array([[1]]), 1, "luck"),
    ],
)
def test_input_that_means_nothing_is_refused(scores: object, capacity: object, objective: Objective) -> None:
    with pytest.raises(ValueError, match=r"must|not a valid"):
        best_pairs(scores, capacity, 1, objective)  # type: ignore[arg-type]
