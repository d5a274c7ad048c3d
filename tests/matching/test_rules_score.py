"""What makes two people fit."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.policy import Weights
from services.matching.rules.feasibility import Pool
from services.matching.rules.pairing import standing_of
from services.matching.rules.score import FULL, WHOLE, Parts, named, parts_of, shares, weighed
from tests.matching.rules_people import NOW, goals, mentee, mentor, program, skills

EVEN = Weights.model_construct(learning=1.0, reciprocal=1.0, preference=1.0, diversity=1.0, waiting=1.0)
NONE = Weights.model_construct(learning=0.0, reciprocal=0.0, preference=0.0, diversity=0.0, waiting=0.0)


def parts(ada: ParticipantEnrolled, grace: ParticipantEnrolled, **policy: Any) -> dict[str, float]:
    programme = program(**policy)
    found = parts_of(Pool(programme, [ada], [grace], standing_of(programme, now=NOW)))
    return named(found.of(np.zeros(1, dtype=int), np.zeros(1, dtype=int))[0])


def test_learning_weighs_the_mentors_level_by_the_mentees_priority() -> None:
    ada = mentor("Ada", expertise=skills("AI", level=4) + skills("Python", level=5))
    grace = mentee("Grace", goals=goals("AI", priority=3) + goals("Cloud", priority=1))
    assert parts(ada, grace)["learning"] == pytest.approx(3 * 4 / (4 * 5))


def test_reciprocal_is_what_the_mentor_can_learn() -> None:
    ada = mentor("Ada", goals=goals("Negotiation", "Strategy"))
    grace = mentee("Grace", expertise=skills("strategy ", level=5))
    found = parts(ada, grace)
    assert (found["learning"], found["reciprocal"]) == (0, 0.5)


def test_somebody_without_goals_gains_nothing_and_breaks_nothing() -> None:
    found = parts(mentor("Ada"), mentee("Grace"))
    assert (found["learning"], found["reciprocal"], found["preference"]) == (0, 0, 0)


def test_a_wish_counts_by_its_rank_and_a_mutual_one_counts_twice() -> None:
    ada, keen_ada = mentor("Ada"), mentor("Ada", preferred_ids=["grace"])
    grace = mentee("Grace", preferred_ids=["mina", "ada"])
    assert parts(ada, grace)["preference"] == 0.25
    assert parts(keen_ada, grace)["preference"] == 0.75


def test_diversity_looks_at_the_place_and_at_what_the_policy_prefers() -> None:
    ada, grace = mentor("Ada", unit="Retail", location="Lagos"), mentee("Grace")
    assert parts(ada, grace, different_unit="required")["diversity"] == 1
    assert parts(ada, grace, different_unit="preferred")["diversity"] == 0.5
    assert parts(ada, grace, different_unit="preferred", different_function="preferred")["diversity"] == pytest.approx(
        2 / 3, abs=2 / FULL
    )


def test_waiting_raises_the_score_and_saturates() -> None:
    waits = [
        parts(*(who("Ada", enrolled_at=NOW - timedelta(days=days)) for who in (mentor, mentee)))["waiting"]
        for days in (-1, 0, 30, 300, 3000)
    ]
    assert waits[:3] == [0, 0, 0.5]
    assert waits[2] < waits[3] < waits[4] < 1


def test_the_score_is_the_weighted_mean_of_the_parts() -> None:
    programme = program()
    ada = mentor("Ada", expertise=skills("AI"), goals=goals("Law"), enrolled_at=NOW)
    grace = mentee("Grace", goals=goals("AI", "Cloud"), enrolled_at=NOW)
    found = parts_of(Pool(programme, [ada], [grace], standing_of(programme, now=NOW)))
    weights = Weights(learning=3, reciprocal=1, preference=0, diversity=0, waiting=0)
    assert weighed(found, weights).tolist() == [[375_000]]


def test_weights_that_are_all_zero_count_every_part_alike() -> None:
    programme = program()
    found = parts_of(Pool(programme, [mentor("Ada")], [mentee("Grace")], standing_of(programme, now=NOW)))
    assert (weighed(found, NONE) == weighed(found, EVEN)).all()


def test_the_shares_of_the_parts_are_whole_numbers_whose_largest_remainders_are_rounded_up() -> None:
    weights = Weights(learning=1, reciprocal=1, preference=1, diversity=0, waiting=0)
    assert list(shares(weights).values()) == [WHOLE // 3 + 1, WHOLE // 3, WHOLE // 3, 0, 0]
    assert list(shares(NONE).values()) == [WHOLE // 5 + 1, *[WHOLE // 5] * 4]


@given(st.lists(st.floats(0, 1000), min_size=5, max_size=5))
def test_all_the_shares_are_the_whole_and_none_is_off_by_one(given_weights: list[float]) -> None:
    names = ("learning", "reciprocal", "preference", "diversity", "waiting")
    weights = Weights.model_construct(**dict(zip(names, given_weights, strict=True)))
    found = shares(weights)
    assert sum(found.values()) == WHOLE
    if total := sum(map(Fraction, given_weights)):
        assert all(
            abs(found[name] - Fraction(weight) * WHOLE / total) < 1
            for name, weight in zip(names, given_weights, strict=True)
        )


def test_a_score_is_rounded_half_up() -> None:
    one, other = np.array([[1]]), np.array([[0]])
    halves = Weights(learning=1, reciprocal=1, preference=0, diversity=0, waiting=0)
    quarters = Weights(learning=1, reciprocal=3, preference=0, diversity=0, waiting=0)
    parts = Parts(learning=one, reciprocal=other, preference=other, diversity=other, waiting=other)
    assert (weighed(parts, halves).tolist(), weighed(parts, quarters).tolist()) == ([[1]], [[0]])
