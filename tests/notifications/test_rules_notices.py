from datetime import UTC, datetime, timedelta

import pytest

from libs.contracts.events import (
    PairAtRisk,
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
)
from libs.contracts.parts import Answer, Feedback, Rationale
from libs.contracts.policy import Policy, QuietHours
from libs.contracts.profile import Consent
from services.notifications.rules.notices import OFFICE, Template, notices_about, reminders_of
from services.notifications.rules.timing import GiveUp, next_try, not_before
from services.notifications.rules.truth import Known, Meeting, MeetingState, Untrue, why_untrue

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAIR = {"pair_id": "pair-1", "program_id": "reverse", "mentor_id": "ada", "mentee_id": "grace"}
SESSION = {**PAIR, "session_id": "session-1", "revision": 1, "number": 1}


def enrolled(**more) -> ParticipantEnrolled:
    ada = {"program_id": "reverse", "participant_id": "ada", "revision": 1, "role": "mentor", "enrolled_at": NOON}
    return ParticipantEnrolled.model_construct(**{**ada, "consent": Consent(matching=True), **more})


def pair_created() -> PairCreated:
    why = Rationale(
        shared_topics=("cloud",), reciprocal_topics=(), languages=("en",), weekly_overlap_minutes=600, notes=()
    )
    return PairCreated(**PAIR, score=0.5, rationale=why, round_id="round-1", created_at=NOON)


def scheduled(revision: int = 1) -> SessionScheduled:
    starts_at = NOON + timedelta(days=1)
    return SessionScheduled(**{**SESSION, "revision": revision}, starts_at=starts_at, ends_at=starts_at + HOUR)


def cancelled() -> SessionCancelled:
    return SessionCancelled(**{**SESSION, "revision": 2}, reason="ill", cancelled_at=NOON)


def completed(revision: int = 2, mentor: Answer | None = None, mentee: Answer | None = None) -> SessionCompleted:
    return SessionCompleted(
        **{**SESSION, "revision": revision},
        started_at=NOON,
        ended_at=NOON + HOUR,
        topics=("cloud",),
        feedback=Feedback(mentor=mentor, mentee=mentee),
        series_done=False,
        completed_at=NOON + HOUR,
    )


def ended(reason: str) -> PairEnded:
    return PairEnded(**PAIR, reason=reason, ended_at=NOON)


def told(event, event_id: str = "event-1"):
    return notices_about(event, event_id, NOON)


def who_hears(event) -> list[tuple[str, Template]]:
    return [(notice.participant_id, notice.template) for notice in told(event)]


@pytest.mark.parametrize(
    ("event", "template"),
    [
        (pair_created(), Template.PAIR_CREATED),
        (scheduled(), Template.SESSION_SCHEDULED),
        (scheduled(revision=2), Template.SESSION_MOVED),
        (cancelled(), Template.SESSION_CANCELLED),
        (completed(), Template.SESSION_COMPLETED),
        (ended("requested"), Template.PAIR_ENDED),
        (ended("completed"), Template.THANK_YOU),
    ],
)
def test_both_sides_of_a_pair_are_told(event, template):
    assert who_hears(event) == [("ada", template), ("grace", template)]


def test_a_person_who_enrols_with_consent_is_welcomed():
    assert who_hears(enrolled()) == [("ada", Template.WELCOME)]
    assert who_hears(enrolled(consent=Consent())) == []


def test_a_new_revision_of_a_profile_is_no_second_welcome_but_a_return_is():
    (first,), (again,) = told(enrolled(), "event-1"), told(enrolled(revision=2), "event-2")
    (back,) = told(enrolled(revision=3, enrolled_at=NOON + HOUR), "event-3")

    assert first.notification_id == again.notification_id != back.notification_id


def test_a_warning_sign_goes_to_the_office_alone():
    event = PairAtRisk(**PAIR, sign="stalled", detail="nothing since May", since=NOON)

    assert who_hears(event) == [(OFFICE, Template.AT_RISK)]


def test_a_missed_session_is_not_rubbed_in():
    assert who_hears(SessionMissed(**SESSION, absent=(), missed_at=NOON)) == []


def test_who_has_answered_is_not_asked():
    assert who_hears(completed(mentee=Answer(rating=5))) == [("ada", Template.SESSION_COMPLETED)]


def test_a_person_is_asked_once_about_a_session_whatever_is_added_to_it():
    asked, again = told(completed(), "event-1")[0], told(completed(3, mentee=Answer(rating=5)), "event-2")[0]

    assert asked.notification_id == again.notification_id


def test_the_same_fact_gives_the_same_ids_and_each_notice_its_own():
    ids = [notice.notification_id for event_id in ("event-1", "event-2") for notice in told(scheduled(), event_id)]

    assert ids[:2] == [notice.notification_id for notice in told(scheduled(), "event-1")]
    assert len(set(ids)) == 4
    assert told(scheduled())[0].message_id == f"<{ids[0]}@viceversa.invalid>"


def test_a_notice_knows_what_it_is_about_and_who_the_other_is():
    ada, grace = told(scheduled())

    assert (ada.partner_id, grace.partner_id) == ("grace", "ada")
    assert (ada.session_id, ada.revision, ada.pair_id, ada.topic) == ("session-1", 1, "pair-1", "session-scheduled")


def test_reminders_come_as_the_policy_says_and_never_late():
    policy = Policy.model_construct(reminders=(60, 24 * 60, 7 * 24 * 60, 60))
    said_at = NOON - HOUR

    due = reminders_of(scheduled(), "event-1", said_at, policy)

    assert [(r.participant_id, r.due_at) for r in due] == [
        ("ada", NOON),
        ("grace", NOON),
        ("ada", NOON + 23 * HOUR),
        ("grace", NOON + 23 * HOUR),
    ]
    assert len({reminder.notification_id for reminder in due}) == 4


def planned(revision: int = 1, state: MeetingState = MeetingState.PLANNED) -> Known:
    return Known(meeting=Meeting(revision, state, NOON + timedelta(days=1)))


@pytest.mark.parametrize(
    ("event", "known", "why"),
    [
        (enrolled(), Known(), None),
        (enrolled(), Known(person_left=True), Untrue.PERSON_LEFT),
        (enrolled(), Known(program_closed=True), Untrue.PROGRAM_CLOSED),
        (pair_created(), Known(pair_ended=True), Untrue.PAIR_ENDED),
        (scheduled(), Known(), None),
        (scheduled(), planned(), None),
        (scheduled(), planned(2), Untrue.MOVED),
        (scheduled(2), planned(2), None),
        (scheduled(2), planned(1), None),
        (scheduled(), planned(2, MeetingState.CANCELLED), Untrue.CANCELLED),
        (scheduled(), planned(2, MeetingState.HELD), Untrue.HELD),
        (scheduled(), planned(2, MeetingState.MISSED), Untrue.MISSED),
        (cancelled(), planned(2, MeetingState.CANCELLED), None),
        (cancelled(), planned(3, MeetingState.HELD), Untrue.HELD),
        (cancelled(), Known(pair_ended=True, program_closed=True), None),
        (completed(), Known(pair_ended=True), None),
        (ended("program_closed"), Known(pair_ended=True, program_closed=True), None),
        (ended("withdrawn"), Known(pair_ended=True, person_left=True), Untrue.PERSON_LEFT),
    ],
)
def test_nobody_is_told_what_is_untrue_by_now(event, known, why):
    assert why_untrue(told(event)[0], known, NOON) == why


def test_a_plan_is_not_told_once_the_meeting_has_begun():
    assert why_untrue(told(scheduled())[0], planned(), NOON + timedelta(days=1)) is Untrue.PAST


def test_a_reminder_of_a_moved_meeting_is_not_sent():
    reminder = reminders_of(scheduled(), "event-1", NOON, Policy.model_construct(reminders=(60,)))[0]

    assert why_untrue(reminder, planned(), NOON) is None
    assert why_untrue(reminder, planned(2), NOON) is Untrue.MOVED


NIGHT = QuietHours(start="20:00", end="07:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "zone", "quiet", "told_at"),
    [
        ("2026-03-02T12:00+00:00", "Europe/Zurich", None, "2026-03-02T12:00+00:00"),
        ("2026-03-02T12:00+00:00", "Europe/Zurich", NIGHT, "2026-03-02T12:00+00:00"),
        ("2026-03-02T12:00+00:00", "Asia/Tokyo", NIGHT, "2026-03-03T07:00+09:00"),
        ("2026-03-02T21:00+01:00", "Europe/Zurich", NIGHT, "2026-03-03T07:00+01:00"),
        ("2026-03-03T06:59+01:00", "Europe/Zurich", NIGHT, "2026-03-03T07:00+01:00"),
        ("2026-03-03T07:00+01:00", "Europe/Zurich", NIGHT, "2026-03-03T07:00+01:00"),
        ("2026-03-02T12:30+01:00", "Europe/Zurich", QuietHours(start="12:00", end="13:00"), "2026-03-02T13:00+01:00"),
        ("2026-03-02T23:00+01:00", "Europe/Zurich", QuietHours(start="20:00", end="24:00"), "2026-03-03T00:00+01:00"),
        # The clocks change in the night: the quiet time is an hour shorter, or longer.
        ("2026-03-28T21:00+01:00", "Europe/Zurich", NIGHT, "2026-03-29T07:00+02:00"),
        ("2026-10-24T21:00+02:00", "Europe/Zurich", NIGHT, "2026-10-25T07:00+01:00"),
        ("2026-10-25T02:15+01:00", "Europe/Zurich", QuietHours(start="20:00", end="02:30"), "2026-10-25T02:15+01:00"),
    ],
)
def test_people_are_told_outside_their_quiet_hours(now, zone, quiet, told_at):
    assert not_before(at(now), zone, quiet) == at(told_at)


def test_a_meeting_early_in_the_morning_cannot_wait_for_the_end_of_the_night():
    now = at("2026-03-02T23:00+01:00")

    assert not_before(now, "Europe/Zurich", NIGHT, at("2026-03-03T09:00+01:00")) == now
    assert not_before(now, "Europe/Zurich", NIGHT, at("2026-03-03T15:00+01:00")) == at("2026-03-03T07:00+01:00")


def test_a_refused_notice_is_tried_at_growing_intervals_for_a_day_and_then_given_up():
    now, tries = NOON, []
    while not isinstance(answer := next_try("notice-1", len(tries) + 1, NOON, now), GiveUp):
        tries.append(answer - now)
        now = answer

    assert answer == GiveUp(len(tries) + 1)
    assert now == NOON + timedelta(days=1)
    assert timedelta(seconds=15) <= tries[0] <= timedelta(seconds=30)
    assert max(tries) <= HOUR
    assert 24 < len(tries) < 60


def test_notices_refused_together_come_back_apart():
    assert len({next_try(f"notice-{n}", 3, NOON, NOON) for n in range(50)}) == 50
    assert next_try("notice-1", 3, NOON, NOON) == next_try("notice-1", 3, NOON, NOON)
