"""What callers read of scheduling, as models for its OpenAPI document."""

from datetime import datetime

from pydantic import BaseModel

from libs.contracts.parts import Feedback
from libs.contracts.words import Role, Sign
from services.scheduling.store.sessions import SessionState


class OfAPair(BaseModel):
    pair_id: str
    program_id: str
    mentor_id: str
    mentee_id: str


class SessionShown(OfAPair):
    """A meeting."""

    session_id: str
    revision: int
    number: int
    state: SessionState
    starts_at: datetime | None
    ends_at: datetime | None
    confirmed_by: list[Role]
    reason: str | None
    absent: list[Role]
    started_at: datetime | None
    ended_at: datetime | None
    topics: list[str]
    feedback: Feedback
    series_done: bool
    decided_at: datetime | None


class WarningShown(OfAPair):
    """A warning sign that still holds."""

    sign: Sign
    detail: str
    since: datetime


class CalendarPlace(BaseModel):
    """The address of a person's feed, on this service."""

    url: str
