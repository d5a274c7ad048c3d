"""The language of Viceversa: its events, their envelope and their topics.

This is the face of the wheel `viceversa_contracts`; code in this repository imports from the modules.
"""

from .envelope import Envelope, Erasure, Reason, Received, Unreadable, describe, encode, headers, read
from .events import (
    Event,
    NotificationFailed,
    NotificationSent,
    PairAtRisk,
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    ParticipantWithdrawn,
    ProgramPublished,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
)
from .topics import TOPICS, Topic, topic_of

__all__ = [
    "TOPICS",
    "Envelope",
    "Erasure",
    "Event",
    "NotificationFailed",
    "NotificationSent",
    "PairAtRisk",
    "PairCreated",
    "PairEnded",
    "ParticipantEnrolled",
    "ParticipantWithdrawn",
    "ProgramPublished",
    "Reason",
    "Received",
    "SessionCancelled",
    "SessionCompleted",
    "SessionMissed",
    "SessionScheduled",
    "Topic",
    "Unreadable",
    "describe",
    "encode",
    "headers",
    "read",
    "topic_of",
]
