from itertools import permutations

import pytest

from libs.chassis.words import Erased
from libs.contracts.events import (
    PairAtRisk,
    ParticipantEnrolled,
    ParticipantWithdrawn,
    ProgramPublished,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
)
from services.scheduling.app import service
from services.scheduling.commands import CancelSession, CompleteSession, ConfirmSession, MarkAbsent, MoveSession
from services.scheduling.store.pairs import Pair
from services.scheduling.store.people import Diary, Person
from services.scheduling.store.sessions import Session
from services.scheduling.work import LookAgain, NoShowCheck
from tests.given import Given, given
from tests.scheduling.journeys import MONDAY, PROGRAM, days, pair_created, pair_ended, person, program, time, withdrawn

FIRST = "ada-grace.1"


def world(*messages: object, at: str = MONDAY) -> Given:
    """A world in which these facts became known."""
    scheduling = given(service)
    for message in messages:
        scheduling.when(message, at=at)
    return scheduling


def a_pair(**policy) -> Given:
    """Ada and Grace with their first session on Tuesday at nine in Zurich."""
    return world(program(**policy), person("Ada"), person("Grace"), pair_created())


def facts(outcome) -> list:
    return [said.event for said in outcome.facts]


def kinds(outcome) -> list[type]:
    return [type(fact) for fact in facts(outcome)]


def stored(scheduling: Given) -> dict:
    """All that is stored, but for what only counts writes and facts, and ids put aside."""
    return {
        collection: {
            id: {name: value for name, value in row.items() if name not in ("version", "said", "planned_at")}
            for id, row in rows.items()
            if row.get("state") != "unplanned"
        }
        for collection, rows in scheduling.rows.items()
    }


def completed(by="mentor", session=FIRST, **more) -> CompleteSession:
    return CompleteSession(session_id=session, by=by, **more)


def test_a_new_pair_meets_at_the_earliest_slot_from_the_next_working_day_on():
    scheduling = world(program(), person("Ada"), person("Grace", hours="10:00-12:00"))

    outcome = scheduling.when(pair_created(), at=MONDAY)

    (session,) = facts(outcome)
    assert (session.session_id, session.number, session.revision) == (FIRST, 1, 1)
    assert session.starts_at == time("2026-03-03T10:00+01:00")
    (check,) = outcome.later
    assert (check.work, check.at) == (NoShowCheck(session_id=FIRST, revision=1), time("2026-03-05T10:00Z"))


def test_a_pair_without_a_common_slot_is_a_warning_not_silence():
    scheduling = world(program(), person("Ada", zone="Asia/Tokyo"), person("Grace", zone="America/New_York"))

    outcome = scheduling.when(pair_created(), at=MONDAY)

    (sign,) = facts(outcome)
    assert (sign.sign, sign.detail) == ("no_common_slot", "working hours never overlap in 8 weeks")
    assert scheduling.document(Pair, "ada-grace").at_risk
    assert [later.work for later in outcome.later] == [LookAgain(pair_id="ada-grace")]


ARRIVALS = [program(), person("Ada"), person("Grace"), pair_created()]


@pytest.mark.parametrize("order", list(permutations(ARRIVALS)), ids=str)
def test_the_first_session_does_not_hang_on_the_order_of_arrival(order):
    scheduling = given(service)

    said = [fact for message in order for fact in facts(scheduling.when(message, at=MONDAY))]

    assert [type(fact) for fact in said] == [SessionScheduled]
    assert stored(scheduling) == stored(a_pair())


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("order", list(permutations(ARRIVALS)), ids=str)
def test_a_pair_that_ended_has_no_planned_session_wherever_its_end_arrives(order, place):
    scheduling = given(service)
    messages = [*order[:place], pair_ended(), *order[place:]]

    said = [type(fact) for message in messages for fact in facts(scheduling.when(message, at=MONDAY))]

    assert said in ([], [SessionScheduled, SessionCancelled])
    assert not scheduling.document(Pair, "ada-grace").session_id
    for key in (f"{PROGRAM}/ada", f"{PROGRAM}/grace"):
        assert scheduling.document(Diary, key).meetings == []
        assert scheduling.document(Diary, key).waiting == []


def test_a_pair_that_comes_with_its_profile_only_later_waits_for_it():
    scheduling = world(program(), person("Ada"), pair_created())

    assert facts(scheduling.when(withdrawn("Grace", "2026-01-05T08:00:00Z"), at=MONDAY)) == []
    assert kinds(scheduling.when(person("Grace"), at=MONDAY)) == [SessionScheduled]


@pytest.mark.parametrize("known", [[], [program()], [program(), person("Ada")], [person("Ada"), person("Grace")]])
def test_a_pair_that_misses_a_profile_or_its_programme_for_a_week_is_a_warning_until_it_comes(known):
    scheduling = world(*known)
    first = scheduling.when(pair_created(), at=MONDAY)
    (look,) = first.later

    (stalled,) = facts(scheduling.when(look.work, at=look.at))
    again = scheduling.when(look.work, at=look.at + days(7))
    for missing in (program(), person("Ada"), person("Grace")):
        scheduling.when(missing, at=look.at + days(8))

    assert (facts(first), look.at - time(MONDAY)) == ([], days(7))
    assert (stalled.sign, facts(again)) == ("stalled", [])
    assert not scheduling.document(Pair, "ada-grace").at_risk


def test_new_hours_give_a_time_to_a_pair_that_had_none_and_end_the_warning():
    scheduling = world(program(), person("Ada", days=("mon",)), person("Grace", days=("fri",)), pair_created())
    assert scheduling.document(Pair, "ada-grace").at_risk

    (session,) = facts(scheduling.when(person("Grace", revision=2), at=MONDAY))

    assert session.starts_at == time("2026-03-09T09:00+01:00")
    assert not scheduling.document(Pair, "ada-grace").at_risk


def test_a_pair_without_a_slot_is_looked_at_again_and_warned_of_once():
    scheduling = world(program(), person("Ada", days=("mon",)), person("Grace", days=("fri",)), pair_created())

    outcome = scheduling.when(LookAgain(pair_id="ada-grace"), at="2026-03-09T09:00Z")

    assert facts(outcome) == []
    assert [later.at for later in outcome.later] == [time("2026-03-16T09:00Z")]


def test_an_older_profile_or_policy_changes_nothing():
    scheduling = world(program(2, sessions=5), person("Ada", revision=3), person("Grace"), pair_created())
    before = stored(scheduling)

    for older in (program(1, sessions=2), program(2, sessions=2), person("Ada", revision=2, hours="12:00-13:00")):
        assert facts(scheduling.when(older, at=MONDAY)) == []

    assert stored(scheduling) == before


def test_a_profile_of_another_source_is_refused_and_so_is_other_content_under_one_revision():
    scheduling = world(program(), person("Ada"))

    stranger = scheduling.when(person("Ada", revision=2, hours="12:00-13:00"), at=MONDAY, source="/other")
    contradiction = scheduling.when(person("Ada", hours="12:00-13:00"), at=MONDAY)
    scheduling.when(Erased(ParticipantEnrolled, f"{PROGRAM}/ada"), at=MONDAY)
    fresh = scheduling.when(person("Ada"), at=MONDAY, source="/other")

    assert [stranger.refused.reason, contradiction.refused.reason, fresh.refused] == ["not_owner", "conflict", None]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_withdrawal_holds_until_a_later_enrolment_whatever_comes_first(order):
    messages = [
        person("Ada"),
        withdrawn("Ada", "2026-02-10T08:00:00Z"),
        person("Ada", revision=2, at="2026-02-20T08:00:00Z"),
    ]

    scheduling = world(program(), person("Grace"), *(messages[index] for index in order))

    assert scheduling.document(Person, f"{PROGRAM}/ada").active
    assert kinds(scheduling.when(pair_created(), at=MONDAY)) == [SessionScheduled]


def test_nothing_is_planned_with_somebody_who_left():
    scheduling = world(program(), person("Ada"), person("Grace"), withdrawn("Ada", "2026-02-10T08:00:00Z"))

    assert facts(scheduling.when(pair_created(), at=MONDAY)) == []
    assert kinds(scheduling.when(person("Ada", revision=2, at="2026-02-20T08:00:00Z"), at=MONDAY)) == [SessionScheduled]


def test_two_pairs_of_one_person_never_meet_at_the_same_time_nor_on_one_day():
    scheduling = world(program(), person("Ada"), person("Grace"), person("Mina"))

    (grace,) = facts(scheduling.when(pair_created("Ada", "Grace"), at=MONDAY))
    (mina,) = facts(scheduling.when(pair_created("Ada", "Mina"), at=MONDAY))

    assert (grace.starts_at, mina.starts_at) == (time("2026-03-03T09:00+01:00"), time("2026-03-04T09:00+01:00"))


def test_two_pairs_that_waited_for_one_profile_get_two_times():
    scheduling = world(program(), person("Grace"), person("Mina"), pair_created("Ada", "Grace"))
    scheduling.when(pair_created("Ada", "Mina"), at=MONDAY)

    grace, mina = facts(scheduling.when(person("Ada", days=("tue",)), at=MONDAY))

    assert mina.starts_at - grace.starts_at == days(7)


def test_a_series_keeps_its_rhythm_by_the_local_clock_and_ends():
    scheduling = a_pair(sessions=3, cadence=28)

    held, second = facts(scheduling.when(completed(), at="2026-03-03T10:00Z"))
    assert (held.number, held.series_done, held.revision) == (1, False, 2)
    assert (second.session_id, second.number) == ("ada-grace.2", 2)
    # Clocks change on 29 March
    assert second.starts_at == time("2026-03-31T09:00+02:00")

    _, third = facts(scheduling.when(completed(session="ada-grace.2"), at="2026-03-31T10:00Z"))
    (last,) = facts(scheduling.when(completed(session=third.session_id), at="2026-04-28T10:00Z"))

    assert (last.number, last.series_done) == (3, True)
    assert scheduling.document(Pair, "ada-grace").series_done


def test_a_meeting_may_be_held_before_its_time_and_frees_that_time():
    scheduling = a_pair()

    held, second = facts(scheduling.when(completed(), at="2026-03-02T15:00Z"))

    assert held.started_at == held.ended_at == time("2026-03-02T15:00Z")
    assert second.starts_at == time("2026-03-24T09:00+01:00")
    meetings = scheduling.document(Diary, f"{PROGRAM}/ada").meetings
    assert [meeting.session_id for meeting in meetings] == ["ada-grace.2"]


def test_both_sides_answer_and_the_same_answer_is_no_new_fact():
    scheduling = a_pair(sessions=1)
    scheduling.when(completed("mentor", rating=5, topics=("generative-ai",)), at="2026-03-03T09:30Z")
    scheduling.when(pair_ended(reason="completed"), at="2026-03-03T09:31Z")
    answer = completed("mentee", rating=4, comment="More!", topics=("generative-ai", "social-media"))

    (both,) = facts(scheduling.when(answer, at="2026-03-03T12:00Z"))

    assert both.revision == 3
    assert both.topics == ("generative-ai", "social-media")
    assert (both.feedback.mentor.rating, both.feedback.mentee.comment) == (5, "More!")
    assert (both.started_at, both.completed_at) == (time("2026-03-03T08:00Z"), time("2026-03-03T09:30Z"))
    assert facts(scheduling.when(answer, at="2026-03-03T13:00Z")) == []


def test_a_confirmation_before_the_meeting_is_kept_and_after_it_is_a_word_that_it_was_held():
    scheduling = a_pair()

    before = scheduling.when(ConfirmSession(session_id=FIRST, by="mentee"), at=MONDAY)
    after = scheduling.when(ConfirmSession(session_id=FIRST, by="mentee"), at="2026-03-03T10:00Z")

    assert facts(before) == []
    assert before.answer.body["confirmed_by"] == ["mentee"]
    assert kinds(after) == [SessionCompleted, SessionScheduled]


def test_a_meeting_without_a_word_is_missed_and_replaced_under_its_number():
    scheduling = a_pair()

    missed, again = facts(scheduling.when(NoShowCheck(session_id=FIRST, revision=1), at="2026-03-05T10:00Z"))

    assert (missed.number, missed.absent, missed.revision) == (1, (), 2)
    assert (again.session_id, again.number) == ("ada-grace.2", 1)
    assert again.starts_at == time("2026-03-06T09:00+01:00")


@pytest.mark.parametrize(
    "word",
    [completed(), MoveSession(session_id=FIRST), CancelSession(session_id=FIRST, reason="ill")],
    ids=["held", "moved", "cancelled"],
)
def test_nobody_misses_a_meeting_that_was_decided_or_moved_meanwhile(word):
    scheduling = a_pair()
    scheduling.when(word, at=MONDAY)

    assert facts(scheduling.when(NoShowCheck(session_id=FIRST, revision=1), at="2026-03-05T10:00Z")) == []


def test_what_replaces_a_cancelled_meeting_is_on_a_later_day_and_frees_the_time():
    scheduling = a_pair()

    cancelled, again = facts(scheduling.when(CancelSession(session_id=FIRST, reason="ill"), at=MONDAY))

    assert (cancelled.reason, cancelled.number, again.number) == ("ill", 1, 1)
    assert again.starts_at == time("2026-03-04T09:00+01:00")
    assert len(scheduling.document(Diary, f"{PROGRAM}/grace").meetings) == 1


def test_two_lost_meetings_in_a_row_are_a_warning_that_a_meeting_ends():
    scheduling = a_pair()

    assert PairAtRisk not in kinds(scheduling.when(CancelSession(session_id=FIRST, reason="ill"), at=MONDAY))
    begun = "2026-03-04T08:00Z"
    lost, sign, _ = facts(scheduling.when(MarkAbsent(session_id="ada-grace.2", absent=("mentee",)), at=begun))
    third = scheduling.when(CancelSession(session_id="ada-grace.3", reason="ill"), at=begun)

    assert (type(lost), lost.absent) == (SessionMissed, ("mentee",))
    assert (sign.sign, sign.detail) == ("lost_in_a_row", "2 sessions lost in a row")
    assert kinds(third) == [SessionCancelled, SessionScheduled]
    scheduling.when(completed(session="ada-grace.4"), at=MONDAY)
    assert not scheduling.document(Pair, "ada-grace").at_risk


def test_nobody_misses_a_meeting_that_has_not_begun():
    scheduling = a_pair()

    outcome = scheduling.when(MarkAbsent(session_id=FIRST, absent=("mentee",)), at="2026-03-03T07:59Z")

    assert (outcome.refused.reason, outcome.refused.status) == ("not_begun", 409)
    assert kinds(scheduling.when(MarkAbsent(session_id=FIRST, absent=("mentee",)), at="2026-03-03T08:00Z"))


def test_a_wished_time_is_checked_and_taken():
    scheduling = a_pair()
    wish = MoveSession(session_id=FIRST, starts_at="2026-03-05T14:00+01:00", reason="travelling")

    outcome = scheduling.when(wish, at=MONDAY)

    (moved,) = facts(outcome)
    assert (moved.session_id, moved.revision, moved.reason) == (FIRST, 2, "travelling")
    assert moved.starts_at == time("2026-03-05T14:00+01:00")
    assert [later.work for later in outcome.later] == [NoShowCheck(session_id=FIRST, revision=2)]
    assert facts(scheduling.when(wish, at=MONDAY)) == []


def test_a_move_without_a_wish_takes_the_next_common_slot_on_a_later_day():
    (moved,) = facts(a_pair().when(MoveSession(session_id=FIRST), at=MONDAY))

    assert moved.starts_at == time("2026-03-04T09:00+01:00")


@pytest.mark.parametrize(
    ("starts_at", "reason"),
    [
        ("2026-03-02T08:00Z", "in_the_past"),
        ("2026-03-05T14:07+01:00", "off_the_quarter"),
        ("2026-03-05T18:00+01:00", "outside_mentor_hours"),
        ("2026-03-04T09:00+01:00", "mentee_busy"),
    ],
)
def test_a_wished_time_that_does_not_suit_is_refused_with_the_reason(starts_at, reason):
    scheduling = a_pair()
    for message in (person("Mina"), pair_created("Mina", "Grace")):
        scheduling.when(message, at=MONDAY)

    outcome = scheduling.when(MoveSession(session_id=FIRST, starts_at=starts_at), at=MONDAY)

    assert (outcome.refused.status, outcome.refused.reason) == (409, reason)


WISHES = [
    completed(),
    CancelSession(session_id=FIRST, reason="ill"),
    MoveSession(session_id=FIRST),
    MarkAbsent(session_id=FIRST, absent=("mentor",)),
    ConfirmSession(session_id=FIRST, by="mentor"),
]


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_wishes_about_a_meeting_that_is_over_or_unknown_change_nothing(wish):
    scheduling = a_pair()
    scheduling.when(pair_ended(), at=MONDAY)
    before = stored(scheduling)

    cancelled = scheduling.when(wish, at=MONDAY)
    unknown = scheduling.when(wish.model_copy(update={"session_id": "nobody.1"}), at=MONDAY)
    put_aside = world(program(), person("Ada", days=("mon",)), person("Grace", days=("fri",)), pair_created())

    assert (cancelled.refused.status, cancelled.refused.reason) == (409, "already_cancelled")
    assert (unknown.refused.status, unknown.refused.reason) == (404, "unknown_session")
    assert put_aside.when(wish, at=MONDAY).refused.status == 404
    assert stored(scheduling) == before


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_a_wish_about_another_revision_is_shown_the_present_state(wish):
    outcome = a_pair().when(wish.model_copy(update={"revision": 7}), at=MONDAY)

    assert outcome.refused.status == 412
    assert outcome.refused.more["present"]["revision"] == 1


def test_a_missed_meeting_is_not_completed_but_the_one_that_replaces_it_is():
    scheduling = a_pair()
    scheduling.when(NoShowCheck(session_id=FIRST, revision=1), at="2026-03-05T10:00Z")

    assert scheduling.when(completed(), at="2026-03-05T11:00Z").refused.reason == "already_missed"
    assert kinds(scheduling.when(completed(session="ada-grace.2"), at="2026-03-05T11:00Z"))[0] is SessionCompleted


def test_a_meeting_that_has_begun_when_its_pair_ends_may_still_be_told_of():
    scheduling = a_pair()

    assert facts(scheduling.when(pair_ended(), at="2026-03-03T08:30Z")) == []
    assert kinds(scheduling.when(completed(), at="2026-03-03T10:00Z")) == [SessionCompleted]


def test_a_shortened_policy_ends_the_series_at_the_meeting_under_way():
    scheduling = a_pair(sessions=5)
    scheduling.when(program(2, sessions=1), at=MONDAY)

    (held,) = facts(scheduling.when(completed(), at="2026-03-03T10:00Z"))

    assert held.series_done


@pytest.mark.parametrize("topic", [ParticipantEnrolled, ParticipantWithdrawn])
def test_an_erased_person_leaves_no_profile_no_diary_and_no_words(topic):
    scheduling = a_pair()
    scheduling.when(completed("mentee", rating=2, comment="Ada was late"), at="2026-03-03T10:00Z")
    scheduling.when(completed("mentor", rating=5), at="2026-03-03T10:00Z")

    for _ in range(2):
        assert facts(scheduling.when(Erased(topic, f"{PROGRAM}/grace"), at=MONDAY)) == []

    assert scheduling.document(Person, f"{PROGRAM}/grace").profile is None
    assert scheduling.document(Diary, f"{PROGRAM}/grace").meetings == []
    feedback = scheduling.document(Session, FIRST).feedback
    assert (feedback.mentor.rating, feedback.mentee) == (5, None)
    assert kinds(scheduling.when(pair_ended(reason="erased"), at=MONDAY)) == [SessionCancelled]


def test_an_erased_programme_plans_nothing_until_it_is_published_again():
    scheduling = world(program(), person("Ada"), person("Grace"))
    scheduling.when(Erased(ProgramPublished, PROGRAM), at=MONDAY)

    assert facts(scheduling.when(pair_created(), at=MONDAY)) == []
    assert kinds(scheduling.when(program(), at=MONDAY)) == [SessionScheduled]
