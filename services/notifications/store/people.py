"""Programmes and the people in them."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from libs.chassis.documents import Document
from libs.contracts.events import Event, ParticipantEnrolled, ProgramPublished
from libs.contracts.fields import Language
from libs.contracts.ids import ParticipantId
from libs.contracts.policy import QuietHours
from libs.contracts.words import Channel, ProgramState
from services.notifications.rules.people import Recipient


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
    erased: bool = False

    def learn(self, event: ProgramPublished) -> None:
        """The newest revision of a policy holds; after an erasure the first that comes."""
        if self.published is None or self.erased or event.revision > self.published.revision:
            self.published, self.erased = event, False

    def forget(self) -> None:
        """What stays is what its last mails need."""
        self.erased = True
        if self.published:
            policy = self.published.policy.model_copy(update={"organizer": None, "office_email": None})
            closed = {"state": ProgramState.CLOSED, "policy": policy}
            self.published = self.published.model_copy(update=closed)


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
