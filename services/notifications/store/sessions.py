"""Pairs and their sessions: the little that tells whether a notice is still true."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Final

from libs.chassis.documents import Document
from libs.contracts.events import SessionCancelled, SessionCompleted, SessionEvent, SessionMissed, SessionScheduled
from libs.contracts.words import Role
from services.notifications.rules.truth import Meeting, MeetingState


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
    answered_by: list[Role] = field(default_factory=list)

    def learn(self, event: SessionEvent) -> None:
        """Facts may come in any order; the highest revision holds."""
        rank, state = _RANK[type(event)]
        if (event.revision, rank) > (self.revision, self.rank):
            self.revision, self.rank, self.state = event.revision, rank, state
        if isinstance(event, SessionScheduled) and (self.scheduled is None or event.revision > self.scheduled.revision):
            # Free text may name somebody, and nobody is told it again.
            self.scheduled = event.model_copy(update={"reason": None})
        if isinstance(event, SessionCompleted):
            sides = {Role.MENTOR: event.feedback.mentor, Role.MENTEE: event.feedback.mentee}
            self.answered_by = sorted({*self.answered_by, *(role for role, answer in sides.items() if answer)})

    @property
    def meeting(self) -> Meeting | None:
        if self.revision < 0:
            return None
        starts_at = self.scheduled.starts_at if self.scheduled else datetime.max.replace(tzinfo=UTC)
        return Meeting(self.revision, self.state, starts_at, frozenset(self.answered_by))

    @property
    def is_planned(self) -> bool:
        return self.state is MeetingState.PLANNED and self.scheduled is not None
