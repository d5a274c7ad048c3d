"""The notices: what is told to whom, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from libs.chassis.documents import Document
from libs.contracts.events import Event, NotificationFailed, NotificationSent, ParticipantEnrolled, SessionCompleted
from libs.contracts.parts import About, Feedback
from libs.contracts.topics import TOPICS
from libs.contracts.words import Channel
from services.notifications.rules.notices import Notice
from services.notifications.rules.timing import GiveUp, next_try


class NoticeState(StrEnum):
    """How far a notice is."""

    WAITING = "waiting"  # for the person's profile
    PLANNED = "planned"
    SENT = "sent"
    FAILED = "failed"  # refused for good, or for a day
    DROPPED = "dropped"  # no longer true, or nobody to tell


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
