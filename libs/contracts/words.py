"""The closed and the open vocabularies of the language.

A word of a closed vocabulary decides something, so an unknown one is invalid. An open vocabulary may grow: a reader
turns a word that it does not know yet into `other`.
"""

from enum import StrEnum
from typing import Any, Self

from pydantic import GetJsonSchemaHandler


class OpenWords(StrEnum):
    """A vocabulary that may grow; every one of them has the word `other`."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls("other") if isinstance(value, str) and value != "other" else None

    @classmethod
    def __get_pydantic_json_schema__(cls, _core: Any, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "description": cls.__doc__, "x-known-words": [word.value for word in cls]}


class Role(StrEnum):
    """What a person is in a programme."""

    MENTOR = "mentor"  # the junior who teaches
    MENTEE = "mentee"  # the senior who learns


class ProgramState(StrEnum):
    """How far a programme is."""

    DRAFT = "draft"  # being planned: nobody may enrol yet
    OPEN = "open"  # people enrol
    RUNNING = "running"  # people enrol, are matched and meet
    CLOSED = "closed"  # over: pairs end, nobody is told anything more


class Difference(StrEnum):
    """What a policy asks of the two sides' units or functions."""

    REQUIRED = "required"  # a hard rule
    PREFERRED = "preferred"  # raises the score
    IGNORED = "ignored"  # plays no part


class Objective(StrEnum):
    """What the best set of pairs means."""

    SCORE = "score"  # the highest total score
    PARTICIPATION = "participation"  # most pairs first, then the highest total score


class Mode(StrEnum):
    """When people are matched."""

    ROUNDS = "rounds"  # when the programme's office asks
    ROLLING = "rolling"  # as they arrive


class Day(StrEnum):
    """A day of the local week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Channel(OpenWords):
    """How a person is told (open)."""

    EMAIL = "email"
    CHAT = "chat"  # a message through the company's chat webhook
    OTHER = "other"


class PairEndReason(OpenWords):
    """Why a pair ended (open)."""

    COMPLETED = "completed"  # all its sessions were held
    WITHDRAWN = "withdrawn"  # one of the two left
    ERASED = "erased"  # one of the two was erased
    CONSENT_REVOKED = "consent_revoked"  # one of the two no longer agrees to be matched
    REPORTING_LINE = "reporting_line"  # one came to report to the other
    RULE_BROKEN = "rule_broken"  # a change broke another hard rule
    MISMATCH = "mismatch"  # the two do not fit
    REQUESTED = "requested"  # somebody asked for it
    PROGRAM_CLOSED = "program_closed"
    OTHER = "other"


class Sign(OpenWords):
    """A warning sign of a pair (open)."""

    NO_COMMON_SLOT = "no_common_slot"  # no time suits both
    LOST_IN_A_ROW = "lost_in_a_row"  # sessions in a row were cancelled or missed
    STALLED = "stalled"  # nothing happens any more
    OTHER = "other"
