"""Programmes and people, as scheduling needs them."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Protocol

from libs.chassis.documents import Document
from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.policy import Policy
from libs.contracts.profile import DateRange, Window
from services.scheduling.rules.diaries import Diary as Calendar
from services.scheduling.rules.diaries import Slot


class OfAPair(Protocol):
    """A pair, a meeting or a fact: whatever names a programme and two people."""

    @property
    def program_id(self) -> str: ...
    @property
    def mentor_id(self) -> str: ...
    @property
    def mentee_id(self) -> str: ...


def keys_of(pair: OfAPair) -> tuple[str, str]:
    """The keys of the mentor and of the mentee."""
    return f"{pair.program_id}/{pair.mentor_id}", f"{pair.program_id}/{pair.mentee_id}"


@dataclass(slots=True, kw_only=True)
class Program(Document):
    """The newest policy of a programme, and the pairs that came before it."""

    collection: ClassVar[str] = "programs"

    revision: int = -1
    policy: Policy | None = None
    waiting: list[str] = field(default_factory=list)

    def learn(self, event: ProgramPublished) -> bool:
        """Whether the event was newer than what is known."""
        if event.revision <= self.revision:
            return False
        self.revision, self.policy = event.revision, event.policy
        return True

    def wait(self, pair_id: str) -> None:
        if pair_id not in self.waiting:
            self.waiting.append(pair_id)


@dataclass(frozen=True, slots=True)
class Profile:
    """What scheduling needs of a person's profile."""

    name: str = field(repr=False)
    zone: str
    windows: tuple[Window, ...]
    unavailable: tuple[DateRange, ...]
    enrolled_at: datetime
    revision: int
    digest: str


@dataclass(slots=True, kw_only=True)
class Person(Document):
    """A person in a programme; the id is program_id/participant_id."""

    collection: ClassVar[str] = "people"

    owner: str = ""
    """The source that enrolled the person first."""
    profile: Profile | None = None
    withdrawn_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether the person is enrolled, and came (back) after the last withdrawal."""
        return bool(self.profile and (self.withdrawn_at is None or self.profile.enrolled_at > self.withdrawn_at))

    def contradicts(self, event: ParticipantEnrolled) -> bool:
        """Whether the revision came before with another content."""
        known = self.profile
        return known is not None and known.revision == event.revision and known.digest != _digest(event)

    def learn(self, event: ParticipantEnrolled, source: str) -> bool:
        """Whether the event was newer than what is known."""
        if self.profile and event.revision <= self.profile.revision:
            return False
        self.owner = self.owner or source
        self.profile = Profile(
            name=event.name,
            zone=event.time_zone,
            windows=event.availability,
            unavailable=event.unavailable,
            enrolled_at=event.enrolled_at,
            revision=event.revision,
            digest=_digest(event),
        )
        return True

    def forget(self) -> None:
        self.owner, self.profile, self.withdrawn_at = "", None, None


@dataclass(frozen=True, slots=True)
class Meeting:
    """A planned meeting in a diary."""

    session_id: str
    starts_at: datetime
    ends_at: datetime


@dataclass(slots=True, kw_only=True)
class Diary(Document):
    """A person's planned meetings, of all pairs; the id is the person's.

    Whoever plans writes both diaries, so two plans that do not know of each other cannot both be stored.
    """

    collection: ClassVar[str] = "diaries"

    meetings: list[Meeting] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """Pairs that had no slot, or came before the profile: to be looked at when the person's hours change."""

    def take(self, session_id: str, slot: Slot, now: datetime) -> None:
        """Keep a slot for a meeting, in place of the one that it had. What is over is dropped."""
        self.free(session_id)
        self.meetings = [each for each in self.meetings if each.ends_at > now]
        self.meetings.append(Meeting(session_id, slot.starts_at, slot.ends_at))

    def free(self, session_id: str) -> None:
        self.meetings = [each for each in self.meetings if each.session_id != session_id]

    def wait(self, pair_id: str) -> None:
        if pair_id not in self.waiting:
            self.waiting.append(pair_id)

    def no_longer_waits(self, pair_id: str) -> None:
        self.waiting = [each for each in self.waiting if each != pair_id]

    def calendar(self, profile: Profile, *, but: str = "") -> Calendar:
        """When the person can meet; `but` leaves one meeting out."""
        busy = tuple(Slot(each.starts_at, each.ends_at) for each in self.meetings if each.session_id != but)
        return Calendar(profile.zone, profile.windows, profile.unavailable, busy)


def _digest(event: ParticipantEnrolled) -> str:
    return sha256(event.model_dump_json().encode()).hexdigest()[:32]
