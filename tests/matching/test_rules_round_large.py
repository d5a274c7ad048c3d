"""A round over many people, who are scanned, is the round that matrices would give."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.matching.generator import Instance, Variant, generate
from benchmarks.matching.pool import standing_in
from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Objective, Role
from services.matching.rules import candidates
from services.matching.rules.candidates import FEW, Matrices
from services.matching.rules.pairing import Rule, free_places, refusals
from services.matching.rules.reasons import Loss
from services.matching.rules.round import RoundPlan, plan_round
from services.matching.rules.scans import Scans
from tests.matching.crowd_worlds import anybody, random_policy, world
from tests.matching.generated import planned_in
from tests.matching.rules_people import NOW, pair_created, pair_ended, program

seeds = st.integers(0, 2**32)
sizes = st.sampled_from([0, 1, 2, 5, 13, 30])
PEOPLE = 10_000


def asked(seed: int, mentors: int, mentees: int) -> tuple[ProgramPublished, list[ParticipantEnrolled], dict[str, Any]]:
    """What somebody may ask a round for: a programme, people of several revisions, and all that came before."""
    chance = Random(seed)
    names = [f"ada{n:02}" for n in range(mentors)], [f"grace{n:02}" for n in range(mentees)]
    either = [*names[0], *names[1], "nobody"]
    sides = [
        [anybody(chance, role, name, either).model_copy(update={"revision": 2}) for name in of_role]
        for role, of_role in zip(("mentor", "mentee"), names, strict=True)
    ]
    old = [anybody(chance, one.role, one.participant_id, either) for side in sides for one in side[::3]]
    people = [*sides[0], *old, *sides[1]]

    def some(most: int) -> list[tuple[Any, Any]]:
        count = chance.randint(0, most) if mentors and mentees else 0
        return [(chance.choice(sides[0]), chance.choice(sides[1])) for _ in range(count)]

    known = {
        "now": NOW,
        "in_force": [pair_created(*two) for two in some(6)],
        "former_pairs": [pair_ended(*two, NOW - timedelta(days=chance.randint(0, 400))) for two in some(8)],
        "exclusions": [(one.participant_id, other.participant_id) for one, other in some(8)],
        "pins": [(one.participant_id, other.participant_id) for one, other in some(8)] + [("ada00", "nobody")],
        "objective": chance.choice([None, *Objective]),
        "loosen_cooldown": chance.random() < 0.3,
    }
    return program(**random_policy(chance)), people, known


def scanned(*asked: Any, **known: Any) -> RoundPlan:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "FEW", -1)
        return plan_round(*asked, **known, threads=2)


@settings(max_examples=60, deadline=None)
@given(seeds, sizes, sizes)
def test_scans_give_the_round_that_matrices_give(seed: int, mentors: int, mentees: int) -> None:
    programme, people, known = asked(seed, mentors, mentees)

    by_matrices = plan_round(programme, people, **known)
    by_scans = scanned(programme, people, **known)

    assert (by_scans.value, by_scans.upper_bound) == (by_matrices.value, by_matrices.upper_bound)
    assert by_scans.refused_pins == by_matrices.refused_pins
    # which of two equally good pairs is made, and so who is left, may differ; what is told of the same ones may not
    assert_alike({(pair.mentor_id, pair.mentee_id): pair for pair in plan.pairs} for plan in (by_scans, by_matrices))
    assert_alike({left.participant_id: left for left in plan.unmatched} for plan in (by_scans, by_matrices))
    assert len(by_scans.pairs) == len(by_matrices.pairs) or known["objective"] != Objective.PARTICIPATION


def assert_alike(plans: Any) -> None:
    one, other = plans
    assert {name: one[name] for name in one if name in other} == {name: other[name] for name in other if name in one}


@settings(max_examples=40, deadline=None)
@given(seeds, sizes, sizes)
def test_scans_and_matrices_tell_the_same_of_everybody(seed: int, mentors: int, mentees: int) -> None:
    pool = world(seed, mentors, mentees)
    both = Matrices(pool), Scans(pool, threads=2)
    every = [places.ravel() for places in np.indices((mentors, mentees))]
    for one, other in zip(*(judge.parts(*every) for judge in both), strict=True):
        assert one.tolist() == other.tolist()
    for role, count in ((Role.MENTOR, mentors), (Role.MENTEE, mentees)):
        refused = [{rule: counts.tolist() for rule, counts in judge.refused_to(role).items()} for judge in both]
        assert refused[0] == refused[1]
        for one, other in zip(*(judge.feasible_for(role, np.arange(count)[::-1]) for judge in both), strict=True):
            assert one.tolist() == other.tolist()
    for best in (judge.best_pairs(Objective.SCORE, None) for judge in both):
        twos = list(zip(best.mentors.tolist(), best.mentees.tolist(), strict=True))
        assert twos == sorted(twos)


@cache
def company(variant: Variant) -> tuple[Instance, list[ParticipantEnrolled]]:
    instance = generate(PEOPLE, variant)
    people = list(instance.participants())
    mentors = sum(one.role is Role.MENTOR for one in people)
    assert mentors * (PEOPLE - mentors) > FEW
    return instance, people


def planned(variant: Variant, people: list[ParticipantEnrolled] | None = None, **asked: Any) -> RoundPlan:
    instance, everybody = company(variant)
    return planned_in(instance, people or everybody, **asked)


def assert_keeps_rules_and_places(variant: Variant, plan: RoundPlan) -> None:
    """The rules for two people, and the places of each, for every pair."""
    instance, everybody = company(variant)
    people, standing = {one.participant_id: one for one in everybody}, standing_in(instance)
    twos = [(people[pair.mentor_id], people[pair.mentee_id]) for pair in plan.pairs]
    assert not any(refusals(instance.program(), *two, standing) for two in twos)
    assert len(set(map(frozenset, ((one.participant_id, other.participant_id) for one, other in twos)))) == len(twos)
    made = Counter(one.participant_id for two in twos for one in two)
    assert all(made[name] <= free_places(instance.program(), people[name], standing) for name in made)
    assert sum(pair.score for pair in plan.pairs) == pytest.approx(plan.value)


@pytest.mark.parametrize("variant", [Variant.LOPSIDED, Variant.HUB])
def test_ten_thousand_people_are_paired_for_the_best_by_the_rules(variant: Variant) -> None:
    plan = planned(variant, threads=2)
    assert len(plan.pairs) > 900
    assert (plan.gap, plan.upper_bound) == (0, plan.value)
    assert_keeps_rules_and_places(variant, plan)


def test_who_is_left_of_ten_thousand_learns_what_the_rules_say_of_each_candidate() -> None:
    instance, everybody = company(Variant.LOPSIDED)
    plan, people = planned(Variant.LOPSIDED), {one.participant_id: one for one in everybody}
    standing = standing_in(instance)
    mentees = [one for one in everybody if one.role is Role.MENTEE]
    left = [one for one in plan.unmatched if one.role is Role.MENTOR]
    assert len(left) > 7_000
    for one in (left[0], left[len(left) // 2], left[-1]):
        ada = people[one.participant_id]
        broken = [refusals(instance.program(), ada, grace, standing) for grace in mentees]
        wanted = Counter(rule for rules in broken for rule in rules) + Counter(
            {Loss.LOST_TO_BETTER_PAIRS: sum(not rules for rules in broken)}
        )
        assert one.reasons == wanted


def test_neither_the_order_of_ten_thousand_nor_the_number_of_threads_changes_a_plan() -> None:
    _, everybody = company(Variant.HUB)
    shuffled = Random(7).sample(everybody, PEOPLE)
    assert planned(Variant.HUB, shuffled, threads=3) == planned(Variant.HUB)


def test_pins_among_ten_thousand_are_made_and_the_rest_is_the_best_around_them() -> None:
    _, everybody = company(Variant.LOPSIDED)
    mentors = [one for one in everybody if one.role is Role.MENTOR]
    mentees = [one for one in everybody if one.role is Role.MENTEE]
    # many of these break a rule
    pins = [
        (ada.participant_id, grace.participant_id) for ada, grace in zip(mentors[::4], 2 * mentees[:800], strict=False)
    ]
    free = planned(Variant.LOPSIDED)

    plan = planned(Variant.LOPSIDED, pins=pins)

    pinned = {(pair.mentor_id, pair.mentee_id) for pair in plan.pairs if pair.pinned}
    assert len(pinned) > 20
    assert pinned | {(pin.mentor_id, pin.mentee_id) for pin in plan.refused_pins} == set(pins)
    assert Rule.CAPACITY in {rule for pin in plan.refused_pins for rule in pin.rules}
    assert (plan.gap, plan.upper_bound) == (0, plan.value)
    assert len(plan.pairs) <= len(free.pairs)
    assert_keeps_rules_and_places(Variant.LOPSIDED, plan)


def test_a_time_limit_gives_what_was_found_and_an_honest_bound() -> None:
    full, hurried = planned(Variant.HUB), planned(Variant.HUB, time_limit=0)
    assert hurried.gap > 0
    assert len(hurried.pairs) <= len(full.pairs)
    assert hurried.upper_bound >= full.value
    assert_keeps_rules_and_places(Variant.HUB, hurried)


def test_a_service_whose_pools_are_small_never_loads_numba() -> None:
    """It takes half a second of each start and 60 MB of each replica."""
    program = "import sys, services.matching.app; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
