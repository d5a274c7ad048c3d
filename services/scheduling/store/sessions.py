"""Meetings: what is known about each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from libs.chassis.documents import Document
from libs.contracts.parts import Answer, Feedback
from libs.contracts.words import Role
from services.scheduling.rules.diaries import Slot


class SessionState(StrEnum):
    """How far a meeting is."""

    UNPLANNED = "unplanned"  # an id put aside for the next meeting; shown to nobody
    PLANNED = "planned"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Word:
    """What one side says about a meeting that was held."""

    by: Role
    started_at: datetime
    ended_at: datetime
    topics: tuple[str, ...] = ()
    answer: Answer | None = None


@dataclass(slots=True, kw_only=True)
class Session(Document):
    """A meeting of a pair. Its `revision` rises with every fact about it, whatever the topic."""

    collection: ClassVar[str] = "sessions"
    indexes: ClassVar[Sequence[Sequence[str]]] = (("program_id",), ("pair_id",), ("mentor_id",), ("mentee_id",))

    pair_id: str = ""
    program_id: str = ""
    mentor_id: str = ""
    mentee_id: str = ""
    number: int = 0
    state: SessionState = SessionState.UNPLANNED
    revision: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    planned_at: datetime | None = None
    """When it was given this time."""
    confirmed_by: list[Role] = field(default_factory=list)
    reason: str | None = None
    absent: list[Role] = field(default_factory=list)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    topics: list[str] = field(default_factory=list)
    feedback: Feedback = field(default_factory=Feedback)
    series_done: bool = False
    decided_at: datetime | None = None
    """When it was first known that the meeting was held, cancelled or missed."""

    @property
    def slot(self) -> Slot:
        """Raises LookupError where the meeting was never planned."""
        if self.starts_at is None or self.ends_at is None:
            raise LookupError(f"session {self.id} was never planned")
        return Slot(self.starts_at, self.ends_at)

    def place(self, slot: Slot, now: datetime) -> None:
        """Plan the meeting, or plan it anew: who had confirmed the old time has not confirmed this one."""
        self.state, self.starts_at, self.ends_at = SessionState.PLANNED, slot.starts_at, slot.ends_at
        self.confirmed_by, self.planned_at = [], now
        self.revision += 1

    def decide(self, state: SessionState, now: datetime) -> None:
        self.state, self.decided_at = state, now
        self.revision += 1

    def hear(self, word: Word) -> bool:
        """Whether the word adds something. The side's answer replaces its former one, topics are collected."""
        answers = {word.by.value: word.answer} if word.answer else {}
        feedback = self.feedback.model_copy(update=answers)
        topics = list(dict.fromkeys([*self.topics, *word.topics]))
        new = (feedback, topics) != (self.feedback, self.topics)
        self.feedback, self.topics = feedback, topics
        if self.started_at is None:
            self.started_at, self.ended_at = word.started_at, word.ended_at
        return new

    def forget(self, role: Role) -> None:
        """Drop what an erased person said, and free text that may name the person."""
        self.feedback = self.feedback.model_copy(update={role.value: None})
        self.reason = None

    def facts(self) -> dict[str, Any]:
        """The fields that every fact about the meeting has."""
        return {
            "session_id": self.id,
            "revision": self.revision,
            "pair_id": self.pair_id,
            "program_id": self.program_id,
            "mentor_id": self.mentor_id,
            "mentee_id": self.mentee_id,
            "number": self.number,
        }

    def shown(self, *, comments: bool = False) -> dict[str, Any]:
        """The meeting as callers see it. Comments are left out where the answer is kept or listed."""
        hidden = None if comments else {"mentor": {"comment"}, "mentee": {"comment"}}
        return self.facts() | {
            "state": self.state.value,
            "starts_at": _text(self.starts_at),
            "ends_at": _text(self.ends_at),
            "confirmed_by": [role.value for role in self.confirmed_by],
            "reason": self.reason,
            "absent": [role.value for role in self.absent],
            "started_at": _text(self.started_at),
            "ended_at": _text(self.ended_at),
            "topics": list(self.topics),
            "feedback": self.feedback.model_dump(mode="json", exclude=hidden, exclude_none=True),
            "series_done": self.series_done,
            "decided_at": _text(self.decided_at),
        }


def _text(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time else None
