from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.profile import DateRange, Window
from services.scheduling.rules.diaries import Diary, Slot
from services.scheduling.rules.slots import NoSlot, WishRefusal, check_wish, earliest_common_slot, next_slot_after

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def windows(*texts: str) -> tuple[Window, ...]:
    parts = [(days, *hours.split("-")) for days, hours in (text.split() for text in texts)]
    return tuple(
        Window(day=day, start=start, end=end)
        for days, start, end in parts
        for day in (WEEK[:5] if days == "weekdays" else days.split(","))
    )


def diary(zone: str = "Europe/Zurich", hours: str = "weekdays 09:00-17:00", *, off=(), busy=()) -> Diary:
    ranges = tuple(DateRange(start=start, end=end) for start, end in off)
    return Diary(zone, windows(*hours.split(" and ")), ranges, tuple(busy))


def meeting(start: str, minutes: int = 60) -> Slot:
    starts_at = datetime.fromisoformat(start).astimezone(UTC)
    return Slot(starts_at, starts_at + timedelta(minutes=minutes))


def first(ada: Diary, grace: Diary, after: datetime = MONDAY, minutes: int = 60, **more) -> Slot | NoSlot:
    return earliest_common_slot(ada, grace, minutes=minutes, after=after, **more)


def test_a_new_pair_meets_at_the_first_common_time_of_the_next_working_day():
    assert first(diary(), diary(hours="weekdays 10:00-12:00")) == meeting("2026-03-03T10:00+01:00")


def test_on_a_friday_the_next_working_day_is_monday():
    friday = datetime(2026, 3, 6, 9, tzinfo=UTC)

    assert first(diary(), diary(), friday) == meeting("2026-03-09T09:00+01:00")


def test_a_week_from_sunday_to_thursday_is_a_working_week_too():
    ada = diary("Asia/Dubai", "sun,mon,tue,wed,thu 08:00-16:00")
    thursday = datetime(2026, 3, 5, 9, tzinfo=UTC)

    assert first(ada, ada, thursday) == meeting("2026-03-08T08:00+04:00")


def test_today_is_over_only_when_it_is_over_for_both():
    late_monday_in_zurich = datetime(2026, 3, 2, 23, 30, tzinfo=ZoneInfo("Europe/Zurich"))
    ada, grace = diary("Asia/Tokyo", "weekdays 08:00-20:00"), diary(hours="weekdays 06:00-20:00")

    # Already Tuesday for Ada, so it is Wednesday for both
    assert first(ada, grace, late_monday_in_zurich) == meeting("2026-03-04T06:00+01:00")


def test_people_on_two_continents_meet_where_their_days_touch():
    ada, grace = diary("Europe/Zurich"), diary("America/New_York", "weekdays 09:00-17:00")

    assert first(ada, grace) == meeting("2026-03-03T15:00+01:00")


def test_hours_that_never_overlap_say_so():
    ada, grace = diary("Asia/Tokyo"), diary("Europe/London")

    assert first(ada, grace) == NoSlot("working hours never overlap in 8 weeks")


def test_an_overlap_that_is_too_short_says_so():
    ada, grace = diary(hours="tue 09:00-10:30"), diary(hours="tue 10:00-11:00")

    assert first(ada, grace) == NoSlot("working hours overlap for less than 60 minutes in 8 weeks")


def test_eight_weeks_of_leave_leave_no_slot():
    ada = diary(off=[(date(2026, 3, 1), date(2026, 12, 31))])

    assert first(ada, diary()) == NoSlot("every common slot in 8 weeks is taken or on a day off")


def test_a_person_without_working_hours_has_no_slot():
    assert first(Diary("UTC", ()), diary()) == NoSlot("working hours never overlap in 8 weeks")


def test_days_off_count_in_the_local_calendar_of_the_person():
    ada = diary("Pacific/Auckland", "weekdays 08:00-12:00", off=[(date(2026, 3, 4), date(2026, 3, 4))])
    grace = diary("America/New_York", "mon,tue,wed,thu 13:00-18:00")

    # 2026-03-04 in Auckland is still 2026-03-03 in New York
    assert first(ada, grace) == meeting("2026-03-05T08:00+13:00")


def test_a_planned_meeting_is_never_overlapped():
    ada = diary(hours="tue 09:00-12:00", busy=[meeting("2026-03-03T09:30+01:00")])

    assert first(ada, diary(), horizon_weeks=1) == meeting("2026-03-03T10:30+01:00")


def test_nobody_gets_two_meetings_in_one_day_when_avoidable():
    grace = diary(busy=[meeting("2026-03-03T14:00+01:00")])

    assert first(diary(), grace) == meeting("2026-03-04T09:00+01:00")


def test_a_second_meeting_in_a_day_is_better_than_none():
    grace = diary(hours="tue 09:00-12:00", busy=[meeting(f"2026-03-{day:02}T09:00+01:00") for day in (3, 10, 17, 24)])

    assert first(diary(), grace, horizon_weeks=3) == meeting("2026-03-03T10:00+01:00")


def test_meetings_start_on_a_quarter_of_an_hour():
    assert first(diary(hours="tue 09:05-11:00"), diary()) == meeting("2026-03-03T09:15+01:00")


def test_kathmandu_has_quarters_too():
    assert first(diary("Asia/Kathmandu"), diary("Asia/Kathmandu")) == meeting("2026-03-03T09:00+05:45")


def test_two_windows_that_touch_at_midnight_are_one():
    night = "tue 23:30-24:00 and wed 00:00-00:30"

    assert first(diary(hours=night), diary(hours=night)) == meeting("2026-03-03T23:30+01:00")


def test_calendars_may_be_two_days_apart():
    # 00:00 on Thursday in Kiritimati is 23:00 on Tuesday in Niue
    ada, grace = diary("Pacific/Kiritimati", "thu 00:00-01:00"), diary("Pacific/Niue", "tue 23:00-24:00")

    assert first(ada, grace) == meeting("2026-03-05T00:00+14:00")


def test_ten_in_zurich_stays_ten_when_the_clocks_change():
    before = datetime(2026, 3, 24, 9, tzinfo=UTC)

    slot = next_slot_after(before, diary(), diary(), cadence_days=14, minutes=60, after=before)

    assert slot == meeting("2026-04-07T10:00+02:00")
    assert slot.starts_at.hour == 8


def test_the_mentors_clock_is_kept_while_two_clocks_change_apart():
    # New York changes on 8 March, Zurich on 29 March
    before = datetime(2026, 3, 3, 15, tzinfo=UTC)
    ada, grace = diary("America/New_York"), diary("Europe/Zurich")

    slot = next_slot_after(before, ada, grace, cadence_days=14, minutes=60, after=before)

    assert slot == meeting("2026-03-17T10:00-04:00")


def test_the_mentees_clock_is_kept_where_the_mentors_does_not_fit():
    before = datetime(2026, 3, 3, 14, tzinfo=UTC)
    ada, grace = diary("America/New_York", "weekdays 09:00-17:00"), diary("Europe/Zurich", "weekdays 15:00-18:00")

    # 09:00 in New York would be 14:00 in Zurich; 15:00 in Zurich is 10:00 in New York
    slot = next_slot_after(before, ada, grace, cadence_days=14, minutes=60, after=before)

    assert slot == meeting("2026-03-17T10:00-04:00")


def test_a_taken_time_moves_on_to_the_earliest_from_that_day_on():
    before = datetime(2026, 3, 3, 9, tzinfo=UTC)
    grace = diary(off=[(date(2026, 3, 17), date(2026, 3, 17))])

    slot = next_slot_after(before, diary(), grace, cadence_days=14, minutes=60, after=before)

    assert slot == meeting("2026-03-18T09:00+01:00")


def test_a_series_leaves_its_time_rather_than_give_somebody_two_meetings_in_a_day():
    before = datetime(2026, 3, 3, 9, tzinfo=UTC)
    grace = diary(busy=[meeting("2026-03-17T15:00+01:00")])

    slot = next_slot_after(before, diary(), grace, cadence_days=14, minutes=60, after=before)

    assert slot == meeting("2026-03-18T09:00+01:00")


def test_a_series_that_fell_behind_goes_on_from_the_next_working_day():
    before, late = datetime(2026, 3, 3, 9, tzinfo=UTC), datetime(2026, 4, 15, 9, tzinfo=UTC)

    slot = next_slot_after(before, diary(), diary(), cadence_days=14, minutes=60, after=late)

    assert slot == meeting("2026-04-16T09:00+02:00")


def test_a_time_that_the_clock_jumps_over_moves_on():
    night = diary(hours="sun 02:00-04:00")
    before = datetime(2026, 3, 22, 1, 15, tzinfo=UTC)

    slot = next_slot_after(before, night, night, cadence_days=7, minutes=60, after=before)

    # 02:15 does not exist on 29 March: the window starts when the clock shows 03:00
    assert slot == meeting("2026-03-29T03:00+02:00")


def test_a_window_in_the_jumped_hour_does_not_exist_that_day():
    night = diary(hours="sun 02:00-03:00")
    friday = datetime(2026, 3, 27, 9, tzinfo=UTC)

    assert first(night, night, friday) == meeting("2026-04-05T02:00+02:00")


def test_a_repeated_hour_is_long_enough_for_two_hours():
    night = diary(hours="sun 02:00-03:00")
    friday = datetime(2026, 10, 23, 9, tzinfo=UTC)

    assert first(night, night, friday, minutes=120) == meeting("2026-10-25T02:00+02:00", 120)


def test_a_repeated_hour_splits_a_window_of_half_an_hour():
    night = diary(hours="sun 02:00-02:30", busy=[meeting("2026-10-25T02:00+02:00", 30)])
    friday = datetime(2026, 10, 23, 9, tzinfo=UTC)

    assert first(night, night, friday, minutes=30, horizon_weeks=1) == meeting("2026-10-25T02:00+01:00", 30)


def wish(start: str, ada: Diary, grace: Diary, after: datetime = MONDAY) -> Slot | WishRefusal:
    return check_wish(ada, grace, datetime.fromisoformat(start), minutes=60, after=after)


def test_a_wish_that_suits_both_is_a_slot_even_today():
    assert wish("2026-03-02T13:15+01:00", diary(), diary()) == meeting("2026-03-02T13:15+01:00")


def test_a_wish_may_be_a_second_meeting_of_the_day():
    grace = diary(busy=[meeting("2026-03-03T09:00+01:00")])

    assert wish("2026-03-03T10:00+01:00", diary(), grace) == meeting("2026-03-03T10:00+01:00")


@pytest.mark.parametrize(
    ("start", "ada", "grace", "refusal"),
    [
        ("2026-03-02T09:00+00:00", diary(), diary(), WishRefusal.IN_THE_PAST),
        ("2026-03-03T10:10+01:00", diary(), diary(), WishRefusal.OFF_THE_QUARTER),
        ("2026-03-03T10:00:01+01:00", diary(), diary(), WishRefusal.OFF_THE_QUARTER),
        ("2026-03-03T16:15+01:00", diary(), diary(hours="tue 00:00-24:00"), WishRefusal.OUTSIDE_MENTOR_HOURS),
        ("2026-03-03T10:00+01:00", diary(), diary("Asia/Tokyo"), WishRefusal.OUTSIDE_MENTEE_HOURS),
        (
            "2026-03-03T10:00+01:00",
            diary(off=[(date(2026, 3, 3), date(2026, 3, 3))]),
            diary(),
            WishRefusal.MENTOR_UNAVAILABLE,
        ),
        (
            "2026-03-03T10:00+01:00",
            diary(),
            diary(off=[(date(2026, 3, 1), date(2026, 3, 9))]),
            WishRefusal.MENTEE_UNAVAILABLE,
        ),
        (
            "2026-03-03T10:00+01:00",
            diary(busy=[meeting("2026-03-03T10:30+01:00")]),
            diary(),
            WishRefusal.MENTOR_BUSY,
        ),
        (
            "2026-03-03T10:00+01:00",
            diary(),
            diary(busy=[meeting("2026-03-03T09:00:30+01:00")]),
            WishRefusal.MENTEE_BUSY,
        ),
    ],
)
def test_a_refused_wish_names_its_reason(start, ada, grace, refusal):
    assert wish(start, ada, grace) is refusal


ZONES = (
    "Europe/Zurich",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Africa/Cairo",
)
# Weeks in which clocks change in one of these zones, and one in which none does.
EVES = [
    datetime(2026, month, day, 9, 7, tzinfo=UTC) for month, day in ((3, 5), (3, 26), (4, 2), (4, 21), (6, 9), (10, 29))
]


@st.composite
def diaries(draw, eve: datetime) -> Diary:
    def window() -> Window:
        start, end = sorted(draw(st.lists(st.integers(0, 96), min_size=2, max_size=2, unique=True)))
        clock = [f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in (start, end)]
        return Window(day=draw(st.sampled_from(WEEK)), start=clock[0], end=clock[1])

    def busy() -> Slot:
        starts_at = eve + timedelta(minutes=draw(st.integers(0, 8 * 24 * 60)))
        return Slot(starts_at, starts_at + timedelta(minutes=draw(st.integers(1, 600))))

    days = draw(st.sets(st.integers(0, 8), max_size=2))
    return Diary(
        draw(st.sampled_from(ZONES)),
        tuple(window() for _ in range(draw(st.integers(1, 12)))),
        tuple(DateRange(start=(day := eve.date() + timedelta(days=n)), end=day) for n in sorted(days)),
        tuple(busy() for _ in range(draw(st.integers(0, 3)))),
    )


def dates_of(who: Diary, slot: Slot) -> set[date]:
    zone, step = ZoneInfo(who.zone), timedelta(minutes=1)
    count = -((slot.starts_at - slot.ends_at) // step)
    return {(slot.starts_at + n * step).astimezone(zone).date() for n in range(count)}


def works_at(who: Diary, minute: datetime) -> bool:
    local = minute.astimezone(ZoneInfo(who.zone))
    clock = f"{local:%H:%M}"
    return any(w.day == WEEK[local.weekday()] and w.start <= clock < w.end for w in who.windows) and not any(
        off.start <= local.date() <= off.end for off in who.unavailable
    )


def oracle(ada: Diary, grace: Diary, after: datetime, minutes: int) -> Slot | None:
    """Minute by minute, from the words of the rule alone."""
    step, both = timedelta(minutes=1), (ada, grace)
    today = {who.zone: after.astimezone(ZoneInfo(who.zone)).date() for who in both}
    end = today[ada.zone] + timedelta(days=7)
    start, good = after.replace(minute=0, second=0, microsecond=0), {}
    for n in range(10 * 24 * 60):
        minute = start + n * step
        good[minute] = (
            all(
                works_at(who, minute)
                and minute.astimezone(ZoneInfo(who.zone)).date() > today[who.zone]
                and not any(slot.starts_at < minute + step and minute < slot.ends_at for slot in who.busy)
                for who in both
            )
            and minute.astimezone(ZoneInfo(ada.zone)).date() <= end
        )
    fits = [
        Slot(minute, minute + minutes * step)
        for minute in good
        if minute.minute % 15 == 0 and all(good.get(minute + n * step, False) for n in range(minutes))
    ]
    taken = [{day for slot in who.busy for day in dates_of(who, slot)} for who in both]
    spread = [s for s in fits if not any(dates_of(w, s) & days for w, days in zip(both, taken, strict=True))]
    return next(iter(spread or fits), None)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from(EVES), st.sampled_from((15, 45, 60, 120)))
def test_the_slot_is_the_one_that_a_search_minute_by_minute_finds(data, eve, minutes):
    ada, grace = data.draw(diaries(eve)), data.draw(diaries(eve))

    slot = first(ada, grace, eve, minutes, horizon_weeks=1)

    expected = oracle(ada, grace, eve, minutes)
    assert slot == expected if expected else isinstance(slot, NoSlot)


def suits(who: Diary, slot: Slot, after: datetime) -> bool:
    minutes = [slot.starts_at + timedelta(minutes=n) for n in range((slot.ends_at - slot.starts_at).seconds // 60)]
    zone = ZoneInfo(who.zone)
    return (
        all(works_at(who, minute) for minute in minutes)
        and not any(busy.starts_at < slot.ends_at and slot.starts_at < busy.ends_at for busy in who.busy)
        and slot.starts_at.astimezone(zone).date() > after.astimezone(zone).date()
    )


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(EVES), st.integers(0, 96), st.sampled_from((7, 10, 14)))
def test_the_next_slot_of_a_series_suits_both_and_keeps_the_clock_when_it_can(data, eve, quarters, cadence):
    ada, grace = data.draw(diaries(eve)), data.draw(diaries(eve))
    previous = eve.replace(minute=0) + timedelta(minutes=15 * quarters)

    slot = next_slot_after(previous, ada, grace, cadence_days=cadence, minutes=45, after=eve, horizon_weeks=2)

    local = previous.astimezone(ZoneInfo(ada.zone)).replace(tzinfo=None) + timedelta(days=cadence)
    same_clock = meeting(local.replace(tzinfo=ZoneInfo(ada.zone)).isoformat(), 45)
    exists = same_clock.starts_at.astimezone(ZoneInfo(ada.zone)).replace(tzinfo=None) == local
    spread = not any(dates_of(w, same_clock) & dates_of(w, busy) for w in (ada, grace) for busy in w.busy)
    if exists and spread and suits(ada, same_clock, eve) and suits(grace, same_clock, eve):
        assert slot == same_clock
    elif isinstance(slot, Slot):
        assert suits(ada, slot, eve)
        assert suits(grace, slot, eve)
        assert slot.starts_at.astimezone(ZoneInfo(ada.zone)).date() >= local.date()
        assert slot.starts_at.minute % 15 == 0


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(EVES), st.integers(1, 8 * 96))
def test_a_wish_is_taken_exactly_when_it_suits_both(data, eve, quarters):
    ada, grace = data.draw(diaries(eve)), data.draw(diaries(eve))
    wished = Slot(start := eve.replace(minute=0) + timedelta(minutes=15 * quarters), start + timedelta(minutes=30))
    yesterday = eve - timedelta(days=3)

    answer = check_wish(ada, grace, wished.starts_at, minutes=30, after=eve)

    assert (answer == wished) == (suits(ada, wished, yesterday) and suits(grace, wished, yesterday))
