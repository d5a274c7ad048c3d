"""A round's plan: the best pairs, why they are pairs, and why the others are not."""

from datetime import datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Objective, Role
from services.matching.rules.pairing import Rule
from services.matching.rules.reasons import Loss
from services.matching.rules.round import RoundPlan, plan_round
from tests.matching.rules_people import (
    NOW,
    goals,
    hours,
    mentee,
    mentor,
    pair_created,
    pair_ended,
    program,
    skills,
)

TOPICS = ("AI", "Cloud", "Security", "Data", "Design", "Culture", "Video", "Law")


def pairs_of(plan: RoundPlan) -> list[tuple[str, str]]:
    return [(pair.mentor_id, pair.mentee_id) for pair in plan.pairs]


def reasons_of(plan: RoundPlan, participant_id: str) -> dict[str, int]:
    return next(dict(left.reasons) for left in plan.unmatched if left.participant_id == participant_id)


def company(seed: int, mentors: int, mentees: int) -> list[ParticipantEnrolled]:
    """People of one company, with a tree of managers above the mentors that the mentees are part of."""
    chance = Random(seed)
    leaders = [f"grace{index}" for index in range(mentees)]

    def profile(side: str) -> dict[str, Any]:
        return {
            "grade": chance.randint(1, 5) if side == "mentor" else chance.randint(5, 12),
            "unit": chance.choice(["Digital", "Retail", "Finance"]),
            "function": chance.choice(["Engineering", "Management", "Law"]),
            "location": chance.choice(["Zurich", "Lagos"]),
            "languages": chance.sample(["en", "de", "fr"], 2),
            "time_zone": chance.choice(["Europe/Zurich", "America/New_York", "Asia/Tokyo"]),
            "availability": hours(f"{chance.randint(7, 12):02}:00", f"{chance.randint(15, 20)}:30"),
            "manager_ids": chance.sample(leaders, min(2, mentees)) if side == "mentor" else [],
            "expertise": skills(*chance.sample(TOPICS, 3), level=chance.randint(1, 5)),
            "goals": goals(*chance.sample(TOPICS, 3), priority=chance.randint(1, 5)),
            "capacity": chance.choice([None, 1, 2]),
            "enrolled_at": NOW - timedelta(hours=chance.randint(0, 2000)),
        }

    return [mentor(f"Ada{index}", **profile("mentor")) for index in range(mentors)] + [
        mentee(f"Grace{index}", **profile("mentee")) for index in range(mentees)
    ]


def breaks_no_rule(programme: ProgramPublished, ada: ParticipantEnrolled, grace: ParticipantEnrolled) -> bool:
    """The hard rules once more, written without the code under test."""
    policy = programme.policy
    shared_minutes = 0
    instant = datetime(2026, 3, 9, tzinfo=ZoneInfo(policy.time_zone)).astimezone(ZoneInfo("UTC"))
    for quarter in range(7 * 96):
        moment = instant + timedelta(minutes=15 * quarter)
        clocks = [(person, moment.astimezone(ZoneInfo(person.time_zone))) for person in (ada, grace)]
        shared_minutes += 15 * all(
            any(
                f"{clock:%a}".lower() == window.day and window.start <= f"{clock:%H:%M}" < window.end
                for window in person.availability
            )
            for person, clock in clocks
        )
    return (
        (ada.role, grace.role) == ("mentor", "mentee")
        and policy.min_grade_gap <= grace.grade - ada.grade <= (policy.max_grade_gap or 99)
        and not {ada.participant_id, *ada.manager_ids[:1]} & set(grace.manager_ids[:1])
        and ada.participant_id not in grace.manager_ids
        and grace.participant_id not in ada.manager_ids
        and ada.unit != grace.unit
        and ada.function != grace.function
        and bool(set(ada.languages) & set(grace.languages))
        and shared_minutes >= policy.min_overlap_minutes_per_week
    )


@pytest.mark.parametrize("objective", list(Objective))
def test_every_planned_pair_keeps_every_rule_and_every_capacity(objective: Objective) -> None:
    programme, people = program(mentee_capacity=2), company(1, 60, 40)
    by_id = {person.participant_id: person for person in people}

    plan = plan_round(programme, people, now=NOW, objective=objective)

    assert len(plan.pairs) > 20
    assert len(set(pairs_of(plan))) == len(plan.pairs)
    assert all(breaks_no_rule(programme, by_id[pair.mentor_id], by_id[pair.mentee_id]) for pair in plan.pairs)
    for person in people:
        usual = 1 if person.role is Role.MENTOR else 2
        limit = usual if person.capacity is None else person.capacity
        assert sum(person.participant_id in pair for pair in pairs_of(plan)) <= limit
    assert plan.value == pytest.approx(sum(pair.score for pair in plan.pairs))
    assert (plan.upper_bound, plan.gap) == (plan.value, 0)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_set_of_pairs_is_better(seed: int) -> None:
    programme, people = program(min_overlap_minutes_per_week=0), company(seed, 4, 4)
    people = [person.model_copy(update={"capacity": 1}) for person in people]
    one_by_one = {
        pairs_of(plan)[0]: plan.value
        for ada in people[:4]
        for grace in people[4:]
        if (plan := plan_round(programme, [ada, grace], now=NOW)).pairs
    }
    possible = [
        (len(some), sum(one_by_one[two] for two in some))
        for size in range(5)
        for some in combinations(one_by_one, size)
        if len({person for two in some for person in two}) == 2 * size
    ]

    by_number = plan_round(programme, people, now=NOW, objective="participation")
    by_score = plan_round(programme, people, now=NOW, objective="score")

    assert (len(by_number.pairs), by_number.value) == pytest.approx(max(possible))
    assert by_score.value == pytest.approx(max(value for _, value in possible))


def test_the_order_of_arrival_changes_nothing() -> None:
    programme, people = program(), company(3, 30, 30)
    shuffled = Random(7).sample(people, len(people))
    assert plan_round(programme, shuffled, now=NOW) == plan_round(programme, people, now=NOW)


def test_the_latest_revision_of_a_profile_counts() -> None:
    old, new = mentor("Ada", languages=["fr"]), mentor("Ada", revision=2)
    for people in ([old, new, mentee("Grace")], [new, old, mentee("Grace")]):
        assert pairs_of(plan_round(program(), people, now=NOW)) == [("ada", "grace")]


def test_a_pair_knows_why_it_was_made() -> None:
    ada = mentor("Ada", expertise=skills("ai", "Cloud"), goals=goals("Strategy"), languages=["de-CH", "en"])
    grace = mentee("Grace", goals=goals("Law", "AI"), expertise=skills("strategy", level=3), languages=["EN", "de"])

    (pair,) = plan_round(program(), [ada, grace], now=NOW, pins=[("ada", "grace")]).pairs

    assert pair.rationale.shared_topics == ("AI",)
    assert pair.rationale.reciprocal_topics == ("Strategy",)
    assert pair.rationale.languages == ("de", "en")
    assert pair.rationale.weekly_overlap_minutes == 5 * 8 * 60
    assert pair.rationale.notes == (
        "The mentor's expertise meets 50% of what the mentee wants to learn.",
        "The mentee's expertise meets 60% of what the mentor wants to learn.",
        "They work in a different unit, function.",
        "One of them has waited for 3 days.",
        "The programme's office chose this pair.",
    )
    assert pair.parts["learning"] == 0.5
    assert 0 < pair.score < 1


def test_the_wish_of_one_side_alone_is_not_told() -> None:
    ada, grace = mentor("Ada"), mentee("Grace", preferred_ids=["ada"])
    (pair,) = plan_round(program(), [ada, grace], now=NOW).pairs
    assert not any("asked" in note for note in pair.rationale.notes)
    keen = mentor("Ada", preferred_ids=["grace"])
    (pair,) = plan_round(program(), [keen, grace], now=NOW).pairs
    assert "Both asked for each other." in pair.rationale.notes


def test_who_stays_alone_learns_how_many_candidates_each_rule_refused() -> None:
    people = [
        mentor("Ada"),
        mentor("Lin", languages=["fr"]),
        mentor("Mina", languages=["fr"], unit="Retail"),
        mentee("Grace"),
        mentee("Rosa"),
    ]
    plan = plan_round(program(), people, now=NOW, exclusions=[("rosa", "ada")])
    assert pairs_of(plan) == [("ada", "grace")]
    assert reasons_of(plan, "rosa") == {Rule.LANGUAGE: 2, Rule.DIFFERENT_UNIT: 1, Rule.EXCLUDED: 1}
    assert reasons_of(plan, "lin") == {Rule.LANGUAGE: 2}


def test_a_surplus_mentor_lost_to_better_pairs_and_waits() -> None:
    ada, lin = mentor("Ada", expertise=skills("AI")), mentor("Lin")
    plan = plan_round(program(), [ada, lin, mentee("Grace", goals=goals("AI"))], now=NOW)
    assert pairs_of(plan) == [("ada", "grace")]
    assert reasons_of(plan, "lin") == {Loss.LOST_TO_BETTER_PAIRS: 1}


def test_who_has_waited_longer_goes_first() -> None:
    lin = mentor("Lin", enrolled_at=NOW - timedelta(days=90))
    assert pairs_of(plan_round(program(), [mentor("Ada"), lin, mentee("Grace")], now=NOW)) == [("lin", "grace")]


def test_a_pair_that_adds_no_value_is_made_for_participation_only() -> None:
    only_learning = {"learning": 1, "reciprocal": 0, "preference": 0, "diversity": 0, "waiting": 0}
    programme, people = program(weights=only_learning), [mentor("Ada"), mentee("Grace")]
    by_score = plan_round(programme, people, now=NOW, objective="score")
    assert pairs_of(by_score) == []
    assert reasons_of(by_score, "ada") == {Loss.ADDS_NO_VALUE: 1}
    assert pairs_of(plan_round(programme, people, now=NOW, objective="participation")) == [("ada", "grace")]


def test_somebody_with_a_pair_in_force_is_neither_paired_nor_called_unmatched() -> None:
    ada, grace, rosa = mentor("Ada"), mentee("Grace"), mentee("Rosa")
    plan = plan_round(program(), [ada, grace, rosa], now=NOW, in_force=[pair_created(ada, grace)])
    assert plan.pairs == ()
    assert [left.participant_id for left in plan.unmatched] == ["rosa"]
    assert reasons_of(plan, "rosa") == {Rule.CAPACITY: 1}


def test_somebody_with_a_pair_in_force_and_another_place_still_waits() -> None:
    ada, grace = mentor("Ada"), mentee("Grace", capacity=2)
    plan = plan_round(program(), [ada, grace], now=NOW, in_force=[pair_created(mentor("Lin"), grace)])
    assert pairs_of(plan) == [("ada", "grace")]
    plan = plan_round(program(), [grace], now=NOW, in_force=[pair_created(mentor("Lin"), grace)])
    assert [left.participant_id for left in plan.unmatched] == ["grace"]


def test_a_loosened_cooldown_shows_in_the_rationale() -> None:
    ada, grace = mentor("Ada"), mentee("Grace")
    known = {"now": NOW, "former_pairs": [pair_ended(ada, grace, NOW - timedelta(days=9))]}
    assert reasons_of(plan_round(program(), [ada, grace], **known), "ada") == {Rule.COOLDOWN: 1}
    (pair,) = plan_round(program(), [ada, grace], **known, loosen_cooldown=True).pairs
    assert "They were a pair before: the cool-down was loosened for this round." in pair.rationale.notes


@pytest.mark.parametrize("people", [[], [mentor("Ada")], [mentee("Grace")], [mentor("Ada", program_id="2025")]])
def test_an_empty_side_gives_an_empty_plan(people: list[ParticipantEnrolled]) -> None:
    plan = plan_round(program(), people, now=NOW)
    assert (plan.pairs, plan.value, plan.gap) == ((), 0, 0)
    assert all(left.reasons == {} for left in plan.unmatched)
