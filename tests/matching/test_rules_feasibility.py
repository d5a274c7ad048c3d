"""All pairs at once are judged as each pair alone."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from services.matching.rules.feasibility import Pool, feasibility_of
from services.matching.rules.pairing import Rule, Standing, refusals, standing_of
from tests.matching.rules_people import NOW, hours, mentee, mentor, pair_created, pair_ended, program

ZONES = ("Europe/Zurich", "America/New_York", "Asia/Kolkata", "Asia/Tokyo")


def anybody(chance: Random, side: str, name: str, names: list[str]) -> ParticipantEnrolled:
    """Somebody whom each rule refuses now and then."""
    make = mentor if (side == "mentor") == (chance.random() < 0.9) else mentee
    return make(
        name,
        program_id=chance.choice(["2026"] * 9 + ["2025"]),
        grade=chance.randint(1, 5) if side == "mentor" else chance.randint(3, 14),
        unit=chance.choice(["Digital", "Retail", "Finance"]),
        function=chance.choice(["Engineering", "Management", "Law", ""]),
        languages=chance.sample(["en", "de-CH", "DE", "fr", "it"], chance.randint(0, 3)),
        time_zone=chance.choice(ZONES),
        availability=hours(f"{chance.randint(6, 12):02}:{chance.choice(['00', '10', '45'])}", "18:00"),
        manager_ids=chance.sample([other for other in names if other != name], chance.randint(0, 4)),
        capacity=chance.choice([None, None, 0, 1, 2]),
        consent={"matching": chance.random() < 0.9},
    )


def crowd(seed: int, size: int = 14) -> tuple[ProgramPublished, list[Any], list[Any], Standing]:
    chance = Random(seed)
    names = [f"{side}{index}" for side in ("ada", "grace") for index in range(size)]
    mentors = [anybody(chance, "mentor", name, names) for name in names[:size]]
    mentees = [anybody(chance, "mentee", name, names) for name in names[size:]]
    programme = program(
        max_grade_gap=chance.choice([None, 8]),
        require_shared_language=chance.random() < 0.8,
        min_overlap_minutes_per_week=chance.choice([0, 60, 1200]),
        different_unit=chance.choice(["required", "preferred"]),
        different_function=chance.choice(["required", "ignored"]),
    )

    def some() -> list[tuple[Any, Any]]:
        return [(chance.choice(mentors), chance.choice(mentees)) for _ in range(10)]

    standing = standing_of(
        programme,
        now=NOW,
        in_force=[pair_created(*two) for two in some()],
        former_pairs=[pair_ended(*two, NOW - timedelta(days=chance.randint(0, 400))) for two in some()],
        exclusions=[(two[0].participant_id, two[1].participant_id) for two in some()]
        + [(two[1].participant_id, two[0].participant_id) for two in some()],
        loosen_cooldown=chance.random() < 0.3,
    )
    return programme, mentors, mentees, standing


@pytest.mark.parametrize("seed", range(12))
def test_all_pairs_at_once_are_refused_for_the_same_rules_as_each_pair_alone(seed: int) -> None:
    programme, mentors, mentees, standing = crowd(seed)

    found = feasibility_of(Pool(programme, mentors, mentees, standing))

    alone = [[refusals(programme, one, other, standing) for other in mentees] for one in mentors]
    assert found.feasible.tolist() == [[not rules for rules in row] for row in alone]
    for rule in Rule:
        assert found.refused_to_mentors[rule].tolist() == [sum(rule in rules for rules in row) for row in alone]
        assert found.refused_to_mentees[rule].tolist() == [
            sum(rule in row[mentee] for row in alone) for mentee in range(len(mentees))
        ]


def test_the_random_people_try_every_rule() -> None:
    tried: Counter[Rule] = Counter()
    for seed in range(12):
        programme, mentors, mentees, standing = crowd(seed)
        tried.update(rule for one in mentors for other in mentees for rule in refusals(programme, one, other, standing))
    assert set(tried) == set(Rule)


@pytest.mark.parametrize("sides", [([], []), ([mentor("Ada")], []), ([], [mentee("Grace")])])
def test_a_pool_without_one_side_refuses_nobody(sides: tuple[list[Any], list[Any]]) -> None:
    programme = program()
    found = feasibility_of(Pool(programme, *sides, standing_of(programme, now=NOW)))
    assert found.feasible.size == 0
    assert not any(counts.any() for counts in found.refused_to_mentors.values())
