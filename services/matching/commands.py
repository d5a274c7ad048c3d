"""The wishes that matching obeys."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, create_model

from libs.chassis.words import Command
from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.fields import Label, Line, Part, Time
from libs.contracts.ids import PairId, ParticipantId, ProgramId, RoundId
from libs.contracts.policy import Policy
from libs.contracts.words import PairEndReason, ProgramState
from services.matching.store.rounds import RoundWish

# The caller names the person in the path, and the service counts the revision.
_NOT_WISHED = ("program_id", "participant_id", "revision", "enrolled_at")

if TYPE_CHECKING:
    _Profile = Part
else:
    _Profile = create_model(
        "Profile",
        __base__=Part,
        **{
            name: (field.annotation, field)
            for name, field in ParticipantEnrolled.model_fields.items()
            if name not in _NOT_WISHED
        },
    )


class Enrolment(_Profile):
    """A profile as in `participant-enrolled`, and what stays private."""

    enrolled_at: Time | None = None
    """The moment of this enrolment; now unless said."""
    excluded_ids: Annotated[tuple[ParticipantId, ...] | None, Field(max_length=200, repr=False)] = None
    """Whom the person never wants to be paired with; as before unless said. Never published."""

    def event(self, program_id: str, participant_id: str, revision: int, enrolled_at: datetime) -> ParticipantEnrolled:
        counted = {"program_id": program_id, "participant_id": participant_id, "revision": revision}
        profile = {name: value for name, value in self if name not in ("enrolled_at", "excluded_ids")}
        return ParticipantEnrolled.model_validate(profile | counted | {"enrolled_at": enrolled_at})


class ProgramWish(Part):
    """A programme as in `program-published`."""

    name: Line
    state: ProgramState
    policy: Policy

    def event(self, program_id: str, revision: int) -> ProgramPublished:
        return ProgramPublished.model_validate({"program_id": program_id, "revision": revision, **dict(self)})


class PublishProgram(Command):
    program_id: ProgramId
    wish: ProgramWish
    if_match: int | None = None

    @property
    def about(self) -> str:
        return self.program_id


class EnrolParticipant(Command):
    program_id: ProgramId
    participant_id: ParticipantId
    enrolment: Enrolment
    if_match: int | None = None

    @property
    def key(self) -> str:
        return f"{self.program_id}/{self.participant_id}"

    @property
    def about(self) -> str:
        return self.key


class WithdrawParticipant(Command):
    program_id: ProgramId
    participant_id: ParticipantId
    reason: Label
    if_match: int | None = None

    @property
    def key(self) -> str:
        return f"{self.program_id}/{self.participant_id}"

    @property
    def about(self) -> str:
        return self.key


EndReason: TypeAlias = Literal[PairEndReason.REQUESTED, PairEndReason.MISMATCH]


class EndPair(Command):
    pair_id: PairId
    reason: EndReason
    ended_by: Label | None = None


class AskForRound(Command):
    program_id: ProgramId
    round_id: RoundId
    wish: RoundWish

    @property
    def key(self) -> str:
        return f"{self.program_id}/{self.round_id}"
