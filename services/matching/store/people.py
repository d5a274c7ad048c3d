"""What matching keeps of programmes and people."""

from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from typing import ClassVar

from libs.chassis.documents import Document
from libs.contracts.events import PairEnded, ParticipantEnrolled, ParticipantWithdrawn, ProgramPublished
from libs.contracts.words import Mode, PairEndReason, ProgramState, Role
from services.matching.store.pairs import Pair


@dataclass(slots=True, kw_only=True)
class Program(Document):
    """A programme: the newest that was published. `round_id` is the round that runs, `` where none does."""

    collection: ClassVar[str] = "programs"

    published: ProgramPublished | None = None
    round_id: str = ""

    @property
    def revision(self) -> int:
        return self.published.revision if self.published else 0

    @property
    def active(self) -> bool:
        """People enrol and may be paired."""
        return self.published is not None and self.published.state in (ProgramState.OPEN, ProgramState.RUNNING)

    @property
    def rolling(self) -> bool:
        """People are matched as they arrive."""
        return self.active and self.published is not None and self.published.policy.mode is Mode.ROLLING

    @property
    def places(self) -> dict[Role, int]:
        """The policy's capacity for who names none."""
        if self.published is None:
            return {Role.MENTOR: 1, Role.MENTEE: 1}
        policy = self.published.policy
        return {Role.MENTOR: policy.mentor_capacity, Role.MENTEE: policy.mentee_capacity}

    def publish(self, event: ProgramPublished) -> ProgramPublished:
        self.published = event
        return event


@dataclass(frozen=True, slots=True)
class Partner:
    """The other person of a pair in force."""

    pair_id: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class FormerPartner:
    """The other person of a pair that ended."""

    pair_id: str
    participant_id: str
    reason: PairEndReason
    ended_at: datetime


@dataclass(slots=True, kw_only=True)
class Person(Document):
    """A person in a programme; the id is program_id/participant_id.

    `owner` is the source that enrolled the person first. `places` is the capacity that the policy gave when the person
    was last paired. `changed_at` moves with all that may change who can be paired with the person. `waiting_since` is
    the enrolment of who seeks, or what came later: a pair that was made or ended, or a return to the pool.
    """

    collection: ClassVar[str] = "people"
    indexes: ClassVar = (("program_id", "seeking", "role", "changed_at", "_id"),)

    program_id: str = ""
    role: str = ""
    owner: str = ""
    profile: ParticipantEnrolled | None = None
    withdrawal: ParticipantWithdrawn | None = None
    excluded_ids: list[str] = field(default_factory=list)
    partners: list[Partner] = field(default_factory=list)
    former: list[FormerPartner] = field(default_factory=list)
    places: int = 1
    seeking: bool = False
    waiting_since: datetime | None = None
    changed_at: datetime | None = None

    @property
    def participant_id(self) -> str:
        return self.id.partition("/")[2]

    @property
    def revision(self) -> int:
        """The highest revision that anybody gave this person."""
        return max((fact.revision for fact in (self.profile, self.withdrawal) if fact), default=0)

    @property
    def enrolled(self) -> bool:
        """A withdrawal holds against every enrolment that is not later than it."""
        if self.profile is None:
            return False
        return self.withdrawal is None or self.profile.enrolled_at > self.withdrawal.withdrawn_at

    @property
    def heard_of(self) -> bool:
        """Whether there is something to forget, also what came in the same batch and is not stored yet."""
        return self.profile is not None or self.withdrawal is not None or bool(self.excluded_ids)

    def outdates(self, event: ParticipantEnrolled, source: str) -> bool:
        """Whether a profile of the owner says nothing new; a conflict is something new."""
        known = self.profile
        return known is not None and source == self.owner and (known.revision > event.revision or known == event)

    def enrol(self, event: ParticipantEnrolled, source: str, now: datetime) -> ParticipantEnrolled:
        anew = self.profile is None or self.profile.enrolled_at != event.enrolled_at
        self.program_id, self.role, self.profile = event.program_id, event.role.value, event
        self.owner = self.owner or source
        self.settle(now)
        if anew and self.seeking and not self.partners:
            ends = [former.ended_at for former in self.former]
            self.waiting_since = min(now, max([event.enrolled_at, *ends]))
        return event

    def as_waiting(self, profile: ParticipantEnrolled) -> ParticipantEnrolled:
        """The profile, enrolled when the waiting began: who was in a pair meanwhile has waited since then only."""
        since = self.waiting_since
        if since is None or since == profile.enrolled_at:
            return profile
        return profile.model_copy(update={"enrolled_at": since})

    def knows_withdrawal(self, event: ParticipantWithdrawn) -> bool:
        """The latest withdrawal counts, whoever said it and in whatever order they came."""
        return self.withdrawal is not None and _order(self.withdrawal) >= _order(event)

    def withdraw(self, event: ParticipantWithdrawn, now: datetime) -> ParticipantWithdrawn:
        self.program_id, self.withdrawal = event.program_id, event
        self.settle(now)
        return event

    def pair(self, pair: Pair, partner: "Person", capacity: int, now: datetime) -> None:
        self.partners.append(Partner(pair.id, partner.participant_id))
        self.places = capacity
        self.settle(now)
        if self.seeking:
            self.waiting_since = now

    def part(self, ended: PairEnded, now: datetime) -> None:
        """The pair is over: its partner is a former one, and the person is free again."""
        self.former += [
            FormerPartner(partner.pair_id, partner.participant_id, ended.reason, ended.ended_at)
            for partner in self.partners
            if partner.pair_id == ended.pair_id
        ]
        self.partners = [partner for partner in self.partners if partner.pair_id != ended.pair_id]
        self.settle(now)

    def settle(self, now: datetime) -> None:
        """Into the pool or out of it."""
        before, self.changed_at = self.seeking, now
        self.seeking = self.enrolled and self._agrees and len(self.partners) < self._capacity
        if not self.seeking:
            self.waiting_since = None
        elif not before:
            self.waiting_since = now

    def erase(self) -> None:
        """Forget all but the number of facts said."""
        for each in fields(self):
            if each.name not in ("id", "version", "said"):
                fresh = each.default_factory() if each.default_factory is not MISSING else each.default
                setattr(self, each.name, fresh)

    @property
    def _agrees(self) -> bool:
        return self.profile is not None and self.profile.consent.matching

    @property
    def _capacity(self) -> int:
        own = self.profile.capacity if self.profile else None
        return self.places if own is None else own


def _order(withdrawal: ParticipantWithdrawn) -> tuple[datetime, int, str]:
    return withdrawal.withdrawn_at, withdrawal.revision, withdrawal.reason
