"""What matching keeps of its rounds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from libs.chassis.documents import Document
from libs.contracts.fields import Part
from libs.contracts.ids import ParticipantId
from libs.contracts.words import Objective


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
    time_limit_s: Annotated[float, Field(gt=0, le=30)] = 20.0
    """When the solver gives its best so far, with the gap that is left."""


class RoundState(StrEnum):
    """How far a round is."""

    UNKNOWN = ""  # nobody asked for it
    PLANNING = "planning"
    WRITING = "writing"  # its results are written down, and its pairs made
    DONE = "done"


@dataclass(slots=True, kw_only=True)
class Round(Document):
    """A round of matching; the id is program_id/round_id.

    `planned` counts the pairs of the plan, `made` those that still held when they were made.
    """

    collection: ClassVar[str] = "rounds"
    indexes: ClassVar = (("program_id", "_id"),)

    program_id: str = ""
    state: RoundState = RoundState.UNKNOWN
    wish: RoundWish = field(default_factory=RoundWish)
    asked_at: datetime | None = None
    done_at: datetime | None = None
    planned: int = 0
    made: int = 0
    unmatched: int = 0
    value: float | None = None
    upper_bound: float | None = None
    gap: float | None = None
    refused_pins: list[dict[str, Any]] = field(default_factory=list)

    @property
    def round_id(self) -> str:
        return self.id.partition("/")[2]

    def ask(self, program_id: str, wish: RoundWish, now: datetime) -> None:
        self.program_id, self.wish, self.asked_at, self.state = program_id, wish, now, RoundState.PLANNING

    def begin(self, planned: int, optimum: Optimum, refused_pins: Iterable[dict[str, Any]]) -> None:
        """The plan is made: `planned` pairs are to be written down."""
        self.state, self.planned = RoundState.WRITING, planned
        self.value, self.upper_bound, self.gap = optimum.value, optimum.upper_bound, optimum.gap
        self.refused_pins = list(refused_pins)

    def write(self, made: int, unmatched: int) -> None:
        """Another part of the plan is written down."""
        self.made += made
        self.unmatched += unmatched


@dataclass(slots=True, kw_only=True)
class Finding(Document):
    """One line of a round's result: a pair or an unmatched person. `results` names the list that it stands in.

    `mentor` and `mentee` are the ids of the Person documents that it tells of.
    """

    collection: ClassVar[str] = "findings"
    indexes: ClassVar = (("results", "_id"), ("mentor",), ("mentee",))

    results: str = ""
    mentor: str = ""
    mentee: str = ""
    shown: dict[str, Any] = field(default_factory=dict)

    def forget(self) -> None:
        """Why two people were a pair, or one was left alone, tells of their skills and goals."""
        self.shown |= {name: None for name in ("score", "rationale", "reasons") if name in self.shown}
