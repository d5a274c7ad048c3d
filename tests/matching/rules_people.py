"""The people and the programme of the rules' tests. Unless said otherwise any mentor may pair with any mentee."""

from datetime import UTC, datetime
from typing import Any

from libs.contracts.events import PairCreated, PairEnded, ParticipantEnrolled, ProgramPublished

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
ENROLLED = datetime(2026, 3, 1, 9, tzinfo=UTC)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def program(**policy: Any) -> ProgramPublished:
    usual = {
        "min_grade_gap": 2,
        "max_grade_gap": 10,
        "mentor_capacity": 1,
        "mentee_capacity": 1,
        "require_shared_language": True,
        "min_overlap_minutes_per_week": 60,
        "different_unit": "required",
        "different_function": "required",
        "cooldown_days": 180,
        "objective": "participation",
        "mode": "rounds",
        "weights": {"learning": 5, "reciprocal": 2, "preference": 1, "diversity": 1, "waiting": 1},
        "cadence_days": 14,
        "session_minutes": 60,
        "sessions_per_pair": 6,
        "reminders": [60],
        "time_zone": "Europe/Zurich",
        "default_locale": "en",
    }
    return ProgramPublished.model_validate(
        {"program_id": "2026", "revision": 1, "name": "Viceversa", "state": "running", "policy": usual | policy}
    )


def hours(start: str = "09:00", end: str = "17:00", days: tuple[str, ...] = WEEKDAYS) -> list[dict[str, str]]:
    return [{"day": day, "start": start, "end": end} for day in days]


def person(name: str, role: str, **profile: Any) -> ParticipantEnrolled:
    usual = {
        "program_id": "2026",
        "participant_id": name.lower(),
        "revision": 1,
        "role": role,
        "name": name,
        "email": f"{name.lower()}@company.invalid",
        "location": "Zurich",
        "time_zone": "Europe/Zurich",
        "languages": ["en"],
        "manager_ids": [],
        "expertise": [],
        "goals": [],
        "availability": hours(),
        "consent": {"matching": True},
        "enrolled_at": ENROLLED,
    }
    return ParticipantEnrolled.model_validate(usual | profile)


def mentor(name: str, **profile: Any) -> ParticipantEnrolled:
    return person(name, "mentor", **{"grade": 2, "unit": "Digital", "function": "Engineering"} | profile)


def mentee(name: str, **profile: Any) -> ParticipantEnrolled:
    return person(name, "mentee", **{"grade": 8, "unit": "Retail", "function": "Management"} | profile)


def pair_created(mentor: ParticipantEnrolled, mentee: ParticipantEnrolled, **said: Any) -> PairCreated:
    rationale = {
        "shared_topics": [],
        "reciprocal_topics": [],
        "languages": ["en"],
        "weekly_overlap_minutes": 0,
        "notes": [],
    }
    usual = _pair(mentor, mentee) | {"score": 0.5, "rationale": rationale, "round_id": "r1", "created_at": ENROLLED}
    return PairCreated.model_validate(usual | said)


def pair_ended(mentor: ParticipantEnrolled, mentee: ParticipantEnrolled, ended_at: datetime, **said: Any) -> PairEnded:
    return PairEnded.model_validate(_pair(mentor, mentee) | {"reason": "completed", "ended_at": ended_at} | said)


def _pair(mentor: ParticipantEnrolled, mentee: ParticipantEnrolled) -> dict[str, Any]:
    return {
        "pair_id": f"{mentor.participant_id}-{mentee.participant_id}",
        "program_id": mentor.program_id,
        "mentor_id": mentor.participant_id,
        "mentee_id": mentee.participant_id,
    }


def skills(*topics: str, level: int = 5) -> list[dict[str, Any]]:
    return [{"topic": topic, "level": level} for topic in topics]


def goals(*topics: str, priority: int = 5) -> list[dict[str, Any]]:
    return [{"topic": topic, "priority": priority} for topic in topics]
