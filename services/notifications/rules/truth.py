"""Whether a notice is still true when its turn comes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from libs.contracts.words import Role
from services.notifications.rules.notices import Notice, Template


class MeetingState(StrEnum):
    """What became of a planned meeting."""

    PLANNED = "planned"
    CANCELLED = "cancelled"
    HELD = "held"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Meeting:
    """The last that is known of a meeting."""

    revision: int
    state: MeetingState
    starts_at: datetime
    answered_by: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known now of everything that a notice speaks about."""

    person_left: bool = False
    program_closed: bool = False
    pair_ended: bool = False
    meeting: Meeting | None = None


class Untrue(StrEnum):
    """Why a notice is not sent any more."""

    PERSON_LEFT = "person_left"  # a withdrawal stops all contact
    PROGRAM_CLOSED = "program_closed"
    PAIR_ENDED = "pair_ended"
    MOVED = "moved"  # the meeting has another time
    CANCELLED = "cancelled"
    HELD = "held"  # people met early
    MISSED = "missed"
    PAST = "past"  # the meeting has begun
    ANSWERED = "answered"  # the side that was to be asked has told of it


_ENDINGS: Final = {Template.PAIR_ENDED, Template.THANK_YOU, Template.SESSION_CANCELLED}
_PLANS: Final = {Template.SESSION_SCHEDULED, Template.SESSION_MOVED, Template.SESSION_REMINDER}
_OF_A_LIVE_PAIR: Final = _PLANS | {Template.PAIR_CREATED, Template.AT_RISK}


def why_untrue(notice: Notice, known: Known, now: datetime) -> Untrue | None:
    """The reason why this notice must not be sent any more; None as long as it is true."""
    if known.person_left:
        return Untrue.PERSON_LEFT
    if known.program_closed and notice.template not in _ENDINGS:
        return Untrue.PROGRAM_CLOSED
    if known.pair_ended and notice.template in _OF_A_LIVE_PAIR:
        return Untrue.PAIR_ENDED
    return _why_meeting_untrue(notice, known.meeting, now) if known.meeting else None


def _why_meeting_untrue(notice: Notice, meeting: Meeting, now: datetime) -> Untrue | None:
    if notice.template in _PLANS:
        return _why_plan_untrue(notice.revision or 0, meeting, now)
    if notice.template is Template.SESSION_CANCELLED and meeting.state is MeetingState.HELD:
        return Untrue.HELD
    if notice.template is Template.SESSION_COMPLETED and notice.role in meeting.answered_by:
        return Untrue.ANSWERED
    return None


def _why_plan_untrue(revision: int, meeting: Meeting, now: datetime) -> Untrue | None:
    if meeting.state is not MeetingState.PLANNED:
        return Untrue(meeting.state.value)
    if meeting.revision > revision:
        return Untrue.MOVED
    return Untrue.PAST if meeting.starts_at <= now else None
