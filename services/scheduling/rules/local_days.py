"""Local days of an IANA zone as stretches of UTC, exact over clock changes.

Instants are whole UTC minutes since 0001-01-01, days are ordinals of `datetime.date`: integers keep the search fast.
All zones in force today are whole quarters of an hour from UTC, so a UTC quarter is a local quarter.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

DAY: Final = 24 * 60
_MINUTE: Final = timedelta(minutes=1)


class Span(NamedTuple):
    """UTC minutes from `start` up to, and without, `end`."""

    start: int
    end: int


class _Clock(NamedTuple):
    """From `start` to `end` (UTC minutes) local time is `offset` minutes ahead of UTC."""

    start: int
    end: int
    offset: int


def to_minute(time: datetime) -> int:
    """The UTC minute in which an aware time lies."""
    utc = time.astimezone(UTC)
    return utc.toordinal() * DAY + utc.hour * 60 + utc.minute


def to_time(minute: int) -> datetime:
    """The aware UTC time at which a minute starts."""
    day, rest = divmod(minute, DAY)
    return datetime.fromordinal(day).replace(hour=rest // 60, minute=rest % 60, tzinfo=UTC)


def local_day(zone: str, minute: int) -> int:
    """The local day on which a UTC minute lies."""
    return (minute + _offset(zone, minute)) // DAY


def local_minute(zone: str, minute: int) -> int:
    """Minutes from local midnight, by the clock on the wall, at a UTC minute."""
    return (minute + _offset(zone, minute)) % DAY


def spans_of(zone: str, day: int, start: int, end: int) -> list[Span]:
    """When the clock on the wall shows [start, end) minutes from midnight on a local day.

    One span as a rule; two where a repeated hour splits it, none or a shorter one where the clock jumps over it.
    """
    midnight = day * DAY
    spans = [
        Span(max(clock.start, midnight + start - clock.offset), min(clock.end, midnight + end - clock.offset))
        for clock in _clocks(zone, day)
    ]
    return [span for span in spans if span.start < span.end]


def instants_of(zone: str, day: int, minute: int) -> list[int]:
    """The UTC minutes at which the clock shows this minute of a local day: one, two (repeated) or none (jumped)."""
    return [span.start for span in spans_of(zone, day, minute, minute + 1)]


def _offset(zone: str, minute: int) -> int:
    shift = to_time(minute).astimezone(ZoneInfo(zone)).utcoffset()
    return (shift or timedelta()) // _MINUTE


@lru_cache(maxsize=16_384)
def _clocks(zone: str, day: int) -> tuple[_Clock, ...]:
    # Wider than any offset, so that every instant of the local day is within. No zone changes twice in so short a time.
    first, last = day * DAY - 15 * 60, (day + 1) * DAY + 15 * 60
    before, after = _offset(zone, first), _offset(zone, last)
    if before == after:
        return (_Clock(first, last, before),)
    change = _change(zone, first, last, before)
    return (_Clock(first, change, before), _Clock(change, last, after))


def _change(zone: str, low: int, high: int, before: int) -> int:
    """The first minute in (low, high] whose offset is no longer `before`."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high
