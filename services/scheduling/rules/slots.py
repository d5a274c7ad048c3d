"""When a pair meets: the earliest time that suits both, the rhythm of a series, and what a wished time must respect."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from services.scheduling.rules.diaries import Diary, Slot, common_spans, free_spans
from services.scheduling.rules.local_days import Span, instants_of, local_day, local_minute, to_minute, to_time

QUARTER: Final = 15
HORIZON_WEEKS: Final = 8


@dataclass(frozen=True, slots=True)
class NoSlot:
    """No time suits both; `why` is one sentence for the programme's office, without names."""

    why: str


class WishRefusal(StrEnum):
    """Why a wished time is not possible."""

    IN_THE_PAST = "in_the_past"
    OFF_THE_QUARTER = "off_the_quarter"  # meetings start on a quarter of an hour
    OUTSIDE_MENTOR_HOURS = "outside_mentor_hours"
    OUTSIDE_MENTEE_HOURS = "outside_mentee_hours"
    MENTOR_UNAVAILABLE = "mentor_unavailable"  # a day off
    MENTEE_UNAVAILABLE = "mentee_unavailable"  # a day off
    MENTOR_BUSY = "mentor_busy"  # another meeting at that time
    MENTEE_BUSY = "mentee_busy"  # another meeting at that time


def earliest_common_slot(
    mentor: Diary,
    mentee: Diary,
    *,
    minutes: int,
    after: datetime,
    on_or_after: date | None = None,
    horizon_weeks: int = HORIZON_WEEKS,
) -> Slot | NoSlot:
    """The earliest slot in both people's windows, from the next working day on, with nobody meeting twice in a day.

    A person's working days are the days of his windows (a week may be Sunday to Thursday), and the next one is a later
    local day than `after` for both. Where a second meeting in a day cannot be avoided within the horizon, the earliest
    slot wins. `on_or_after` is the first day allowed, in the mentor's calendar.
    """
    days = _allowed_days(mentor, mentee, after, on_or_after or date.min, horizon_weeks)
    for one_a_day in (True, False):
        if slot := _first_fit(mentor, mentee, days, minutes, one_a_day=one_a_day):
            return slot
    return NoSlot(_why_none(mentor, mentee, days, minutes, horizon_weeks))


def next_slot_after(
    previous: datetime,
    mentor: Diary,
    mentee: Diary,
    *,
    cadence_days: int,
    minutes: int,
    after: datetime,
    horizon_weeks: int = HORIZON_WEEKS,
) -> Slot | NoSlot:
    """The slot `cadence_days` after the meeting that started at `previous`, at the same time by the clock on the wall.

    The mentor's clock is kept, else the mentee's, where their clocks change apart. If that time does not suit both,
    it is the earliest common slot from that day on.
    """
    start = to_minute(previous)
    target = date.fromordinal(local_day(mentor.zone, start) + cadence_days)
    days = _allowed_days(mentor, mentee, after, target, horizon_weeks)
    for zone in dict.fromkeys((mentor.zone, mentee.zone)):
        day = local_day(zone, start) + cadence_days
        for instant in instants_of(zone, day, local_minute(zone, start)):
            if instant % QUARTER == 0 and _fits(mentor, mentee, days, instant, minutes):
                return _slot(instant, minutes)
    return earliest_common_slot(
        mentor, mentee, minutes=minutes, after=after, on_or_after=target, horizon_weeks=horizon_weeks
    )


def check_wish(
    mentor: Diary, mentee: Diary, starts_at: datetime, *, minutes: int, after: datetime
) -> Slot | WishRefusal:
    """A wished time, as a slot or as the reason why not. It may be today and a second meeting of the day.

    To move a meeting leave it out of `busy`; to find another time than now by `earliest_common_slot` leave it in.
    """
    start = to_minute(starts_at)
    if starts_at <= after:
        return WishRefusal.IN_THE_PAST
    if to_time(start) != starts_at or start % QUARTER:
        return WishRefusal.OFF_THE_QUARTER
    wish = Span(start, start + minutes)
    checks = (
        (mentor.hours_only(), WishRefusal.OUTSIDE_MENTOR_HOURS),
        (mentee.hours_only(), WishRefusal.OUTSIDE_MENTEE_HOURS),
        (mentor.without_meetings(), WishRefusal.MENTOR_UNAVAILABLE),
        (mentee.without_meetings(), WishRefusal.MENTEE_UNAVAILABLE),
        (mentor, WishRefusal.MENTOR_BUSY),
        (mentee, WishRefusal.MENTEE_BUSY),
    )
    refused = next((refusal for diary, refusal in checks if not _is_free(diary, wish)), None)
    return refused or _slot(start, minutes)


def _allowed_days(mentor: Diary, mentee: Diary, after: datetime, on_or_after: date, weeks: int) -> tuple[range, range]:
    now = to_minute(after)
    first = max(local_day(mentor.zone, now) + 1, on_or_after.toordinal())
    last = first + 7 * weeks
    # Two calendars are at most two days apart (+14:00 and -12:00); the mentor's days bound both.
    return range(first, last), range(max(local_day(mentee.zone, now) + 1, first - 2), last + 2)


def _first_fit(
    mentor: Diary, mentee: Diary, days: tuple[range, range], minutes: int, *, one_a_day: bool
) -> Slot | None:
    mine = free_spans(mentor, days[0], one_a_day=one_a_day)
    theirs = free_spans(mentee, days[1], one_a_day=one_a_day)
    for span in common_spans(mine, theirs):
        start = -(-span.start // QUARTER) * QUARTER
        if start + minutes <= span.end:
            return _slot(start, minutes)
    return None


def _fits(mentor: Diary, mentee: Diary, days: tuple[range, range], start: int, minutes: int) -> bool:
    mine = free_spans(mentor, _near(mentor.zone, start, days[0]), one_a_day=True)
    theirs = free_spans(mentee, _near(mentee.zone, start, days[1]), one_a_day=True)
    return any(span.start <= start and start + minutes <= span.end for span in common_spans(mine, theirs))


def _near(zone: str, start: int, days: range) -> range:
    day = local_day(zone, start)
    return range(max(day, days.start), min(day + 2, days.stop))


def _is_free(diary: Diary, wish: Span) -> bool:
    day = local_day(diary.zone, wish.start)
    return any(span.start <= wish.start and wish.end <= span.end for span in free_spans(diary, range(day, day + 2)))


def _why_none(mentor: Diary, mentee: Diary, days: tuple[range, range], minutes: int, weeks: int) -> str:
    hours = (mentor.hours_only(), mentee.hours_only())
    if _first_fit(*hours, days, minutes, one_a_day=False):
        return f"every common slot in {weeks} weeks is taken or on a day off"
    if next(common_spans(free_spans(hours[0], days[0]), free_spans(hours[1], days[1])), None):
        return f"working hours overlap for less than {minutes} minutes in {weeks} weeks"
    return f"working hours never overlap in {weeks} weeks"


def _slot(start: int, minutes: int) -> Slot:
    return Slot(to_time(start), to_time(start) + timedelta(minutes=minutes))
