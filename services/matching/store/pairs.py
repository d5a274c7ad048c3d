"""What matching keeps of pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from libs.chassis.documents import Document
from libs.contracts.events import PairCreated, PairEnded
from libs.contracts.words import PairEndReason, Role


class PairState(StrEnum):
    """How far a pair is."""

    UNKNOWN = ""  # nobody has said anything about it
    IN_FORCE = "in_force"
    ENDED = "ended"


@dataclass(slots=True, kw_only=True)
class Pair(Document):
    """Two people who meet, or met."""

    collection: ClassVar[str] = "pairs"
    indexes: ClassVar = (("program_id", "state"), ("program_id", "mentor_id"), ("program_id", "mentee_id"))

    program_id: str = ""
    mentor_id: str = ""
    mentee_id: str = ""
    state: PairState = PairState.UNKNOWN
    created: PairCreated | None = None
    ended: PairEnded | None = None

    @property
    def people(self) -> Iterator[tuple[Role, str]]:
        """The ids of the two Person documents."""
        yield Role.MENTOR, f"{self.program_id}/{self.mentor_id}"
        yield Role.MENTEE, f"{self.program_id}/{self.mentee_id}"

    def create(self, event: PairCreated) -> PairCreated:
        self.program_id, self.mentor_id, self.mentee_id = event.program_id, event.mentor_id, event.mentee_id
        self.state, self.created = PairState.IN_FORCE, event
        return event

    def forget(self) -> None:
        """Why the two were a pair, and who wanted it to end, tells of an erased person."""
        self.created = None
        self.ended = self.ended and self.ended.model_copy(update={"ended_by": None})

    def end(self, reason: PairEndReason, now: datetime, ended_by: str | None = None) -> PairEnded:
        self.state = PairState.ENDED
        self.ended = PairEnded.model_validate(
            {
                "pair_id": self.id,
                "program_id": self.program_id,
                "mentor_id": self.mentor_id,
                "mentee_id": self.mentee_id,
                "reason": reason,
                "ended_by": ended_by,
                "ended_at": now,
            }
        )
        return self.ended
