"""The work that matching wakes for."""

from typing import ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict

from libs.chassis.words import Work
from libs.contracts.fields import Fraction, Time
from libs.contracts.ids import PairId, ParticipantId, ProgramId, RoundId
from libs.contracts.parts import Rationale
from libs.contracts.words import Role
from services.matching.store.rounds import Plan, RoundWish


class Pool(BaseModel):
    """How many people wait and when the newest of them changed: alike for an unchanged pool."""

    model_config = ConfigDict(frozen=True)

    revision: int
    mentors: tuple[int, Time | None]
    mentees: tuple[int, Time | None]


Place: TypeAlias = tuple[Time, str]


class Look(BaseModel):
    """How far a turn through the pool is, so that nobody is overlooked and an unchanged pool is not planned again.

    A turn looks at every part of the mentors with every part of the mentees. `pool` is how it began, the others tell
    after whom the next part starts.
    """

    model_config = ConfigDict(frozen=True)

    at: Time
    pool: Pool
    mentors_after: Place | None = None
    mentees_after: Place | None = None
    complete: bool = False

    def next(self, mentors_after: Place | None, mentees_after: Place | None) -> "Look":
        """None tells that the part was the last of its side."""
        if mentors_after:
            return self.model_copy(update={"mentors_after": mentors_after})
        later = {"mentors_after": None, "mentees_after": mentees_after, "complete": mentees_after is None}
        return self.model_copy(update=later)


class MatchWaiting(Work):
    """Look whether waiting people can be paired, in a programme that matches as people arrive."""

    program_id: ProgramId
    last: Look | None = None

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


class PairsProposed(Work):
    """A plan for waiting people, made at the time `at`. `last` is the look that it came from."""

    program_id: ProgramId
    round_id: RoundId
    at: Time
    pairs: tuple[ProposedPair, ...] = ()
    last: Look | None = None

    @property
    def key(self) -> str:
        return self.program_id


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
