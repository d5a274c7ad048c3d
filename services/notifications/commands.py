"""What people ask of notifications."""

from pydantic import Field

from libs.chassis.words import Command
from libs.contracts.fields import Email
from libs.contracts.ids import ParticipantId, ProgramId
from services.notifications.store.people import Preferences


class SetPreferences(Command):
    """A person's own wishes take the place of what the profile says. `expected` is the revision that was seen."""

    program_id: ProgramId
    participant_id: ParticipantId
    preferences: Preferences
    expected: int | None = None

    @property
    def person(self) -> str:
        return f"{self.program_id}/{self.participant_id}"

    @property
    def about(self) -> str:
        return self.person


class ReportBounce(Command):
    """Mail to this address came back."""

    address: Email = Field(repr=False)

    @property
    def normalised(self) -> str:
        return self.address.lower()
