"""Scans of people as they seldom come: at the borders of words and blocks, without anything, or all alike."""

from datetime import timedelta
from itertools import chain
from random import Random
from typing import Any

import numpy as np
import pytest

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.words import Role
from services.matching.rules.crowd.rows import AT_ONCE, CrowdRows
from services.matching.rules.crowd.scan import BLOCK
from services.matching.rules.feasibility import Pool
from services.matching.rules.market.rows import Shortlist
from services.matching.rules.pairing import standing_of
from tests.matching.crowd_worlds import crowd_and_pool, dense, world
from tests.matching.rules_people import NOW, goals, hours, mentee, mentor, program, skills

People = list[ParticipantEnrolled]
OPEN = {
    "min_grade_gap": 0,
    "require_shared_language": False,
    "min_overlap_minutes_per_week": 0,
    "different_unit": "ignored",
    "different_function": "ignored",
}


def all_of(rows: CrowdRows, count: int = 10**9) -> Shortlist:
    """What each row is told at no prices and without a floor."""
    size, columns = len(rows.row_places), len(rows.column_places)
    return rows.best(np.arange(size), np.zeros(columns, dtype=np.int64), np.full(size, -1), count)


def check(pool: Pool) -> None:
    """Everything that the matrices find is found for both roles."""
    crowd, pool = crowd_and_pool(pool)
    for role in Role:
        scores, found = dense(pool, role), all_of(CrowdRows(crowd, role, threads=2))
        matrix = np.full(scores.shape, -1)
        matrix[np.repeat(np.arange(len(scores)), np.diff(found.starts)), found.columns] = found.scores
        assert (matrix == scores).all()


def pool_of(mentors: People, mentees: People, **policy: Any) -> Pool:
    programme = program(**policy)
    return Pool(programme, mentors, mentees, standing_of(programme, now=NOW))


@pytest.mark.parametrize("size", [63, 64, 65, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 65, 2 * BLOCK])
def test_the_borders_of_words_and_blocks_lose_nobody(size: int) -> None:
    check(world(size, size, 3))
    check(world(size, 2, size))


@pytest.mark.parametrize("seed", range(6))
def test_the_best_few_of_very_many_are_found_by_their_bounds_alone(seed: int) -> None:
    weights = {"learning": 5 * (seed % 2), "reciprocal": 5 - seed, "preference": 1, "diversity": 1, "waiting": 1}
    size = (BLOCK + 500, 6) if seed % 3 else (6, BLOCK + 500)
    crowd, pool = crowd_and_pool(world(seed, *size, **OPEN | {"different_unit": "preferred", "weights": weights}))
    role = Role.MENTEE if seed % 3 else Role.MENTOR
    scores, prices = dense(pool, role), np.random.default_rng(seed).integers(0, 300_000, BLOCK + 500)
    found = CrowdRows(crowd, role).best(np.arange(6), prices, np.full(6, -(10**7)), 5)
    for row, utilities in enumerate(np.split(found.scores - prices[found.columns], found.starts[1:-1])):
        feasible = scores[row] >= 0
        assert utilities.tolist() == sorted((scores[row] - prices)[feasible].tolist(), reverse=True)[:5]


def test_more_rows_than_a_thread_scans_at_once_are_told_the_same_by_any_number_of_threads() -> None:
    crowd, _ = crowd_and_pool(world(5, 40, 2 * AT_ONCE + 1))
    one, three = (all_of(CrowdRows(crowd, Role.MENTEE, threads), 7) for threads in (1, 3))
    for name in ("starts", "columns", "scores", "rest"):
        assert getattr(one, name).tolist() == getattr(three, name).tolist()


@pytest.mark.parametrize("sides", [([], []), ([mentor("Ada")], []), ([], [mentee("Grace")])])
def test_a_side_without_people_is_scanned(sides: tuple[People, People]) -> None:
    check(pool_of(*sides))


def test_people_without_anything_are_scanned() -> None:
    bare: dict[str, Any] = {"languages": [], "availability": [], "expertise": [], "goals": []}
    sides = [mentor(f"Ada{n}", **bare) for n in range(3)], [mentee(f"Grace{n}", **bare) for n in range(3)]
    check(pool_of(*sides, **OPEN))
    check(pool_of(*sides))


def test_nobody_with_a_free_place_is_told_of_nobody() -> None:
    mentors, mentees = [mentor(f"Ada{n}", capacity=0) for n in range(70)], [mentee("Grace")]
    check(pool_of(mentors, mentees))


def test_a_working_week_of_their_own_for_everybody_is_compared() -> None:
    clocks = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
    spans = [(start, end) for start in clocks[20:60] for end in clocks[61:70]]
    sides = [
        [make(f"{make.__name__}{n}", availability=hours(*span)) for n, span in enumerate(spans[::5])]
        for make in (mentor, mentee)
    ]
    check(pool_of(*sides, min_overlap_minutes_per_week=1500, different_unit="ignored", different_function="ignored"))


def test_chains_of_a_hundred_managers_are_followed() -> None:
    mentees = [mentee(f"Grace{n:03}") for n in range(120)]
    ids = [person.participant_id for person in mentees]
    mentors = [mentor(f"Ada{n}", manager_ids=Random(n).sample(ids, 100)) for n in range(5)]
    check(pool_of(mentors, mentees))


def test_a_crowded_unit_is_a_bitmap_and_a_small_one_a_list_and_both_keep_apart() -> None:
    units = ["Retail"] * 150 + ["Law"] * 2
    mentors = [mentor(f"Ada{n:03}", unit=unit, function=str(n % 80)) for n, unit in enumerate(units)]
    mentees = [mentee(f"Grace{n}", unit=unit, function=str(n)) for n, unit in enumerate(["Retail", "Law", "Digital"])]
    check(pool_of(mentors, mentees))


def test_a_topic_in_several_spellings_counts_once_with_its_best_stars() -> None:
    ada = mentor("Ada", expertise=skills(" ai", level=2) + skills("AI", level=4) + skills("Ai ", level=3))
    grace = mentee("Grace", goals=goals("AI", "ai", priority=2) + goals("Cloud", priority=3))
    check(pool_of([ada], [grace]))


def test_wishes_count_by_rank_for_both_sides_and_those_for_strangers_and_doubles_do_not_hurt() -> None:
    ada = mentor("Ada", preferred_ids=["nobody", "grace", "ada", "grace", "mina"])
    lin = mentor("Lin", preferred_ids=["mina", "grace"])
    grace, mina = mentee("Grace", preferred_ids=["ada", "lin", "ada"]), mentee("Mina", preferred_ids=["nobody"])
    check(
        pool_of(
            [ada, lin],
            [grace, mina],
            weights={"learning": 0, "reciprocal": 0, "preference": 7, "diversity": 1, "waiting": 1},
        )
    )


def test_many_goals_and_skills_do_not_overflow_the_bounds() -> None:
    topics = [f"Topic {n}" for n in range(200)]
    sides = [[make(make.__name__, expertise=skills(*topics), goals=goals(*topics))] for make in (mentor, mentee)]
    for weights in ((1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (1000, 1, 1000, 0, 0)):
        names = ("learning", "reciprocal", "preference", "diversity", "waiting")
        check(pool_of(*sides, weights=dict(zip(names, weights, strict=True))))


def test_the_order_of_people_changes_no_score_and_nobodys_shortlist() -> None:
    pool = world(8, 40, 25)
    told = []
    for seed in (1, 2):
        mentors, mentees = (Random(seed).sample(list(side), len(side)) for side in (pool.mentors, pool.mentees))
        crowd, _ = crowd_and_pool(Pool(pool.program, mentors, mentees, pool.standing))
        found = all_of(CrowdRows(crowd, Role.MENTEE), 5)
        utilities = np.split(found.scores, found.starts[1:-1])
        told.append({name: scores.tolist() for name, scores in zip(crowd.mentee_ids, utilities, strict=True)})
    assert told[0] == told[1]


def test_of_equal_columns_each_row_is_told_of_others() -> None:
    mentors, mentees = [mentor(f"Ada{n:04}") for n in range(3 * BLOCK)], [mentee(f"Grace{n:02}") for n in range(60)]
    crowd, _ = crowd_and_pool(pool_of(mentors, mentees))
    found = all_of(CrowdRows(crowd, Role.MENTEE), 10)
    assert len(found.columns) == 600
    assert len(set(found.columns.tolist())) > 300


def test_dear_columns_do_not_hide_cheap_ones_and_huge_prices_do_not_overflow() -> None:
    mentors = [mentor(f"Ada{n:03}", enrolled_at=NOW - timedelta(days=n)) for n in range(200)]
    crowd, pool = crowd_and_pool(pool_of(mentors, [mentee("Grace")]))
    scores = dense(pool, Role.MENTEE)[0]
    for shift, dear in ((0, 700_000), (0, 10**13), (10**13, 700_000), (-(10**13), 700_000)):
        prices = np.where(np.arange(200) % 3, dear, 0) + shift
        found = CrowdRows(crowd, Role.MENTEE).best(np.array([0]), prices, np.array([-shift - 10**6]), 20)
        assert (found.scores - prices[found.columns]).tolist() == sorted((scores - prices).tolist(), reverse=True)[:20]


def test_a_scan_leaves_nothing_behind_for_the_next_row() -> None:
    crowd, _ = crowd_and_pool(world(3, 50, 30))
    rows = CrowdRows(crowd, Role.MENTEE)
    prices = np.zeros(50, dtype=np.int64)
    together = all_of(rows, 6)
    alone = [rows.best(np.array([row]), prices, np.array([-1]), 6) for row in range(30)]
    assert together.columns.tolist() == list(chain.from_iterable(one.columns.tolist() for one in alone))
