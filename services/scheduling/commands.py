"""What people ask of scheduling."""

from pydantic import Field

from libs.chassis.words import Command
from libs.contracts.fields import Time
from libs.contracts.ids import SessionId
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
