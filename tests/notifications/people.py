"""The facts that the tests of notifications speak of: Ada mentors Grace."""

from datetime import UTC, datetime, timedelta
from typing import Any

from libs.contracts.events import (
    PairAtRisk,
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    ParticipantWithdrawn,
    ProgramPublished,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
)
from libs.contracts.examples import PARTICIPANT_ENROLLED, PROGRAM_PUBLISHED
from libs.contracts.parts import Answer, Feedback, Rationale

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PAIR = {"pair_id": "pair-1", "program_id": "reverse", "mentor_id": "ada", "mentee_id": "grace"}
SESSION = {**PAIR, "session_id": "session-1", "number": 1}


def program(revision: int = 1, reminders: tuple[int, ...] = (1440,), **policy: Any) -> ProgramPublished:
    rules = {"reminders": reminders, "quiet_hours": None, "office_email": "office@engines.invalid", **policy}
    return PROGRAM_PUBLISHED.model_copy(
        update={
            "program_id": "reverse",
            "revision": revision,
            "policy": PROGRAM_PUBLISHED.policy.model_copy(update=rules),
        }
    )


def enrolled(name: str, revision: int = 1, at: datetime = NOON, **more: Any) -> ParticipantEnrolled:
    who = {"program_id": "reverse", "participant_id": name.lower(), "revision": revision, "enrolled_at": at}
    told = {"name": name, "email": f"{name}@engines.invalid", "time_zone": "UTC", "locale": "en"}
    return PARTICIPANT_ENROLLED.model_copy(update=who | told | more)


def withdrawn(name: str, at: datetime = NOON) -> ParticipantWithdrawn:
    return ParticipantWithdrawn(
        program_id="reverse", participant_id=name.lower(), revision=2, reason="left", withdrawn_at=at
    )


def pair_created() -> PairCreated:
    why = Rationale(
        shared_topics=("cloud",), reciprocal_topics=(), languages=("en",), weekly_overlap_minutes=600, notes=()
    )
    return PairCreated(**PAIR, score=0.5, rationale=why, round_id="round-1", created_at=NOON)


def pair_ended(reason: str = "completed") -> PairEnded:
    return PairEnded(**PAIR, reason=reason, ended_at=NOON)


def at_risk() -> PairAtRisk:
    return PairAtRisk(**PAIR, sign="stalled", detail="nothing since May", since=NOON)


def scheduled(revision: int = 1, starts_at: datetime = NOON + 7 * DAY) -> SessionScheduled:
    return SessionScheduled(**SESSION, revision=revision, starts_at=starts_at, ends_at=starts_at + HOUR)


def cancelled(revision: int = 2) -> SessionCancelled:
    return SessionCancelled(**SESSION, revision=revision, reason="ill", cancelled_at=NOON)


def completed(revision: int = 2, **answers: Answer) -> SessionCompleted:
    return SessionCompleted(
        **SESSION,
        revision=revision,
        started_at=NOON,
        ended_at=NOON + HOUR,
        topics=("cloud",),
        feedback=Feedback(**answers),
        series_done=False,
        completed_at=NOON + HOUR,
    )


def missed(revision: int = 2) -> SessionMissed:
    return SessionMissed(**SESSION, revision=revision, absent=(), missed_at=NOON)
