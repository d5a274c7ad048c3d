"""Who is told what: from a fact to its notices, one per person and fact."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from libs.contracts.events import (
    Event,
    PairAtRisk,
    PairCreated,
    PairEnded,
    PairEvent,
    ParticipantEnrolled,
    SessionCancelled,
    SessionCompleted,
    SessionEvent,
    SessionScheduled,
)
from libs.contracts.ids import NotificationId, PairId, ParticipantId, ProgramId, SessionId
from libs.contracts.policy import Policy
from libs.contracts.words import PairEndReason, Role


class Template(StrEnum):
    """What a notice is about; the name of its text."""

    WELCOME = "welcome"
    PAIR_CREATED = "pair_created"
    SESSION_SCHEDULED = "session_scheduled"
    SESSION_MOVED = "session_moved"
    SESSION_CANCELLED = "session_cancelled"
    SESSION_REMINDER = "session_reminder"
    SESSION_COMPLETED = "session_completed"  # how was it?
    PAIR_ENDED = "pair_ended"  # before all its sessions were held
    THANK_YOU = "thank_you"  # all sessions were held
    AT_RISK = "at_risk"  # to the programme's office


# Starts with `~` to keep it apart from the ids that companies give to people.
OFFICE: Final = ParticipantId("~office")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one person about one fact. `due_at` is the earliest time to tell, before any quiet hours."""

    notification_id: NotificationId
    program_id: ProgramId
    participant_id: ParticipantId
    template: Template
    topic: str
    event_id: str
    said_at: datetime
    due_at: datetime
    role: Role | None = None
    partner_id: ParticipantId | None = None
    pair_id: PairId | None = None
    session_id: SessionId | None = None
    revision: int | None = None

    @property
    def message_id(self) -> str:
        """The Message-ID (RFC 5322), the same at every try."""
        return f"<{self.notification_id}@viceversa.invalid>"


def notices_about(event: Event, event_id: str, said_at: datetime) -> tuple[Notice, ...]:
    """The notices that a fact leads to; none where nobody is to be told.

    They need no profile, so they can be kept until the profile is known. The same fact gives the same ids: a welcome is
    one per enrolment and a question about a session one per session, over all revisions; all others are one per event.
    """
    match event:
        case ParticipantEnrolled() if event.consent.matching:
            return (_welcome(event, event_id, said_at),)
        case PairCreated():
            return _to_both(event, Template.PAIR_CREATED, event_id, said_at)
        case PairEnded(reason=PairEndReason.COMPLETED):
            return _to_both(event, Template.THANK_YOU, event_id, said_at)
        case PairEnded():
            return _to_both(event, Template.PAIR_ENDED, event_id, said_at)
        case SessionScheduled():
            template = Template.SESSION_MOVED if event.revision > 1 else Template.SESSION_SCHEDULED
            return _to_both(event, template, event_id, said_at)
        case SessionCancelled():
            return _to_both(event, Template.SESSION_CANCELLED, event_id, said_at)
        case SessionCompleted():
            return tuple(_questions(event, event_id, said_at))
        case PairAtRisk():
            return (_to_office(event, event_id, said_at),)
        case _:
            return ()


def reminders_of(event: SessionScheduled, event_id: str, said_at: datetime, policy: Policy) -> tuple[Notice, ...]:
    """The reminders of a meeting; those whose time has passed when the meeting was planned are left out."""
    return tuple(
        _to_side(event, role, Template.SESSION_REMINDER, event_id, said_at, due_at=due_at, fact=f"{event_id}-{minutes}")
        for minutes in sorted(set(policy.reminders), reverse=True)
        if (due_at := event.starts_at - timedelta(minutes=minutes)) > said_at
        for role in Role
    )


def notification_id(fact: str, program_id: str, participant_id: str, template: str) -> NotificationId:
    """The id of what this person is told about this fact."""
    text = "\n".join((fact, program_id, participant_id, template))
    return NotificationId(sha256(text.encode()).hexdigest()[:32])


def _welcome(event: ParticipantEnrolled, event_id: str, said_at: datetime) -> Notice:
    who = event.participant_id
    return Notice(
        notification_id=notification_id(event.enrolled_at.isoformat(), event.program_id, who, Template.WELCOME),
        program_id=event.program_id,
        participant_id=who,
        template=Template.WELCOME,
        topic=event.topic,
        event_id=event_id,
        said_at=said_at,
        due_at=said_at,
        role=event.role,
    )


def _to_both(event: PairEvent, template: Template, event_id: str, said_at: datetime) -> tuple[Notice, ...]:
    return tuple(_to_side(event, role, template, event_id, said_at) for role in Role)


def _questions(event: SessionCompleted, event_id: str, said_at: datetime) -> Iterator[Notice]:
    answers = {Role.MENTOR: event.feedback.mentor, Role.MENTEE: event.feedback.mentee}
    for role in (role for role, answer in answers.items() if answer is None):
        yield _to_side(event, role, Template.SESSION_COMPLETED, event_id, said_at, fact=event.session_id)


def _to_side(
    event: PairEvent,
    role: Role,
    template: Template,
    event_id: str,
    said_at: datetime,
    *,
    due_at: datetime | None = None,
    fact: str | None = None,
) -> Notice:
    mentor_first = (event.mentor_id, event.mentee_id)
    who, partner = mentor_first if role is Role.MENTOR else mentor_first[::-1]
    session = event if isinstance(event, SessionEvent) else None
    return Notice(
        notification_id=notification_id(fact or event_id, event.program_id, who, template),
        program_id=event.program_id,
        participant_id=who,
        template=template,
        topic=event.topic,
        event_id=event_id,
        said_at=said_at,
        due_at=due_at or said_at,
        role=role,
        partner_id=partner,
        pair_id=event.pair_id,
        session_id=session.session_id if session else None,
        revision=session.revision if session else None,
    )


def _to_office(event: PairAtRisk, event_id: str, said_at: datetime) -> Notice:
    return Notice(
        notification_id=notification_id(event_id, event.program_id, OFFICE, Template.AT_RISK),
        program_id=event.program_id,
        participant_id=OFFICE,
        template=Template.AT_RISK,
        topic=event.topic,
        event_id=event_id,
        said_at=said_at,
        due_at=said_at,
        pair_id=event.pair_id,
    )
