"""Every event of the language: one frozen class per topic, named as the topic.

Fields without a default are required. What a programme's policy and a person's profile are made of is in `policy` and
`profile`, the words are in `words`, an example of each event is in `examples`.
"""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from .fields import (
    MAX_INTEGER,
    Count,
    Email,
    Fraction,
    Grade,
    Label,
    Language,
    Languages,
    Line,
    OrElse,
    Part,
    Revision,
    Text,
    Time,
    TimeZone,
    Topics,
    Url,
)
from .ids import NotificationId, PairId, ParticipantId, ProgramId, RoundId, SessionId
from .parts import About, Feedback, Rationale
from .policy import Policy
from .profile import Consent, DateRange, Goal, Skill, Window
from .words import Channel, PairEndReason, ProgramState, Role, Sign


class Event(Part):
    """A fact in the past. Its key is the record key and the CloudEvents subject."""

    topic: ClassVar[str]
    version: ClassVar[int] = 1
    key_fields: ClassVar[tuple[str, ...]]

    @property
    def key(self) -> str:
        """The ids of the key's fields, joined by `/`."""
        values = self.__dict__
        return "/".join([values[name] for name in self.key_fields])


class ProgramPublished(Event):
    """The whole policy of a programme."""

    topic: ClassVar[str] = "program-published"
    key_fields: ClassVar[tuple[str, ...]] = ("program_id",)

    program_id: ProgramId
    revision: Revision
    name: Line
    state: ProgramState
    policy: Policy


class PersonEvent(Event):
    """Speaks of a person in a programme."""

    key_fields: ClassVar[tuple[str, ...]] = ("program_id", "participant_id")

    program_id: ProgramId
    participant_id: ParticipantId


class ParticipantEnrolled(PersonEvent):
    """The whole profile of a person in a programme."""

    topic: ClassVar[str] = "participant-enrolled"

    revision: Revision
    """Orders the facts of the source that enrolled the person first."""
    role: Role
    name: Annotated[Line, Field(repr=False)]
    email: Annotated[Email, Field(repr=False)]
    grade: Grade
    """Higher is more senior."""
    unit: Label
    function: Label
    location: Label
    time_zone: TimeZone
    languages: Languages
    manager_ids: Annotated[tuple[ParticipantId, ...], Field(max_length=100)]
    """The chain of managers, nearest first."""
    expertise: Annotated[tuple[Skill, ...], Field(max_length=200)]
    goals: Annotated[tuple[Goal, ...], Field(max_length=200)]
    capacity: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Pairs in force at most; the policy's number unless said."""
    availability: Annotated[tuple[Window, ...], Field(max_length=200)]
    unavailable: Annotated[tuple[DateRange, ...], Field(max_length=400), OrElse(())] = ()
    preferred_ids: Annotated[tuple[ParticipantId, ...], Field(max_length=200), OrElse(())] = ()
    """Most wanted first."""
    locale: Language | None = None
    """Language in which the person is told; the policy's unless said."""
    channels: Annotated[tuple[Channel, ...], Field(max_length=10), OrElse((Channel.EMAIL,))] = (Channel.EMAIL,)
    """Most liked first; e-mail unless said."""
    consent: Consent
    enrolled_at: Time
    """The moment of this enrolment, kept over revisions; a later one than a withdrawal is a return."""


class ParticipantWithdrawn(PersonEvent):
    """The person left the programme or the company."""

    topic: ClassVar[str] = "participant-withdrawn"

    revision: Revision
    reason: Label
    withdrawn_at: Time


class PairEvent(Event):
    """Speaks of a pair."""

    key_fields: ClassVar[tuple[str, ...]] = ("pair_id",)

    pair_id: PairId
    program_id: ProgramId
    mentor_id: ParticipantId
    mentee_id: ParticipantId


class PairCreated(PairEvent):
    """Who mentors whom, why, and from which round."""

    topic: ClassVar[str] = "pair-created"

    score: Fraction
    rationale: Rationale
    round_id: RoundId
    created_at: Time


class PairEnded(PairEvent):
    """A pair ended and why."""

    topic: ClassVar[str] = "pair-ended"

    reason: PairEndReason
    ended_by: Label | None = None
    """Who asked for it, where somebody did."""
    ended_at: Time


class PairAtRisk(PairEvent):
    """A warning sign for the programme's office."""

    topic: ClassVar[str] = "pair-at-risk"

    sign: Sign
    detail: Text
    since: Time


class SessionEvent(PairEvent):
    """Speaks of a meeting of a pair."""

    session_id: SessionId
    revision: Revision
    number: Count
    """Place in the series from 1; what replaces a lost meeting keeps its number."""


class SessionScheduled(SessionEvent):
    """A meeting with its time. A higher revision of the same session is a new time for it."""

    topic: ClassVar[str] = "session-scheduled"

    starts_at: Time
    ends_at: Time
    join_url: Url | None = None
    reason: Text | None = None
    """Why it was moved, where it was."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        return self


class SessionCancelled(SessionEvent):
    """A meeting will not take place."""

    topic: ClassVar[str] = "session-cancelled"

    reason: Text
    cancelled_at: Time


class SessionCompleted(SessionEvent):
    """A meeting took place. A higher revision adds the other side's answer."""

    topic: ClassVar[str] = "session-completed"

    started_at: Time
    ended_at: Time
    topics: Topics
    feedback: Feedback
    series_done: bool
    completed_at: Time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ended_at < self.started_at:
            raise ValueError("ended_at must not be before started_at")
        return self


class SessionMissed(SessionEvent):
    """Nobody confirmed a meeting, or one side did not come."""

    topic: ClassVar[str] = "session-missed"

    absent: Annotated[tuple[Role, ...], Field(max_length=2)]
    """Empty when unknown."""
    missed_at: Time


class NotificationEvent(PersonEvent):
    """Speaks of a message to a person."""

    notification_id: NotificationId
    template: Line
    channel: Channel
    about: About


class NotificationSent(NotificationEvent):
    """A message reached its channel's server."""

    topic: ClassVar[str] = "notification-sent"

    message_id: Label
    sent_at: Time


class NotificationFailed(NotificationEvent):
    """A message was given up after its retries."""

    topic: ClassVar[str] = "notification-failed"

    reason: Text
    attempts: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    failed_at: Time
