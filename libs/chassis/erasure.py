"""Erasure in what the chassis itself keeps: answers to commands, and records that were parked."""

from collections.abc import Sequence
from typing import Any, Final

from libs.chassis.dead_letters import DeadLetter, LetterState
from libs.chassis.inbox import INBOX
from libs.chassis.mongo import Transaction
from libs.contracts.topics import TOPICS

_PURGED: Final[dict[str, Any]] = {
    "state": LetterState.PURGED,
    "detail": "erased",
    "key": None,
    "value": None,
    "headers": [],
    "work": None,
}
# Erasures that were parked themselves, perhaps a moment ago: purged, they could never be replayed.
_ERASURES: Final[dict[str, Any]] = {
    "value": None,
    "topic": {"$in": [name for name, topic in TOPICS.items() if topic.compacted]},
}


async def forget(transaction: Transaction, keys: Sequence[str]) -> None:
    """Drop the contents that tell of these keys; that a message was handled, or was not, stays known."""
    await transaction.update(INBOX, {"about": {"$in": list(keys)}}, {"$unset": {"answer": ""}})
    of_these = {"key": {"$in": [key.encode() for key in keys]}, "$nor": [_ERASURES]}
    await transaction.update(DeadLetter.collection, of_these, {"$set": _PURGED, "$inc": {"version": 1}})
