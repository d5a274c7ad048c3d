"""Faults of what facts mean: effects twice, orphans, too many pairs, two meetings at once."""

from datetime import timedelta

from libs.contracts.topics import TOPICS
from tests.faults.checker.clean import day
from tests.faults.checker.evidence import Mail
from tests.faults.checker.planting import Plant, into
from tests.faults.checker.small_company import PROGRAM, SmallCompany
from tests.faults.checker.violations import Kind

PLANTS: list[Plant] = []
plant = into(PLANTS)


@plant(Kind.DOUBLED_EFFECT, "p1")
def a_pair_is_made_twice(made: SmallCompany) -> None:
    _again(made, "pair-created", "p1", "matching")


@plant(Kind.DOUBLED_EFFECT, "p2")
def a_pair_ends_twice(made: SmallCompany) -> None:
    _again(made, "pair-ended", "p2", "matching")


@plant(Kind.DOUBLED_EFFECT, "p5")
def two_people_are_a_pair_twice_over(made: SmallCompany) -> None:
    made.enrol("mina", "mentor", revision=2, capacity=2)
    made.enrol("noor", "mentee", revision=2, capacity=2)
    for pair_id, starts_at in (("p5", day(24)), ("p6", day(25))):
        made.pair(pair_id, "mina", "noor")
        made.plan(f"{pair_id}.1", 1, starts_at)


@plant(Kind.DOUBLED_EFFECT, "p2.2")
def a_meeting_is_cancelled_twice(made: SmallCompany) -> None:
    made.cancel("p2.2")


@plant(Kind.DOUBLED_EFFECT, "p2.1")
def a_revision_is_said_twice(made: SmallCompany) -> None:
    _again(made, "session-missed", "p2", "scheduling")


@plant(Kind.DOUBLED_EFFECT, "p1")
def two_meetings_of_a_pair_are_planned(made: SmallCompany) -> None:
    made.plan("p1.3", 2, day(26))


@plant(Kind.DOUBLED_EFFECT, "p1")
def a_meeting_too_many_is_held(made: SmallCompany) -> None:
    made.hold("p1.2")
    made.plan("p1.3", 3, day(25))
    made.hold("p1.3")
    made.plan("p1.4", 3, day(26))


@plant(Kind.DOUBLED_EFFECT, "n")
def a_notice_is_sent_twice(made: SmallCompany) -> None:
    _again(made, "notification-sent", "digital-2026/ada", "notifications", "people")


@plant(Kind.DOUBLED_EFFECT, "digital-2026/ada")
def one_fact_is_told_under_two_ids(made: SmallCompany) -> None:
    first = made.find("notification-sent", "digital-2026/ada").data
    made.row("notifications", "notices", "n0", state="sent", notice=None)
    made.result("n0", "digital-2026/ada", first["template"], first["about"], "sent")


@plant(Kind.DOUBLED_EFFECT, "n0")
def a_notice_is_sent_and_given_up(made: SmallCompany) -> None:
    about = {"topic": "pair-created", "event_id": made.find("pair-created", "p1").text("ce_id")}
    made.row("notifications", "notices", "n0", state="failed", notice=None)
    for state in ("sent", "failed"):
        made.result("n0", "digital-2026/ada", "reminder", about, state)


@plant(Kind.ORPHAN, "p4", "p4", "<n", "<n")
def a_pair_of_people_who_never_enrolled(made: SmallCompany) -> None:
    made.pair("p4", "mallory", "trudy")


@plant(Kind.ORPHAN, "p9.1")
def a_meeting_of_no_pair(made: SmallCompany) -> None:
    _names_a_pair(made, "p9")
    made.plan("p9.1", 1, day(25))


@plant(Kind.ORPHAN, "p9")
def an_end_without_beginning(made: SmallCompany) -> None:
    _names_a_pair(made, "p9")
    made.end("p9", "requested")
    made.row("matching", "pairs", "p9", state="")


@plant(Kind.ORPHAN, "p1")
def a_pair_completed_before_its_series(made: SmallCompany) -> None:
    made.hold("p1.2")
    made.end("p1", "completed")


@plant(Kind.ORPHAN, "<n0@viceversa.invalid>")
def a_mail_without_fact(made: SmallCompany) -> None:
    made.mails.append(Mail("<n0@viceversa.invalid>", "ada@engines.invalid", "News", day(4)))


@plant(Kind.ORPHAN, "<n")
def a_mail_to_somebody_else(made: SmallCompany) -> None:
    mail = made.mails[0]
    made.mails[0] = Mail(mail.message_id, "mallory@engines.invalid", mail.subject, mail.at)


@plant(Kind.ORPHAN, "n0")
def a_notice_of_nothing(made: SmallCompany) -> None:
    made.row("notifications", "notices", "n0", state="sent", notice=None)
    about = {"topic": "pair-created", "event_id": "e0"}
    made.result("n0", "digital-2026/ada", "pair_created", about, "sent")


@plant(Kind.OVER_CAPACITY, "digital-2026/ada")
def a_mentor_has_two_pairs_and_one_place(made: SmallCompany) -> None:
    made.pair("p4", "ada", "noor")
    made.plan("p4.1", 1, day(26))


@plant(Kind.OVER_CAPACITY, "digital-2026/mina")
def a_mentor_had_two_pairs_and_one_place_for_a_while(made: SmallCompany) -> None:
    made.pair("p4", "mina", "noor")
    made.enrol("zoe", "mentee")
    made.pair("p5", "mina", "zoe")
    made.end("p4", "requested")
    made.end("p5", "requested")


@plant(Kind.DOUBLE_BOOKING, "digital-2026/ada")
def a_mentor_was_to_be_in_two_meetings_for_a_while(made: SmallCompany) -> None:
    made.enrol("ada", "mentor", revision=3, capacity=2)
    made.pair("p4", "ada", "noor")
    made.plan("p4.1", 1, day(24) + timedelta(minutes=30))
    made.plan("p4.1", 1, day(25))


@plant(Kind.DOUBLE_BOOKING, "digital-2026/ada")
def a_mentor_is_to_be_in_two_meetings(made: SmallCompany) -> None:
    made.enrol("ada", "mentor", revision=3, capacity=2)
    made.pair("p4", "ada", "noor")
    made.plan("p4.1", 1, day(24) + timedelta(minutes=30))


def _again(made: SmallCompany, topic: str, key: str, service: str, collection: str = "pairs") -> None:
    """The same words as a new fact."""
    record = made.find(topic, key)
    made.say(TOPICS[topic].event.model_validate_json(record.value or b""), service)
    made.said(service, collection, key)


def _names_a_pair(made: SmallCompany, pair_id: str) -> None:
    """Scheduling knows the names of a pair that nobody created."""
    names = {"pair_id": pair_id, "program_id": PROGRAM, "mentor_id": "ada", "mentee_id": "grace"}
    made.row("scheduling", "pairs", pair_id, **names, created=False, ended_at=None, planned=0, held=0, session_id="")
