"""The work that matching wakes for."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from libs.chassis.words import Work
from libs.contracts.fields import Fraction, Time
from libs.contracts.ids import PairId, ParticipantId, ProgramId, RoundId
from libs.contracts.parts import Rationale
from libs.contracts.words import Role
from services.matching.store.rounds import Plan, RoundWish


class Look(BaseModel):
    """How far looks at arrivals are: who changed before `mark` was compared with everybody.

    `complete` tells that nobody was left for the next look.
    """

    model_config = ConfigDict(frozen=True)

    id: RoundId
    mark: Time
    complete: bool = True


class MatchWaiting(Work):
    """Look whether arrivals can be paired, in a programme that matches as people arrive.

    `again` were to be paired in vain: they are looked at whether they changed or not.
    """

    # To read a million people, which a process does before its first look
    preparing_seconds: ClassVar[float] = 1_800

    program_id: ProgramId
    last: Look | None = None
    again: tuple[ParticipantId, ...] = ()

    @property
    def key(self) -> str:
        return self.program_id


class ProposedPair(BaseModel):
    model_config = ConfigDict(frozen=True)

    pair_id: PairId
    mentor_id: ParticipantId
    mentee_id: ParticipantId
    score: Fraction
    rationale: Rationale


class Proposal(Work):
    """A plan for waiting people, made at the time `at`. `again` are those of its pairs that could not be made."""

    program_id: ProgramId
    round_id: RoundId
    at: Time
    pairs: tuple[ProposedPair, ...] = ()
    again: tuple[ParticipantId, ...] = ()

    @property
    def key(self) -> str:
        return self.program_id


class PairsProposed(Proposal):
    """`last` is the look that it came from."""

    last: Look | None = None


class MatchEverybody(Work):
    """Look at all who wait, in a programme that matches as people arrive."""

    # To read a million people and plan for them
    preparing_seconds: ClassVar[float] = 3_600

    program_id: ProgramId

    @property
    def key(self) -> str:
        return self.program_id


class EverybodyMatched(Proposal):
    """`complete` tells that the plan had no more pairs than these."""

    complete: bool = True


class OfRound(Work):
    """Work of one round."""

    program_id: ProgramId
    round_id: RoundId

    @property
    def key(self) -> str:
        return f"{self.program_id}/{self.round_id}"


class PlanRound(OfRound):
    """Plan a round over everybody who waits."""

    # The time that the wish may give the solver, and as much again to read and store a million people
    preparing_seconds: ClassVar[float] = 2 * 3_600

    wish: RoundWish


class RoundPlanned(OfRound):
    """An attempt is stored; `at` is the time that it decided by."""

    at: Time
    plan: Plan


class RoundFailed(OfRound):
    """It can't be planned: trying again would change nothing."""

    reason: str


class MakePairs(OfRound):
    """Make the pairs of one sheet of the round's plan."""

    sheet: int


class SweepAttempts(OfRound):
    """Delete what attempts that do not count have left in the programme."""

    preparing_seconds: ClassVar[float] = 600


class DropLists(OfRound):
    """Delete the pairs and people that a round found, long after; what is told of the round itself stays."""

    preparing_seconds: ClassVar[float] = 600


class UnmatchedPerson(BaseModel):
    """Reasons are counted over candidates; who excluded whom is private and counts as `other`."""

    model_config = ConfigDict(frozen=True)

    participant_id: ParticipantId
    role: Role
    reasons: dict[str, int]


class SettlePlaces(Work):
    """The policy's capacity changed: who is in a pair may now have a place left, or none."""

    program_id: ProgramId
    after: str = ""

    @property
    def key(self) -> str:
        return self.program_id


class PeopleToSettle(Work):
    program_id: ProgramId
    person_ids: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.program_id


class EndPairs(Work):
    """End the pairs of a closed programme, some at a time."""

    program_id: ProgramId

    @property
    def key(self) -> str:
        return self.program_id


class PairsToEnd(Work):
    program_id: ProgramId
    pair_ids: tuple[PairId, ...]

    @property
    def key(self) -> str:
        return self.program_id
