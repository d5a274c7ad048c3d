"""Pairs that the programme's office chose before the round."""

import pytest

from services.matching.rules.pairing import Rule
from services.matching.rules.round import RoundPlan, plan_round
from tests.matching.rules_people import NOW, goals, mentee, mentor, program, skills


def pairs_of(plan: RoundPlan) -> list[tuple[str, str]]:
    return [(pair.mentor_id, pair.mentee_id) for pair in plan.pairs]


def test_a_pinned_pair_is_made_and_the_rest_is_the_best_around_it() -> None:
    ada, lin = mentor("Ada", expertise=skills("AI")), mentor("Lin")
    grace, rosa = mentee("Grace", goals=goals("AI")), mentee("Rosa")
    plan = plan_round(program(), [ada, lin, grace, rosa], now=NOW, pins=[("lin", "grace")])
    assert pairs_of(plan) == [("ada", "rosa"), ("lin", "grace")]
    assert [pair.pinned for pair in plan.pairs] == [False, True]
    assert plan.value == pytest.approx(sum(pair.score for pair in plan.pairs))


def test_a_pin_that_breaks_a_rule_is_refused_by_name() -> None:
    ada, grace, rosa = mentor("Ada", manager_ids=["grace"]), mentee("Grace"), mentee("Rosa")
    pins = [("ada", "grace"), ("ada", "nobody"), ("ada", "rosa"), ("ada", "rosa")]
    plan = plan_round(program(), [ada, grace, rosa], now=NOW, pins=pins)
    assert pairs_of(plan) == [("ada", "rosa")]
    assert [(pin.mentee_id, pin.rules) for pin in plan.refused_pins] == [
        ("grace", {Rule.REPORTING_LINE}),
        ("nobody", {Rule.ROLE}),
    ]


def test_two_pins_cannot_book_one_person_twice() -> None:
    people = [mentor("Ada"), mentee("Grace"), mentee("Rosa")]
    plan = plan_round(program(), people, now=NOW, pins=[("ada", "rosa"), ("ada", "grace")])
    assert pairs_of(plan) == [("ada", "grace")]
    assert plan.refused_pins[0].rules == {Rule.CAPACITY}


def test_a_pinned_pair_is_not_made_twice_though_both_have_another_place() -> None:
    people = [mentor("Ada", capacity=2), mentee("Grace", capacity=2)]
    plan = plan_round(program(), people, now=NOW, pins=[("ada", "grace")])
    assert pairs_of(plan) == [("ada", "grace")]
    assert plan.value == pytest.approx(plan.pairs[0].score)
