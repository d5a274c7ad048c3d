"""People, facts and short words for the tests of scheduling."""

from datetime import datetime, timedelta

from libs.contracts.events import PairCreated, PairEnded, ParticipantEnrolled, ParticipantWithdrawn, ProgramPublished
from libs.contracts.examples import PAIR_CREATED, PARTICIPANT_ENROLLED, PROGRAM_PUBLISHED

PROGRAM = "digital-2026"
MONDAY = "2026-03-02T09:00Z"
WEEK = ("mon", "tue", "wed", "thu", "fri")


def program(revision=1, *, sessions=3, cadence=21, minutes=60, grace=2880) -> ProgramPublished:
    numbers = {
        "sessions_per_pair": sessions,
        "cadence_days": cadence,
        "session_minutes": minutes,
        "grace_minutes": grace,
    }
    policy = PROGRAM_PUBLISHED.policy.model_copy(update=numbers)
    return PROGRAM_PUBLISHED.model_copy(update={"revision": revision, "policy": policy})


def person(name, *, zone="Europe/Zurich", hours="09:00-17:00", days=WEEK, revision=1, at="2026-02-02T08:00:00Z"):
    start, end = hours.split("-")
    return ParticipantEnrolled.model_validate(
        PARTICIPANT_ENROLLED.model_dump()
        | {
            "program_id": PROGRAM,
            "participant_id": name.lower(),
            "name": name,
            "email": f"{name.lower()}@example.com",
            "revision": revision,
            "time_zone": zone,
            "availability": [{"day": day, "start": start, "end": end} for day in days],
            "unavailable": [],
            "enrolled_at": at,
        }
    )


def withdrawn(name, at) -> ParticipantWithdrawn:
    return ParticipantWithdrawn(
        program_id=PROGRAM, participant_id=name.lower(), revision=9, reason="left_company", withdrawn_at=at
    )


def pair_created(mentor="Ada", mentee="Grace", pair_id=None) -> PairCreated:
    names = {"pair_id": pair_id or f"{mentor}-{mentee}".lower(), "program_id": PROGRAM}
    return PAIR_CREATED.model_copy(update=names | {"mentor_id": mentor.lower(), "mentee_id": mentee.lower()})


def pair_ended(mentor="Ada", mentee="Grace", reason="withdrawn") -> PairEnded:
    return PairEnded(
        pair_id=f"{mentor}-{mentee}".lower(),
        program_id=PROGRAM,
        mentor_id=mentor.lower(),
        mentee_id=mentee.lower(),
        reason=reason,
        ended_at="2026-03-02T10:00:00Z",
    )


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def days(count: int) -> timedelta:
    return timedelta(days=count)
