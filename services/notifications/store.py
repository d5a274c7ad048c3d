"""What notifications keeps: programmes, people, what notices speak about, and the notices themselves."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from libs.chassis.documents import Document
from libs.contracts.events import (
    Event,
    NotificationFailed,
    NotificationSent,
    ParticipantEnrolled,
    ProgramPublished,
    SessionCancelled,
    SessionCompleted,
    SessionEvent,
    SessionMissed,
    SessionScheduled,
)
from libs.contracts.fields import Language
from libs.contracts.ids import ParticipantId
from libs.contracts.parts import About, Feedback
from libs.contracts.policy import QuietHours
from libs.contracts.topics import TOPICS
from libs.contracts.words import Channel
from services.notifications.rules.notices import Notice
from services.notifications.rules.people import Recipient
from services.notifications.rules.timing import GiveUp, next_try
from services.notifications.rules.truth import Meeting, MeetingState


class NoticeState(StrEnum):
    """How far a notice is."""

    WAITING = "waiting"  # for the person's profile
    PLANNED = "planned"
    SENT = "sent"
    FAILED = "failed"  # refused for good, or for a day
    DROPPED = "dropped"  # no longer true, or nobody to tell


class Preferences(BaseModel):
    """What a person wishes; without a word the profile and the programme decide."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    channels: tuple[Channel, ...] | None = Field(None, min_length=1, max_length=10)
    locale: Language | None = None
    quiet_hours: QuietHours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The part of a profile that is needed to reach a person."""

    revision: int
    enrolled_at: datetime
    digest: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    time_zone: str
    locale: str | None
    channels: tuple[Channel, ...]


@dataclass(slots=True, kw_only=True)
class Program(Document):
    """The newest policy of a programme."""

    collection: ClassVar[str] = "programs"

    published: ProgramPublished | None = None


@dataclass(slots=True, kw_only=True)
class Person(Document):
    """Somebody in a programme, or its office. `waiting` names the notices that came before the profile."""

    collection: ClassVar[str] = "people"
    indexes: ClassVar = (("address",),)

    owner: str = ""
    contact: Contact | None = field(default=None, repr=False)
    address: str = field(default="", repr=False)
    bounced: str = field(default="", repr=False)
    withdrawn_at: datetime | None = None
    erased: bool = False
    preferences: Preferences = field(default_factory=Preferences)
    preferences_revision: int = 0
    waiting: list[str] = field(default_factory=list)

    @property
    def left(self) -> bool:
        """Whether a withdrawal holds against the profile."""
        if self.withdrawn_at is None:
            return False
        return self.contact is None or self.contact.enrolled_at <= self.withdrawn_at

    @property
    def has_bounced(self) -> bool:
        return bool(self.address) and self.bounced == self.address

    def enrol(self, event: ParticipantEnrolled, source: str) -> None:
        """Take a newer profile."""
        self.owner = self.owner or source
        self.erased = False
        self.address = event.email.lower()
        self.contact = Contact(
            revision=event.revision,
            enrolled_at=event.enrolled_at,
            digest=digest_of(event),
            name=event.name,
            email=event.email,
            time_zone=event.time_zone,
            locale=event.locale,
            channels=event.channels,
        )

    def withdraw(self, at: datetime) -> None:
        self.withdrawn_at = max(self.withdrawn_at or at, at)

    @property
    def wishes(self) -> dict[str, Any]:
        """The preferences in force, the profile's where the person wished nothing."""
        wished = self.preferences.model_dump(mode="json")
        if self.contact is None:
            return wished
        channels = self.preferences.channels or self.contact.channels
        locale = self.preferences.locale or self.contact.locale
        return wished | {"channels": [channel.value for channel in channels], "locale": locale}

    def wish(self, preferences: Preferences) -> None:
        self.preferences, self.preferences_revision = preferences, self.preferences_revision + 1

    def forget(self) -> None:
        """What is left knows nobody."""
        self.owner = self.address = self.bounced = ""
        self.contact = self.withdrawn_at = None
        self.preferences, self.preferences_revision, self.waiting = Preferences(), 0, []
        self.erased = True

    def as_recipient(self, program: ProgramPublished) -> Recipient | None:
        """How a mail sees this person; None without a profile."""
        if self.contact is None:
            return None
        locale = self.preferences.locale or self.contact.locale or program.policy.default_locale
        who = ParticipantId(self.id.partition("/")[2])
        return Recipient(who, self.contact.name, self.contact.email, self.contact.time_zone, locale)


def digest_of(event: Event) -> str:
    """Tells two events of one revision apart."""
    return sha256(event.model_dump_json().encode()).hexdigest()[:32]


@dataclass(slots=True, kw_only=True)
class Pair(Document):
    """Whether a pair is over."""

    collection: ClassVar[str] = "pairs"

    ended: bool = False


_RANK: Final = {
    SessionScheduled: (0, MeetingState.PLANNED),
    SessionMissed: (1, MeetingState.MISSED),
    SessionCancelled: (2, MeetingState.CANCELLED),
    SessionCompleted: (3, MeetingState.HELD),
}


@dataclass(slots=True, kw_only=True)
class Session(Document):
    """The newest of a meeting, and its last known time."""

    collection: ClassVar[str] = "sessions"

    revision: int = -1
    rank: int = -1
    state: MeetingState = MeetingState.PLANNED
    scheduled: SessionScheduled | None = None

    def learn(self, event: SessionEvent) -> None:
        """Facts may come in any order; the highest revision holds."""
        rank, state = _RANK[type(event)]
        if (event.revision, rank) > (self.revision, self.rank):
            self.revision, self.rank, self.state = event.revision, rank, state
        if isinstance(event, SessionScheduled) and (self.scheduled is None or event.revision > self.scheduled.revision):
            self.scheduled = event

    @property
    def meeting(self) -> Meeting | None:
        if self.revision < 0:
            return None
        starts_at = self.scheduled.starts_at if self.scheduled else datetime.max.replace(tzinfo=UTC)
        return Meeting(self.revision, self.state, starts_at)

    @property
    def is_planned(self) -> bool:
        return self.state is MeetingState.PLANNED and self.scheduled is not None


@dataclass(slots=True, kw_only=True)
class KeptNotice(Document):
    """A notice and what became of it. What it tells is forgotten once it is settled.

    `accepted_at` is set outside any transaction, the moment the mail server has taken the mail, so that a repeat of the
    work finds it; a transaction that has not seen it collides with it.
    """

    collection: ClassVar[str] = "notices"
    indexes: ClassVar = (("person",),)

    person: str = ""
    state: NoticeState = NoticeState.PLANNED
    notice: Notice | None = None
    fact: dict[str, Any] | None = None
    channel: Channel = Channel.EMAIL
    reason: str = ""
    attempts: int = 0
    planned_at: datetime | None = None
    first_tried_at: datetime | None = None
    accepted_at: datetime | None = None
    settled_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.notice is not None and self.state in (NoticeState.WAITING, NoticeState.PLANNED)

    @property
    def told(self) -> Notice:
        """The notice of a stored document."""
        assert self.notice is not None
        return self.notice

    @property
    def event(self) -> Event | None:
        """The fact that the notice tells of; None for a welcome, which tells of the programme."""
        return TOPICS[self.told.topic].event.model_validate(self.fact) if self.fact else None

    def keep(self, notice: Notice, person: str, fact: Event, event_id: str) -> None:
        """Remember what is to be told."""
        self.notice = replace(notice, event_id=event_id or notice.event_id)
        self.person = person
        self.fact = None if isinstance(fact, ParticipantEnrolled) else _without_answers(fact).model_dump(mode="json")

    def wait(self) -> None:
        self.state = NoticeState.WAITING

    def plan(self, at: datetime) -> None:
        self.state, self.planned_at = NoticeState.PLANNED, at

    def drop(self, reason: str, now: datetime) -> None:
        self._settle(NoticeState.DROPPED, reason, now)

    def next_try(self, now: datetime) -> datetime | GiveUp:
        """Count a temporary failure."""
        self.attempts += 1
        self.first_tried_at = self.first_tried_at or now
        return next_try(self.id, self.attempts, self.first_tried_at, now)

    def sent(self, now: datetime) -> NotificationSent:
        self.attempts += 1
        self._settle(NoticeState.SENT, "", now)
        return NotificationSent(**self._said(), message_id=self.told.message_id, sent_at=self.accepted_at or now)

    def failed(self, reason: str, now: datetime) -> NotificationFailed:
        self._settle(NoticeState.FAILED, reason, now)
        return NotificationFailed(**self._said(), reason=reason, attempts=self.attempts, failed_at=now)

    def _settle(self, state: NoticeState, reason: str, now: datetime) -> None:
        self.state, self.reason, self.settled_at, self.fact = state, reason, now, None

    def _said(self) -> dict[str, Any]:
        notice = self.told
        return {
            "notification_id": notice.notification_id,
            "participant_id": notice.participant_id,
            "program_id": notice.program_id,
            "template": notice.template.value,
            "channel": self.channel,
            "about": About(topic=notice.topic, event_id=notice.event_id),
        }


def _without_answers(fact: Event) -> Event:
    """What people said about a meeting is nobody's mail."""
    return fact.model_copy(update={"feedback": Feedback()}) if isinstance(fact, SessionCompleted) else fact
