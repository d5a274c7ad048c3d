"""Ids are opaque texts of 1 to 128 of `A-Z a-z 0-9 . _ ~ : @ -`; each kind is a type of its own.

`/` is left out because it joins ids in a record key (`program_id/participant_id`).
"""

import re
from typing import Annotated, Final, NewType

from pydantic import StringConstraints

ID_PATTERN: Final = r"^[A-Za-z0-9._~:@-]{1,128}$"
_KEY_PART: Final = re.compile(r"[A-Za-z0-9._~:@-]{1,128}")

ProgramId = NewType("ProgramId", Annotated[str, StringConstraints(pattern=ID_PATTERN)])
ParticipantId = NewType("ParticipantId", Annotated[str, StringConstraints(pattern=ID_PATTERN)])
PairId = NewType("PairId", Annotated[str, StringConstraints(pattern=ID_PATTERN)])
SessionId = NewType("SessionId", Annotated[str, StringConstraints(pattern=ID_PATTERN)])
RoundId = NewType("RoundId", Annotated[str, StringConstraints(pattern=ID_PATTERN)])
NotificationId = NewType("NotificationId", Annotated[str, StringConstraints(pattern=ID_PATTERN)])


def calendar_uid(session_id: str) -> str:
    """The UID of a meeting in every calendar (RFC 5545, 3.8.4.7), so that invitations and feeds show it once."""
    return f"{session_id}@viceversa.invalid"


def is_key(text: str, parts: int) -> bool:
    """Whether a text can be a record key made of that many ids."""
    ids = text.split("/")
    return len(ids) == parts and all(_KEY_PART.fullmatch(part) for part in ids)
