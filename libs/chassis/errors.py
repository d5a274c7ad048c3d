"""The error family: the class of a failure, never its text, decides what happens next.

ChassisError
├── Transient    a server is away or overloaded: pause, try again with backoff, park nothing
├── Conflict     somebody else wrote what this batch decided on: reload and replay
├── Poison       this event can never succeed: park it now
└── Misuse       a handler broke a rule of the chassis: replayed once, then parked
"""


class ChassisError(Exception):
    """Base of all failures that the chassis sorts."""


class Transient(ChassisError):
    """Try again later; nothing is lost meanwhile."""


class Conflict(ChassisError):
    """A version, an id or a claim was taken by another transaction."""


class Poison(ChassisError):
    """Park the event now, with this text as the reason's detail."""


class Misuse(ChassisError):
    """A document that was not declared, or a fact that no declared document owns."""
