"""The clock of the database, which all replicas share: whose own is wrong agrees with the others all the same.

Otherwise work that a replica plans "in a second" is due when its own clock says so, and that may be an hour away for
everybody else.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """This process's clock, corrected by what the last look found."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """In milliseconds, as MongoDB keeps times."""
        time = datetime.now(UTC) - self._ahead
        return time.replace(microsecond=time.microsecond // 1000 * 1000)

    async def set(self, ask: Callable[[], Awaitable[datetime]]) -> None:
        """By the time that somebody else tells; right to half of the time that the answer takes."""
        before = datetime.now(UTC)
        told = await ask()
        self._ahead = before + (datetime.now(UTC) - before) / 2 - told
