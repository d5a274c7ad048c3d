"""One realistic event of each type, as documentation, for tests and in the schemas."""

from typing import Final

from . import events
from .events import Event

PROGRAM_PUBLISHED: Final = events.ProgramPublished.model_validate(
    {
        "program_id": "digital-2026",
        "revision": 1,
        "name": "Digital Sparring 2026",
        "state": "running",
        "policy": {
            "min_grade_gap": 4,
            "max_grade_gap": 12,
            "mentor_capacity": 1,
            "mentee_capacity": 1,
            "require_shared_language": True,
            "min_overlap_minutes_per_week": 120,
            "different_unit": "required",
            "different_function": "preferred",
            "cooldown_days": 365,
            "objective": "participation",
            "mode": "rolling",
            "weights": {"learning": 0.5, "reciprocal": 0.2, "preference": 0.1, "diversity": 0.1, "waiting": 0.1},
            "cadence_days": 21,
            "session_minutes": 60,
            "sessions_per_pair": 8,
            "grace_minutes": 2880,
            "reminders": [1440, 30],
            "time_zone": "Europe/Zurich",
            "default_locale": "en",
            "quiet_hours": {"start": "20:00", "end": "07:00"},
            "organizer": {"name": "Mentoring Office", "email": "mentoring@example.com"},
            "office_email": "office@example.com",
        },
    }
)

PARTICIPANT_ENROLLED: Final = events.ParticipantEnrolled.model_validate(
    {
        "program_id": "digital-2026",
        "participant_id": "e-10482",
        "revision": 3,
        "role": "mentor",
        "name": "Ada Okafor",
        "email": "ada.okafor@example.com",
        "grade": 5,
        "unit": "Digital Platforms",
        "function": "Engineering",
        "location": "Zurich",
        "time_zone": "Europe/Zurich",
        "languages": ["en", "de-CH"],
        "manager_ids": ["e-2201", "e-310", "e-12"],
        "expertise": [
            {"topic": "generative-ai", "level": 5},
            {"topic": "social-media", "level": 4},
            {"topic": "data-literacy", "level": 3},
        ],
        "goals": [{"topic": "negotiation", "priority": 4}, {"topic": "strategy", "priority": 3}],
        "capacity": 2,
        "availability": [
            {"day": "mon", "start": "09:00", "end": "12:00"},
            {"day": "tue", "start": "13:00", "end": "17:30"},
            {"day": "thu", "start": "09:00", "end": "17:30"},
        ],
        "unavailable": [{"start": "2026-07-13", "end": "2026-07-31"}],
        "preferred_ids": ["e-77"],
        "locale": "de-CH",
        "channels": ["email", "chat"],
        "consent": {"matching": True, "photo": False},
        "enrolled_at": "2026-02-02T08:15:00Z",
    }
)

PARTICIPANT_WITHDRAWN: Final = events.ParticipantWithdrawn.model_validate(
    {
        "program_id": "digital-2026",
        "participant_id": "e-10482",
        "revision": 4,
        "reason": "left_company",
        "withdrawn_at": "2026-09-30T16:00:00Z",
    }
)

_PAIR: Final = {"pair_id": "p-0198c2", "program_id": "digital-2026", "mentor_id": "e-10482", "mentee_id": "e-77"}

PAIR_CREATED: Final = events.PairCreated.model_validate(
    _PAIR
    | {
        "score": 0.81,
        "rationale": {
            "shared_topics": ["generative-ai", "social-media"],
            "reciprocal_topics": ["negotiation"],
            "languages": ["en"],
            "weekly_overlap_minutes": 390,
            "notes": ["Ada teaches what Grace asks for most."],
        },
        "round_id": "r-2026-03",
        "created_at": "2026-03-02T09:00:00Z",
    }
)

PAIR_ENDED: Final = events.PairEnded.model_validate(
    _PAIR | {"reason": "completed", "ended_by": "e-77", "ended_at": "2026-08-20T10:05:00Z"}
)

PAIR_AT_RISK: Final = events.PairAtRisk.model_validate(
    _PAIR | {"sign": "lost_in_a_row", "detail": "2 sessions lost in a row", "since": "2026-04-14T12:00:00Z"}
)

_SESSION: Final = _PAIR | {"session_id": "s-0198c3", "revision": 1, "number": 1}

SESSION_SCHEDULED: Final = events.SessionScheduled.model_validate(
    _SESSION
    | {
        "starts_at": "2026-03-03T12:00:00Z",
        "ends_at": "2026-03-03T13:00:00Z",
        "join_url": "https://meet.example.com/s-0198c3",
        "reason": "Grace is travelling",
    }
)

SESSION_CANCELLED: Final = events.SessionCancelled.model_validate(
    _SESSION | {"reason": "Ada is ill", "cancelled_at": "2026-03-03T07:30:00Z"}
)

SESSION_COMPLETED: Final = events.SessionCompleted.model_validate(
    _SESSION
    | {
        "started_at": "2026-03-03T12:02:00Z",
        "ended_at": "2026-03-03T12:58:00Z",
        "topics": ["generative-ai"],
        "feedback": {"mentor": {"rating": 5}, "mentee": {"rating": 4, "comment": "I tried it the same evening."}},
        "series_done": False,
        "completed_at": "2026-03-03T13:10:00Z",
    }
)

SESSION_MISSED: Final = events.SessionMissed.model_validate(
    _SESSION | {"absent": ["mentee"], "missed_at": "2026-03-04T13:00:00Z"}
)

_NOTIFICATION: Final = {
    "notification_id": "n-0198c4",
    "participant_id": "e-10482",
    "program_id": "digital-2026",
    "template": "pair-created",
    "channel": "email",
    "about": {"topic": "pair-created", "event_id": "0198c2aa-3c1f-7e21-9f00-5b2f6d1c9a10"},
}

NOTIFICATION_SENT: Final = events.NotificationSent.model_validate(
    _NOTIFICATION | {"message_id": "<n-0198c4@example.com>", "sent_at": "2026-03-02T09:00:04Z"}
)

NOTIFICATION_FAILED: Final = events.NotificationFailed.model_validate(
    _NOTIFICATION | {"reason": "550 mailbox unavailable", "attempts": 1, "failed_at": "2026-03-02T09:00:04Z"}
)

_ALL: Final[tuple[Event, ...]] = (
    PROGRAM_PUBLISHED,
    PARTICIPANT_ENROLLED,
    PARTICIPANT_WITHDRAWN,
    PAIR_CREATED,
    PAIR_ENDED,
    SESSION_SCHEDULED,
    SESSION_CANCELLED,
    SESSION_COMPLETED,
    SESSION_MISSED,
    PAIR_AT_RISK,
    NOTIFICATION_SENT,
    NOTIFICATION_FAILED,
)

EXAMPLES: Final[dict[str, Event]] = {event.topic: event for event in _ALL}
"""By topic, in the order of the catalogue."""
