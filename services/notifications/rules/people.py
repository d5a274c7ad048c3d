"""Who is written to."""

from dataclasses import dataclass, field

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.ids import ParticipantId
from services.notifications.rules.notices import OFFICE


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a message needs to know of a person. `repr` shows neither name nor address."""

    participant_id: ParticipantId
    name: str = field(repr=False)
    email: str = field(repr=False)
    time_zone: str
    locale: str


def recipient_of(profile: ParticipantEnrolled, program: ProgramPublished) -> Recipient:
    """A person in the programme, told in the own language or else the programme's."""
    locale = profile.locale or program.policy.default_locale
    return Recipient(profile.participant_id, profile.name, profile.email, profile.time_zone, locale)


def office_of(program: ProgramPublished) -> Recipient | None:
    """The programme's office; None where it has no address."""
    policy = program.policy
    if policy.office_email is None:
        return None
    return Recipient(OFFICE, program.name, policy.office_email, policy.time_zone, policy.default_locale)
