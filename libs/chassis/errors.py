"""The error family: the class of a failure, never its text, decides what happens next.

ChassisError
├── Transient    a server is away or overloaded: pause, try again with backoff, park nothing
├── Conflict     somebody else wrote what this batch decided on: reload and replay
├── Poison       this event can never succeed: replayed once, then parked
├── Unstorable   the database can never take what was written: the batch is halved until who wrote it is found
├── EndedAside   what ran in a process of its own failed there: tried again as due work, then parked
└── Misuse       a handler broke a rule of the chassis: replayed once, then parked
"""

from pathlib import Path
from traceback import extract_tb


class ChassisError(Exception):
    """Base of all failures that the chassis sorts."""


class Transient(ChassisError):
    """Try again later; nothing is lost meanwhile."""


class Conflict(ChassisError):
    """A version, an id or a claim was taken by another transaction."""


class Poison(ChassisError):
    """Park the event, if a replay on fresh state raises it again, with this text as the reason's detail."""


class Unstorable(ChassisError):
    """The database can never take what this transaction wants to write."""


class EndedAside(ChassisError):
    """What ran aside raised, or its process ended without an answer: it needed too much memory, or was killed."""


class Misuse(ChassisError):
    """A document that was not declared, or a fact that no declared document owns."""


def reason_of(error: BaseException) -> str:
    """The reason of a dead letter whose handler raised this."""
    return "poison" if isinstance(error, Poison) else "handler_failed"


def told(error: BaseException) -> str:
    """A failure by class and place. Only a ChassisError's text is repeated: others may hold a person's data."""
    if isinstance(error, ChassisError):
        return f"{type(error).__name__}: {error}"
    places = [f" in {Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    return type(error).__name__ + "".join(places[-1:])
