"""A limit in seconds that an operator gave. It decides when to stop, and nothing else looks at the clock."""

from collections.abc import Callable
from time import monotonic  # noqa: TID251 - no result depends on the time but whether work goes on


def after(seconds: float | None) -> Callable[[], bool]:
    """Asks whether so many seconds have gone by since now; never, where there is no limit."""
    end = None if seconds is None else monotonic() + seconds
    return lambda: end is not None and monotonic() >= end
