"""What callers read of matching, as models for its OpenAPI document: `answers.py` writes them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.parts import Rationale
from libs.contracts.words import PairEndReason, Role
from services.matching.store.pairs import PairState
from services.matching.store.rounds import Pin, RoundState, RoundWish, Stage

PersonState = Literal["waiting", "paired", "not_seeking", "withdrawn"]


class ProgramShown(ProgramPublished):
    """A programme at its newest revision."""


class Why(BaseModel):
    """For somebody who waits: how many of the candidates each rule refuses, and how many none does."""

    candidates: int
    possible: int
    refused: dict[str, int]


class PersonShown(ParticipantEnrolled):
    """A profile, and how far the person is."""

    state: PersonState
    owner: str | None
    pair_ids: list[str]
    waiting_since: datetime | None
    withdrawn_at: datetime | None


class PersonAndWhy(PersonShown):
    """The same, with the reasons of who waits."""

    unmatched: Why | None


class PairEndShown(BaseModel):
    reason: PairEndReason
    ended_by: str | None
    ended_at: datetime


class PairShown(BaseModel):
    """Who mentors whom, and why; an erasure takes the why."""

    pair_id: str
    program_id: str
    mentor_id: str
    mentee_id: str
    state: PairState
    score: float | None
    rationale: Rationale | None
    round_id: str | None
    created_at: datetime | None
    ended: PairEndShown | None


class RefusedPin(Pin):
    rules: list[str]


class Progress(BaseModel):
    """How many people were read; how many pairs are planned, had their turn and were made; how many people are left."""

    stage: Stage | None
    people: int
    planned: int
    unmatched: int
    written: int
    made: int


class RoundShown(RoundWish):
    """How far a round is, and how good its plan is."""

    round_id: str
    program_id: str
    state: RoundState
    asked_at: datetime | None
    done_at: datetime | None
    failure: str | None
    progress: Progress
    value: float | None
    upper_bound: float | None
    gap: float | None
    reasons: dict[str, int] = Field(description="How many unmatched people each reason concerns")
    refused_pins: list[RefusedPin]


class PairFound(Pin):
    """A pair of a plan; without an id where it was not made."""

    pair_id: str | None
    score: float | None
    rationale: Rationale | None
    made: bool


class PersonFound(BaseModel):
    """Somebody whom a plan leaves alone."""

    participant_id: str
    role: Role
    reasons: dict[str, int] | None = Field(description="Counted over candidates; an erasure takes them")
