"""What callers read of notifications, as models for its OpenAPI document."""

from datetime import datetime

from pydantic import BaseModel

from libs.contracts.policy import QuietHours
from libs.contracts.words import Channel
from services.notifications.store.notices import NoticeState


class AboutShown(BaseModel):
    """The event that a notice tells of."""

    topic: str
    event_id: str


class NoticeShown(BaseModel):
    """What a person was told or will be told; neither the words nor the address."""

    notification_id: str
    template: str
    channel: Channel
    state: NoticeState
    reason: str | None
    about: AboutShown
    message_id: str | None
    planned_at: datetime | None
    settled_at: datetime | None
    attempts: int


class PreferencesShown(BaseModel):
    """How a person is told."""

    channels: list[Channel]
    locale: str | None
    quiet_hours: QuietHours | None


class Reached(BaseModel):
    """How many participants have a bounced address."""

    participants: int
