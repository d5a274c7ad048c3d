"""What matching keeps of its rounds."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from libs.chassis.documents import Document
from libs.contracts.fields import Part
from libs.contracts.ids import ParticipantId
from libs.contracts.words import Objective

LISTS = ("pairs", "unmatched")
FORGOTTEN = ("score", "rationale", "reasons")


class Pin(Part):
    """A pair that the programme's office wants."""

    mentor_id: ParticipantId
    mentee_id: ParticipantId


class Optimum(Part):
    """How good a plan is: `gap` is 0 where it is proven to be the best of all."""

    value: float
    upper_bound: float
    gap: float


class RoundWish(Part):
    """What a round is asked for."""

    objective: Objective | None = None
    """The policy's unless said."""
    dry_run: bool = False
    """Plan, and make no pair."""
    loosen_cooldown: bool = False
    """Former pairs may meet again within the cool-down; their rationale says so."""
    pins: Annotated[tuple[Pin, ...], Field(max_length=2_000)] = ()
    time_limit_s: Annotated[float, Field(gt=0, le=3_600)] | None = None
    """When the solver gives its best so far, with the gap that is left; unless said it goes on until none is better."""


class RoundState(StrEnum):
    """How far a round is."""

    UNKNOWN = ""  # nobody asked for it
    PLANNING = "planning"
    WRITING = "writing"  # its plan is stored, and its pairs are made
    DONE = "done"
    FAILED = "failed"  # it could not be planned

    @property
    def runs(self) -> bool:
        return self in (RoundState.PLANNING, RoundState.WRITING)


class Stage(StrEnum):
    """What a running round is doing."""

    QUEUED = "queued"  # nobody has taken it up yet
    LOADING = "loading"  # people are read
    SOLVING = "solving"
    STORING = "storing"  # the plan is stored, no pair is made
    MAKING = "making"  # pairs are made


@dataclass(slots=True, kw_only=True)
class Round(Document):
    """A round of matching; the id is program_id/round_id.

    `attempt` is the one of its attempts whose findings count. `planned` counts the pairs of the plan, `written` those
    whose turn came, and `made` those of them that still held. A plan's pairs are made sheet by sheet. `lists_dropped`
    tells that the findings are gone.
    """

    collection: ClassVar[str] = "rounds"
    indexes: ClassVar = (("program_id", "_id"),)

    program_id: str = ""
    state: RoundState = RoundState.UNKNOWN
    wish: RoundWish = field(default_factory=RoundWish)
    asked_at: datetime | None = None
    planned_at: datetime | None = None
    done_at: datetime | None = None
    attempt: str = ""
    sheets: int = 0
    people: int = 0
    planned: int = 0
    written: int = 0
    made: int = 0
    unmatched: int = 0
    value: float | None = None
    upper_bound: float | None = None
    gap: float | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    refused_pins: list[dict[str, Any]] = field(default_factory=list)
    failure: str | None = None
    lists_dropped: bool = False

    @property
    def round_id(self) -> str:
        return self.id.partition("/")[2]

    def ask(self, program_id: str, wish: RoundWish, now: datetime) -> None:
        self.program_id, self.wish, self.asked_at, self.state = program_id, wish, now, RoundState.PLANNING

    def begin(self, plan: "Plan", at: datetime) -> None:
        """A plan is stored, and it is the one that counts."""
        self.state, self.planned_at, self.attempt, self.sheets = RoundState.WRITING, at, plan.attempt, plan.sheets
        self.people, self.planned, self.unmatched = plan.people, plan.planned, plan.unmatched
        self.value, self.upper_bound, self.gap = plan.optimum.value, plan.optimum.upper_bound, plan.optimum.gap
        self.reasons, self.refused_pins = plan.reasons, list(plan.refused_pins)

    def write(self, tried: int, made: int) -> None:
        """Another sheet had its turn."""
        self.written += tried
        self.made += made

    def end(self, now: datetime, failure: str | None = None) -> None:
        self.state, self.done_at = RoundState.FAILED if failure else RoundState.DONE, now
        self.failure = failure


class Plan(Part):
    """What an attempt found and stored. `reasons` counts the unmatched people whom each reason concerns."""

    attempt: str
    people: int
    planned: int
    unmatched: int
    sheets: int
    optimum: Optimum
    reasons: dict[str, int] = Field(default_factory=dict)
    refused_pins: tuple[dict[str, Any], ...] = ()


@dataclass(slots=True, kw_only=True)
class Attempt(Document):
    """One process's attempt to plan a round, and how far it is; the id is program_id/round_id/number.

    It and its findings are written beside all transactions, and count for nothing until a transaction names it in its
    round. `people` were read, and so many pairs and unmatched people are stored.
    """

    collection: ClassVar[str] = "attempts"
    indexes: ClassVar = (("round", "_id"), ("program_id",))

    program_id: str = ""
    round: str = ""
    stage: Stage = Stage.LOADING
    people: int = 0
    planned: int = 0
    unmatched: int = 0


def results(attempt: str, kind: str) -> str:
    """The name of one of the `LISTS` that an attempt finds."""
    return f"{attempt}/{kind}"


def sheet(attempt: str, number: int) -> str:
    """The name of so many pairs as are made in one transaction."""
    return f"{attempt}/{number}"


@dataclass(slots=True, kw_only=True)
class Finding(Document):
    """One line of a round's result: a pair or an unmatched person. `results` names the list that it stands in.

    `mentor` and `mentee` are the ids of the Person documents that it tells of. A pair that is to be made stands on a
    `sheet`, and `pair_id` is the id that it then gets.
    """

    collection: ClassVar[str] = "findings"
    indexes: ClassVar = (("results", "_id"), ("sheet",), ("mentor",), ("mentee",))

    results: str = ""
    sheet: str = ""
    pair_id: str = ""
    mentor: str = ""
    mentee: str = ""
    shown: dict[str, Any] = field(default_factory=dict)

    def forget(self) -> None:
        """Why two people were a pair, or one was left alone, tells of their skills and goals."""
        self.shown |= {name: None for name in FORGOTTEN if name in self.shown}

    def make(self) -> None:
        """The pair is in force, under its id."""
        self.shown |= {"pair_id": self.pair_id, "made": True}
