"""Which service hears which topics, as data, because the command line imports no service. A test compares the two."""

from collections.abc import Mapping, Sequence
from typing import Final

HEARS: Final[Mapping[str, Sequence[str]]] = {
    "matching": ("program-published", "participant-enrolled", "participant-withdrawn", "session-completed"),
    "scheduling": (
        "program-published",
        "participant-enrolled",
        "participant-withdrawn",
        "pair-created",
        "pair-ended",
    ),
    "notifications": (
        "program-published",
        "participant-enrolled",
        "participant-withdrawn",
        "pair-created",
        "pair-ended",
        "session-scheduled",
        "session-cancelled",
        "session-completed",
        "session-missed",
        "pair-at-risk",
    ),
}
