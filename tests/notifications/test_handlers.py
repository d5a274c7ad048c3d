from datetime import timedelta
from itertools import permutations

import pytest

from libs.chassis.words import Erased
from libs.contracts.events import NotificationFailed, ParticipantEnrolled, ParticipantWithdrawn, ProgramPublished
from libs.contracts.parts import Answer
from libs.contracts.policy import QuietHours
from libs.contracts.words import ProgramState, Role
from services.notifications.commands import ReportBounce, SetPreferences
from services.notifications.rules.notices import OFFICE
from services.notifications.store.notices import NoticeState
from services.notifications.store.people import Person, Preferences
from services.notifications.work import Fate
from tests.notifications.mailroom import Mailroom, is_busy, knows_nobody, states
from tests.notifications.people import (
    DAY,
    HOUR,
    NOON,
    at_risk,
    cancelled,
    completed,
    enrolled,
    missed,
    pair_created,
    pair_ended,
    program,
    scheduled,
    withdrawn,
)

ADA, GRACE = enrolled("Ada"), enrolled("Grace", role=Role.MENTEE)
KNOWN = (program(), ADA, GRACE)
STARTS_AT = NOON + 7 * DAY


def mailroom(*facts: object) -> Mailroom:
    """A programme in which Ada and Grace were welcomed, and what comes then."""
    room = Mailroom().hear(*KNOWN).work()
    room.said.clear()
    room.mails.clear()
    return room.hear(*facts).work()


@pytest.mark.parametrize(
    ("facts", "template"),
    [
        ([pair_created()], "pair_created"),
        ([scheduled()], "session_scheduled"),
        ([scheduled(2)], "session_moved"),
        ([cancelled()], "session_cancelled"),
        ([completed()], "session_completed"),
        ([pair_ended("completed")], "thank_you"),
        ([pair_ended("requested")], "pair_ended"),
    ],
)
def test_both_sides_are_told_once_of_a_fact_that_comes_twice(facts, template):
    room = mailroom(*facts, *facts).hear(*facts).work()

    assert (room.told("ada"), room.told("grace")) == ([template], [template])
    assert len({mail["Message-ID"] for mail in room.mails}) == len(room.mails) == 2


def test_the_first_profile_is_welcomed_and_a_newer_one_is_not():
    room = Mailroom().hear(program(), ADA, enrolled("Ada", revision=2), ADA).work()

    assert room.told("ada") == ["welcome"]
    assert room.said[0].about.topic == "participant-enrolled"


def test_a_mail_goes_to_the_newest_address_whatever_order_the_profiles_came_in():
    room = Mailroom().hear(enrolled("Ada", revision=3, email="new@engines.invalid"), program(), ADA).work()

    assert [str(mail["To"]) for mail in room.mails] == ["Ada <new@engines.invalid>"]


def test_a_profile_of_another_source_is_refused_and_so_is_other_content_under_one_revision():
    world = Mailroom().hear(ADA).world

    assert world.when(enrolled("Ada", revision=2), at=NOON, source="/other").refused.reason == "not_owner"
    assert world.when(enrolled("Ada", email="other@engines.invalid"), at=NOON).refused.reason == "conflict"


def test_warning_signs_go_to_the_office():
    room = mailroom(at_risk(), at_risk())

    assert room.told(OFFICE) == ["at_risk"]
    assert "office@engines.invalid" in room.mails[0]["To"]


def test_without_an_office_address_a_warning_sign_is_only_listed():
    room = Mailroom().hear(program(office_email=None), at_risk()).work()

    assert (room.mails, states(room, OFFICE)) == ([], {"at_risk": NoticeState.DROPPED})


def test_only_who_has_not_answered_is_asked_and_only_once():
    room = mailroom(completed(2, mentor=Answer(rating=5, comment="secret")), completed(3, mentor=Answer(rating=4)))

    assert (room.told("ada"), room.told("grace")) == ([], ["session_completed"])


def test_who_answers_before_the_question_is_sent_is_not_asked():
    ada, both = completed(2, mentee=Answer(rating=4)), completed(3, mentee=Answer(rating=4), mentor=Answer(rating=5))
    room = mailroom().hear(ada, both).work()

    assert (room.told("ada"), room.told("grace")) == ([], [])


def test_an_erased_programme_names_no_organizer_and_no_office_and_only_tells_its_endings():
    room = mailroom(pair_created(), Erased(ProgramPublished, "reverse"), at_risk(), pair_ended("program_closed"))

    assert room.told("ada") == ["pair_ended"]
    assert room.told(OFFICE) == []
    assert "office@engines" not in str(room.world.rows)
    assert room.hear(program(), enrolled("Mina")).work().told("mina") == ["welcome"]


def test_what_people_said_about_a_session_is_not_kept():
    room = Mailroom().hear(*KNOWN, completed(2, mentor=Answer(rating=5, comment="secret")))

    assert "secret" not in str(room.world.rows)


@pytest.mark.parametrize("facts", list(permutations([program(), ADA, GRACE, pair_created()])))
def test_nobody_misses_a_mail_whatever_fact_comes_first(facts):
    room = Mailroom().hear(*facts).work(NOON + HOUR)

    assert sorted(room.told("ada")) == sorted(room.told("grace")) == ["pair_created", "welcome"]


@pytest.mark.parametrize("facts", list(permutations([scheduled(1), scheduled(2, NOON + 8 * DAY), cancelled(3)])))
def test_sessions_in_any_order_end_with_the_last_word(facts):
    room = mailroom().hear(*facts).work(NOON + 9 * DAY)

    assert room.told("ada") == ["session_cancelled"]


def test_a_reminder_follows_its_session_to_the_new_time():
    room = mailroom(scheduled(1), scheduled(2, STARTS_AT + DAY))
    room.said.clear()

    assert room.work(STARTS_AT).told("ada") == ["session_reminder"]
    assert room.work(STARTS_AT + 2 * DAY).told("ada") == ["session_reminder"]
    assert room.notices("ada")["session_reminder"].told.revision == 2


@pytest.mark.parametrize("change", [cancelled(), completed(), missed(), pair_ended("requested")])
def test_nobody_is_reminded_of_a_session_that_is_off(change):
    room = mailroom(scheduled()).hear(change, at=NOON + HOUR).work(STARTS_AT + DAY)

    assert "session_reminder" not in room.told("ada")


def test_reminders_wait_for_the_programme_that_says_when():
    room = Mailroom().hear(ADA, GRACE, scheduled()).work(NOON + timedelta(minutes=1))

    assert room.hear(program(), at=NOON + HOUR).work(STARTS_AT).told("ada")[-1] == "session_reminder"


@pytest.mark.parametrize("facts", list(permutations([withdrawn("Ada"), ADA, pair_created()])))
def test_who_left_hears_nothing_in_whatever_order(facts):
    room = Mailroom().hear(program(), GRACE, *facts).work(NOON + HOUR)

    assert room.told("ada") == []


def test_who_comes_back_is_welcomed_again():
    room = Mailroom().hear(*KNOWN).work().hear(withdrawn("Ada"), enrolled("Ada", 3, NOON + HOUR)).work(NOON + HOUR)

    assert room.told("ada") == ["welcome", "welcome"]


def test_a_closed_programme_only_says_its_endings():
    closed = program(2).model_copy(update={"state": ProgramState.CLOSED})
    room = mailroom(closed, pair_created(), pair_ended("program_closed"))

    assert room.told("ada") == ["pair_ended"]


@pytest.mark.parametrize("topic", [ParticipantEnrolled, ParticipantWithdrawn])
def test_an_erased_person_is_forgotten_with_all_that_was_to_be_told(topic):
    room = Mailroom().hear(*KNOWN, pair_created(), Erased(topic, "reverse/ada"), scheduled()).work()

    assert (room.told("ada"), set(states(room, "ada").values())) == ([], {NoticeState.DROPPED})
    assert "ada@engines" not in str(room.world.rows).lower()
    assert room.world.document(Person, "reverse/ada").erased


def test_the_other_side_of_an_erased_person_still_hears_that_the_pair_ended():
    room = mailroom(pair_created(), Erased(ParticipantEnrolled, "reverse/ada"), pair_ended("erased"))

    assert room.told("grace")[-1] == "pair_ended"
    assert not any("Ada" in str(mail) for mail in room.mails[-1:])


def test_a_busy_server_gets_the_same_message_again_later():
    room = Mailroom(is_busy).hear(program(), ADA).work(NOON + HOUR)
    assert states(room, "ada") == {"welcome": NoticeState.PLANNED}

    room.server = lambda mail: (Fate.SENT, "")
    room.work(NOON + 3 * HOUR)

    assert room.told("ada") == ["welcome"]
    assert room.notices("ada")["welcome"].attempts > 2


def test_a_mail_that_the_server_has_is_not_sent_again_when_its_result_was_lost():
    room = Mailroom().hear(program(), ADA)
    (later,) = room.due.values()
    room.world.rows["notices"][later.work.notification_id]["accepted_at"] = NOON

    assert room.work().mails == []
    assert room.told("ada") == ["welcome"]


def test_a_day_of_refusals_is_said_as_a_failure_with_the_servers_words():
    room = Mailroom(is_busy).hear(program(), ADA).work(NOON + 2 * DAY)

    (failed,) = room.said
    assert isinstance(failed, NotificationFailed)
    assert (failed.reason, failed.failed_at) == ("451 later", NOON + DAY)
    assert room.due == {}


def test_an_unknown_mailbox_fails_at_once():
    room = Mailroom(knows_nobody).hear(program(), ADA).work()

    assert [(said.topic, said.reason, said.attempts) for said in room.said] == [
        ("notification-failed", "550 no such mailbox", 1)
    ]


def test_a_notice_whose_facts_never_come_is_given_up_after_a_day():
    room = Mailroom().hear(ADA).work(NOON + 3 * DAY)

    assert [(said.topic, said.reason) for said in room.said] == [("notification-failed", "the programme is not known")]


def test_nothing_goes_to_an_address_that_came_back_until_there_is_another():
    room = mailroom(ReportBounce(address="ADA@engines.invalid"), pair_created())
    assert [said.topic for said in room.said if said.participant_id == "ada"] == ["notification-failed"]

    room.hear(enrolled("Ada", 2, email="ada.l@engines.invalid"), scheduled()).work()

    assert room.told("ada") == ["session_scheduled"]


def test_quiet_hours_hold_a_mail_back_in_the_persons_own_zone():
    quiet = program(quiet_hours=QuietHours(start="20:00", end="07:00"))
    tokyo = enrolled("Ada", time_zone="Asia/Tokyo")
    room = Mailroom().hear(quiet, tokyo).work(NOON + 9 * HOUR)
    assert room.told("ada") == []

    assert room.work(NOON + 10 * HOUR).told("ada") == ["welcome"]


def test_preferences_go_before_the_profile_and_are_guarded_by_their_revision():
    room = mailroom()
    wish = SetPreferences(program_id="reverse", participant_id="ada", preferences=Preferences(locale="de"), expected=0)

    assert room.world.when(wish, at=NOON).answer.body["locale"] == "de"
    assert room.world.when(wish, at=NOON).refused.status == 412
    room.hear(pair_created()).work()
    assert [str(mail["Subject"]) for mail in room.mails if "Ada" in mail["To"]] == ["Sie begleiten Grace"]


def test_every_notice_names_the_event_that_it_tells_of():
    room = mailroom(scheduled())

    assert {(said.about.topic, bool(said.about.event_id)) for said in room.said} == {("session-scheduled", True)}
