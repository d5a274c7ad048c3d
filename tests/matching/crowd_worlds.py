"""Random worlds in which each rule refuses now and then and each part of the score is given now and then."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.words import Role
from services.matching.rules.crowd.crowd import Crowd, crowd_of
from services.matching.rules.feasibility import Pool, feasibility_of
from services.matching.rules.pairing import standing_of
from services.matching.rules.score import Micros, parts_of, weighed
from tests.matching.rules_people import NOW, hours, pair_created, pair_ended, person, program

ZONES = (
    *["Europe/Zurich"] * 4,
    "Europe/London",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
)
TOPICS = ("AI", "ai ", "Cloud", "Law", "Sales", "cLOUD", "Data  Science", "data science", "Negotiation", "Go")


def world(seed: int, mentors: int, mentees: int, **policy: Any) -> Pool:
    """A pool of so many people."""
    chance = Random(seed)
    names = [f"ada{n:05}" for n in range(mentors)], [f"grace{n:05}" for n in range(mentees)]
    sides = [
        [anybody(chance, role, name, [*names[0], *names[1], "nobody", "stranger"]) for name in of_role]
        for role, of_role in zip(("mentor", "mentee"), names, strict=True)
    ]
    programme = program(**(random_policy(chance) | policy))

    def some() -> list[tuple[Any, Any]]:
        return [(chance.choice(sides[0]), chance.choice(sides[1])) for _ in range(10)] if mentors and mentees else []

    standing = standing_of(
        programme,
        now=NOW,
        in_force=[pair_created(*two) for two in some()],
        former_pairs=[pair_ended(*two, NOW - timedelta(days=chance.randint(0, 400))) for two in some()],
        exclusions=[(two[side].participant_id, two[1 - side].participant_id) for side in (0, 1) for two in some()]
        + [("stranger", "ada00001"), ("ada00001", "ada00002")],
        loosen_cooldown=chance.random() < 0.3,
    )
    return Pool(programme, *sides, standing)


def random_policy(chance: Random) -> dict[str, Any]:
    """Any policy."""
    names = ("learning", "reciprocal", "preference", "diversity", "waiting")
    weights = {name: chance.choice([0, 0, 1, 2, 5, 0.3]) for name in names}
    return {
        "min_grade_gap": chance.choice([0, 2]),
        "max_grade_gap": chance.choice([None, 8]),
        "mentor_capacity": chance.choice([1, 3]),
        "require_shared_language": chance.random() < 0.8,
        "min_overlap_minutes_per_week": chance.choice([0, 60, 100, 900]),
        "different_unit": chance.choice(["required", "preferred", "ignored"]),
        "different_function": chance.choice(["required", "preferred", "ignored"]),
        "weights": weights if any(weights.values()) else weights | {chance.choice(names): 1},
    }


def anybody(chance: Random, role: str, name: str, names: list[str]) -> ParticipantEnrolled:
    """Somebody whom each rule refuses now and then."""
    role = role if chance.random() < 0.97 else "mentee" if role == "mentor" else "mentor"
    start = f"{chance.randint(6, 12):02}:{chance.choice(['00', '10', '45'])}"
    return person(
        name,
        role,
        program_id=chance.choice(["2026"] * 30 + ["2025"]),
        grade=chance.randint(1, 5) if name.startswith("ada") else chance.randint(4, 13),
        unit=chance.choice(["Digital", "Retail", "Finance", "Law", "Sales", "Staff"]),
        function=chance.choice(["Engineering", "Management", "Law", "Sales", "Audit", ""]),
        location=chance.choice(["Zurich", "Lagos", "Pune"]),
        languages=chance.choices(["en", "en-GB", "de-CH", "DE", "fr"], k=chance.choice([0, 1, 2, 2, 3, 3])),
        time_zone=chance.choice(ZONES),
        availability=hours(start, chance.choice(["13:30", "17:00", "24:00"])) if chance.random() < 0.95 else [],
        manager_ids=chance.sample(
            [other for other in names if other != name], min(len(names) - 1, chance.choice([0, 1, 2, 4]))
        ),
        preferred_ids=chance.choices(names, k=chance.choice([0, 0, 1, 3, 7])),
        expertise=_rated(chance, "level"),
        goals=_rated(chance, "priority"),
        capacity=chance.choice([None] * 5 + [0, 1, 2]),
        consent={"matching": chance.random() < 0.95},
        enrolled_at=NOW - timedelta(seconds=chance.choice([-10, 0, 1, 2, 86_400, 9_000_000])),
    )


def _rated(chance: Random, word: str) -> list[dict[str, Any]]:
    return [{"topic": chance.choice(TOPICS), word: chance.randint(1, 5)} for _ in range(chance.choice([0, 1, 3, 6]))]


def crowd_and_pool(pool: Pool) -> tuple[Crowd, Pool]:
    """The crowd, and the pool with the people in the crowd's order."""
    crowd = crowd_of(pool.program, pool.mentors, pool.mentees, pool.standing)
    known = {one.participant_id: one for side in (pool.mentors, pool.mentees) for one in side}
    mentors, mentees = ([known[name] for name in names] for names in (crowd.mentor_ids, crowd.mentee_ids))
    return crowd, replace(pool, mentors=mentors, mentees=mentees)


def dense(pool: Pool, role: Role) -> Micros:
    """Scores of rows x columns for the people of the role as rows, -1 where a rule refuses: by the matrices."""
    scores = np.where(feasibility_of(pool).feasible, weighed(parts_of(pool), pool.program.policy.weights), -1)
    return scores if role is Role.MENTOR else scores.T
