from datetime import UTC, datetime

from libs.contracts.policy import Policy
from services.scheduling.rules.series import Fate, Series, becomes_at_risk, no_show_at, series_of

HELD, CANCELLED, MISSED = Fate.HELD, Fate.CANCELLED, Fate.MISSED


def test_the_first_meeting_has_number_one():
    assert Series(sessions_per_pair=3).number == 1


def test_what_replaces_a_lost_meeting_keeps_its_number():
    assert series_of([HELD, CANCELLED], 3).number == 2
    assert series_of([HELD, MISSED, HELD], 3).number == 3


def test_the_series_is_done_when_all_meetings_were_held():
    assert not series_of([HELD, MISSED, CANCELLED], 2).done
    assert series_of([HELD, MISSED, HELD], 2).done


def test_two_lost_meetings_in_a_row_are_a_warning_sign():
    assert not series_of([CANCELLED, HELD, MISSED], 5).at_risk
    assert series_of([HELD, CANCELLED, MISSED], 5).at_risk


def test_a_losing_streak_warns_once_and_again_only_after_a_meeting_was_held():
    warned = [becomes_at_risk(series_of(fates, 9), CANCELLED) for fates in ([], [MISSED], [MISSED, MISSED])]

    assert warned == [False, True, False]
    assert becomes_at_risk(series_of([MISSED, MISSED, HELD, MISSED], 9), MISSED)


def test_a_held_meeting_never_warns():
    assert not becomes_at_risk(series_of([MISSED], 9), HELD)


def test_a_missed_meeting_that_turns_out_held_is_counted_again_from_the_start():
    assert series_of([MISSED, MISSED], 5).at_risk
    assert series_of([HELD, MISSED], 5) == Series(5, held=1, lost_in_a_row=1)


def test_nobody_confirmed_counts_after_the_grace_period_of_the_policy():
    ends_at = datetime(2026, 3, 3, 10, tzinfo=UTC)

    assert no_show_at(ends_at, Policy.model_construct(grace_minutes=90)) == datetime(2026, 3, 3, 11, 30, tzinfo=UTC)
    assert no_show_at(ends_at, Policy.model_construct()) == datetime(2026, 3, 4, 10, tzinfo=UTC)
