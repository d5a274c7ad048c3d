"""Common working hours over a real week, against a count that walks through it minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.words import Day
from services.matching.rules.working_hours import overlap_minutes, overlaps, reference_week, weekly_slots
from tests.matching.rules_people import hours, mentee, mentor

WINTER, SPRING = date(2026, 3, 2), date(2026, 3, 9)  # New York changes its clocks on 8 March, Zurich on 29 March
ZONES = (
    "Europe/Zurich",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)


def quarters_at_work(person: ParticipantEnrolled, monday: date, zone: str) -> list[bool]:
    """Without the vectorised code: is every minute of the quarter, as the person's wall clock shows it, in a window?"""
    start, end = (
        datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in (monday, monday + timedelta(days=7))
    )
    instants = [start + timedelta(minutes=15 * quarter) for quarter in range((end - start) // timedelta(minutes=15))]
    return [
        all(is_at_work(person, instant + timedelta(minutes=minute)) for minute in range(15)) for instant in instants
    ]


def is_at_work(person: ParticipantEnrolled, instant: datetime) -> bool:
    clock = instant.astimezone(ZoneInfo(person.time_zone))
    day, shown = list(Day)[clock.weekday()], f"{clock:%H:%M}"
    return any(window.day is day and window.start <= shown < window.end for window in person.availability)


windows = st.tuples(
    st.sampled_from([day.value for day in Day]),
    *(2 * [st.integers(0, 24 * 12).map(lambda fives: f"{fives // 12:02}:{fives % 12 * 5:02}")]),
).filter(lambda window: window[1] < window[2])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(windows, max_size=6),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.sampled_from([WINTER, date(2026, 3, 23), date(2026, 10, 19), date(2026, 3, 30)]),
)
def test_the_slots_are_those_of_a_walk_through_the_week(
    given_windows: list[tuple[str, str, str]], own_zone: str, zone: str, monday: date
) -> None:
    availability = [{"day": day, "start": start, "end": end} for day, start, end in given_windows]
    ada = mentor("Ada", availability=availability, time_zone=own_zone)

    assert weekly_slots(ada, monday, zone).tolist() == quarters_at_work(ada, monday, zone)


@pytest.mark.parametrize(("monday", "minutes"), [(WINTER, 5 * 120), (SPRING, 5 * 180), (date(2026, 3, 30), 5 * 120)])
def test_zurich_and_new_york_share_an_hour_more_while_only_one_has_changed_its_clocks(
    monday: date, minutes: int
) -> None:
    ada = mentor("Ada", time_zone="Europe/Zurich", availability=hours("09:00", "17:00"))
    grace = mentee("Grace", time_zone="America/New_York", availability=hours("09:00", "17:00"))
    assert overlap_minutes(ada, grace, monday, "Europe/Zurich") == minutes


def test_in_autumn_zurich_changes_first() -> None:
    ada, grace = mentor("Ada", time_zone="Europe/Zurich"), mentee("Grace", time_zone="America/New_York")
    found = [overlap_minutes(ada, grace, date(2026, 10, day), "UTC") for day in (19, 26)]
    assert found == [5 * 120, 5 * 180]


def test_a_week_of_a_clock_change_is_an_hour_longer_or_shorter() -> None:
    ada = mentor("Ada", availability=hours("00:00", "24:00", tuple(Day)))
    weeks = [date(2026, 3, 23), date(2026, 3, 30), date(2026, 10, 19)]
    assert [weekly_slots(ada, monday, "Europe/Zurich").sum() for monday in weeks] == [668, 672, 676]


def test_sunday_night_in_los_angeles_meets_monday_morning_in_tokyo() -> None:
    ada = mentor("Ada", time_zone="America/Los_Angeles", availability=hours("16:00", "18:00", ("sun",)))
    grace = mentee("Grace", time_zone="Asia/Tokyo", availability=hours("10:00", "12:00", ("mon",)))
    for zone in ("Asia/Tokyo", "America/Los_Angeles", "UTC"):
        assert overlap_minutes(ada, grace, date(2026, 1, 12), zone) == 60


def test_all_overlaps_at_once_are_those_of_each_two() -> None:
    ada, lin = mentor("Ada", availability=hours("07:30", "12:10")), mentor("Lin", time_zone="Asia/Kathmandu")
    grace, mina = mentee("Grace", time_zone="America/New_York"), mentee("Mina", availability=[])
    slots = [[weekly_slots(p, WINTER, "UTC") for p in side] for side in ((ada, lin), (grace, mina))]
    expected = [[overlap_minutes(one, other, WINTER, "UTC") for other in (grace, mina)] for one in (ada, lin)]
    assert overlaps(*slots).tolist() == expected


@pytest.mark.parametrize(
    ("now", "zone", "monday"),
    [
        (datetime(2026, 3, 4, 9, tzinfo=UTC), "Europe/Zurich", date(2026, 3, 9)),
        (datetime(2026, 3, 8, 23, 30, tzinfo=UTC), "Europe/Zurich", date(2026, 3, 16)),
        (datetime(2026, 3, 8, 23, 30, tzinfo=UTC), "UTC", date(2026, 3, 9)),
    ],
)
def test_the_reference_week_is_the_first_whole_one_to_come(now: datetime, zone: str, monday: date) -> None:
    assert reference_week(now, zone) == monday
