"""How many minutes a week two people's working hours overlap, in quarters of an hour over a real week.

Each quarter of the reference week is an instant. A person is there when the wall clock in their own zone shows a
quarter that lies wholly within their windows. So daylight saving counts as it is on those dates, an hour that a clock
change repeats counts twice, one that it skips not at all, and nothing has to wrap around the ends of the week.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.profile import Window
from libs.contracts.words import Day

QUARTER = 15
QUARTERS_A_DAY = 24 * 60 // QUARTER
QUARTERS_A_WEEK = 7 * QUARTERS_A_DAY
_DAYS = {day: index for index, day in enumerate(Day)}

Slots: TypeAlias = NDArray[np.bool_]


def reference_week(now: datetime, zone: str) -> date:
    """The first Monday after today, by the calendar of the zone: the first whole week to come."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return today + timedelta(days=7 - today.weekday())


def weekly_slots(person: ParticipantEnrolled, monday: date, zone: str) -> Slots:
    """Which quarters of the week that starts on `monday` in `zone` the person works.

    672 quarters, or 4 fewer or more (for a change of an hour) when the clocks of `zone` change in that week.
    """
    return _local_week(person.availability)[_wall_quarters(monday, zone, person.time_zone)]


def overlap_minutes(one: ParticipantEnrolled, other: ParticipantEnrolled, monday: date, zone: str) -> int:
    """Minutes of the week in which both work."""
    return QUARTER * int((weekly_slots(one, monday, zone) & weekly_slots(other, monday, zone)).sum())


def overlaps(rows: Iterable[Slots], columns: Iterable[Slots]) -> NDArray[np.int32]:
    """Common minutes of each of `rows` with each of `columns`."""
    # counts stay under 700, which float32 holds exactly, and the product runs in BLAS
    left, right = np.array(list(rows), dtype=np.float32), np.array(list(columns), dtype=np.float32)
    return (left @ right.T).astype(np.int32) * QUARTER


def _local_week(windows: Iterable[Window]) -> Slots:
    """Quarters of the wall clock's week, from Monday 00:00; only those that lie wholly within the windows."""
    minutes = np.zeros(QUARTERS_A_WEEK * QUARTER, dtype=np.bool_)
    for window in windows:
        midnight = _DAYS[window.day] * 24 * 60
        minutes[midnight + _minutes(window.start) : midnight + _minutes(window.end)] = True
    quarters: Slots = np.all(minutes.reshape(-1, QUARTER), axis=1)
    return quarters


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


@lru_cache(maxsize=1024)
def _wall_quarters(monday: date, zone: str, own_zone: str) -> NDArray[np.int64]:
    """For each quarter of the reference week the quarter of the wall clock's week in the person's zone."""
    start, end = (_midnight(day, zone) for day in (monday, monday + timedelta(days=7)))
    own = ZoneInfo(own_zone)
    count = (end - start) // timedelta(minutes=QUARTER)
    clocks = ((start + slot * timedelta(minutes=QUARTER)).astimezone(own) for slot in range(count))
    quarters = np.array([_quarter_of_week(clock) for clock in clocks], dtype=np.int64)
    quarters.setflags(write=False)
    return quarters


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _quarter_of_week(clock: datetime) -> int:
    return clock.weekday() * QUARTERS_A_DAY + (60 * clock.hour + clock.minute) // QUARTER
