"""A person's diary: when somebody can meet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final

from libs.contracts.profile import DateRange, Window
from libs.contracts.words import Day
from services.scheduling.rules.local_days import Span, local_day, spans_of, to_minute

_WEEK: Final = tuple(Day)


@dataclass(frozen=True, slots=True)
class Slot:
    """A time for a meeting, in UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Diary:
    """What decides when a person can meet: zone, weekly local windows, local days off, planned meetings."""

    zone: str
    windows: tuple[Window, ...]
    unavailable: tuple[DateRange, ...] = ()
    busy: tuple[Slot, ...] = ()

    def hours_only(self) -> "Diary":
        """The same working hours with nothing planned and no days off."""
        return replace(self, unavailable=(), busy=())

    def without_meetings(self) -> "Diary":
        """The same diary with nothing planned."""
        return replace(self, busy=())


def free_spans(diary: Diary, days: range, *, one_a_day: bool = False) -> Iterator[Span]:
    """The person's free time on these local days, earliest first; `one_a_day` leaves out days that have a meeting."""
    busy = sorted(_busy_spans(diary, days))
    closed = _days_off(diary, days)
    if one_a_day:
        closed |= {day for span in busy for day in _days_of(diary.zone, span)}
    return _without(_joined(_working_spans(diary, days, closed)), busy)


def common_spans(left: Iterator[Span], right: Iterator[Span]) -> Iterator[Span]:
    """What two ascending rows of spans share."""
    one, other = next(left, None), next(right, None)
    while one and other:
        start, end = max(one.start, other.start), min(one.end, other.end)
        if start < end:
            yield Span(start, end)
        if one.end <= other.end:
            one = next(left, None)
        else:
            other = next(right, None)


def _working_spans(diary: Diary, days: range, closed: set[int]) -> Iterator[Span]:
    week = _by_weekday(diary.windows)
    for day in days:
        # date.fromordinal(1) was a Monday
        windows = week[(day - 1) % 7]
        if windows and day not in closed:
            yield from sorted(span for start, end in windows for span in spans_of(diary.zone, day, start, end))


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Ascending spans, where those that overlap or touch become one."""
    current: Span | None = None
    for span in spans:
        if current is None or span.start > current.end:
            if current is not None:
                yield current
            current = span
        else:
            current = Span(current.start, max(current.end, span.end))
    if current is not None:
        yield current


def _without(spans: Iterator[Span], busy: list[Span]) -> Iterator[Span]:
    if not busy:
        yield from spans
        return
    edges = list(_joined(busy))
    gaps = [Span(0, edges[0].start), *(Span(a.end, b.start) for a, b in pairwise(edges)), Span(edges[-1].end, 2**62)]
    yield from common_spans(spans, iter(gaps))


def _busy_spans(diary: Diary, days: range) -> Iterator[Span]:
    # Two days wider than the local days: no offset is larger.
    first, last = (days.start - 2) * 1440, (days.stop + 2) * 1440
    for slot in diary.busy:
        start, end = to_minute(slot.starts_at), _rounded_up(slot.ends_at)
        if start < last and end > first:
            yield Span(start, end)


def _rounded_up(time: datetime) -> int:
    return to_minute(time) + (1 if time.second or time.microsecond else 0)


def _days_of(zone: str, span: Span) -> range:
    return range(local_day(zone, span.start), local_day(zone, span.end - 1) + 1)


def _days_off(diary: Diary, days: range) -> set[int]:
    ranges = ((off.start.toordinal(), off.end.toordinal()) for off in diary.unavailable)
    return {day for first, last in ranges for day in range(max(first, days.start), min(last + 1, days.stop))}


@lru_cache(maxsize=4096)
def _by_weekday(windows: tuple[Window, ...]) -> tuple[list[tuple[int, int]], ...]:
    return tuple([(_minutes(w.start), _minutes(w.end)) for w in windows if w.day == day] for day in _WEEK)


@lru_cache(maxsize=2048)
def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
