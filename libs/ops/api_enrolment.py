"""Enrolment through matching's API: for a few people, or where Kafka cannot be written to from here."""

from typing import Final

from libs.contracts.events import ParticipantEnrolled
from libs.ops.failures import Refused
from libs.ops.people import BadRow
from libs.ops.remote import Remote

SOURCE: Final = "/viceversa/matching"
_NOT_WISHED: Final = {"program_id", "participant_id", "revision"}


def enrol(remote: Remote, event: ParticipantEnrolled) -> None:
    """Raises BadRow with what the service said."""
    profile = event.model_dump(mode="json", exclude_none=True, exclude=_NOT_WISHED)
    try:
        remote.put(f"/programs/{event.program_id}/participants/{event.participant_id}", profile)
    except Refused as refusal:
        raise BadRow(str(refusal)) from None
