"""What scheduling is asked to do, by people and by the clock."""

from pydantic import Field

from libs.chassis.words import Command, Work
from libs.contracts.fields import Time
from libs.contracts.ids import PairId, SessionId
from libs.contracts.words import Role


class SessionCommand(Command):
    """A wish about a meeting. With `revision` it holds for that revision only (If-Match)."""

    session_id: SessionId
    revision: int | None = None


class ConfirmSession(SessionCommand):
    """Before the meeting: I will come. From its start on: we met."""

    by: Role


class MoveSession(SessionCommand):
    """Another time: the wished one, or the next that suits both."""

    starts_at: Time | None = None
    reason: str | None = None


class CancelSession(SessionCommand):
    reason: str


class CompleteSession(SessionCommand):
    """One side's word that the meeting was held."""

    by: Role
    started_at: Time | None = None
    ended_at: Time | None = None
    topics: tuple[str, ...] = ()
    rating: int | None = None
    comment: str | None = Field(None, repr=False)


class MarkAbsent(SessionCommand):
    """One side, or both, did not come."""

    absent: tuple[Role, ...]


class NoShowCheck(Work):
    """The grace period after a meeting is over. A meeting that was moved has another revision, and another check."""

    session_id: SessionId
    revision: int

    @property
    def key(self) -> str:
        return self.session_id


class LookAgain(Work):
    """The horizon of a pair without a common slot has moved on."""

    pair_id: PairId

    @property
    def key(self) -> str:
        return self.pair_id
