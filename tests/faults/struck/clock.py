"""A clock that is wrong, for one process: what the modules of Viceversa know as `datetime` tells another time."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any


class _AnyTime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


def clock_of(shift: timedelta) -> type:
    class Shifted(datetime, metaclass=_AnyTime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + shift

    return Shifted


def shift(seconds: float) -> None:
    """From now on, and for all that is loaded."""
    shifted = clock_of(timedelta(seconds=seconds))
    for module in _modules():
        module.datetime = shifted


def _modules() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name.startswith(("libs.", "services.")) and getattr(module, "datetime", None) is datetime:
            yield module
