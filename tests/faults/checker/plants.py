"""Faults to be planted: what each breaks, and of whom the checker must speak. A new check adds its plants."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from libs.contracts.topics import TOPICS
from tests.faults.checker.clean import day
from tests.faults.checker.evidence import Mail, Row
from tests.faults.checker.small_company import GATHERED, PROGRAM, START, SmallCompany
from tests.faults.checker.told import Command, Fault, Poison, Said
from tests.faults.checker.violations import Kind

Change = Callable[[SmallCompany], None]


@dataclass(frozen=True, slots=True)
class Plant:
    """What is broken, the subject that must be named, and how."""

    kind: Kind
    subject: str
    change: Change


PLANTS: list[Plant] = []


def plant(kind: Kind, subject: str) -> Callable[[Change], Change]:
    def keep(change: Change) -> Change:
        PLANTS.append(Plant(kind, subject, change))
        return change

    return keep


@plant(Kind.LOST_FACT, "digital-2026/zoe")
def a_fact_of_the_generator_is_gone(made: SmallCompany) -> None:
    made.told.said.append(Said("/hr", "e-zoe", "participant-enrolled", "digital-2026/zoe"))


@plant(Kind.LOST_FACT, "digital-2026/ada")
def a_fact_said_twice_is_there_once(made: SmallCompany) -> None:
    made.told.said[1] = Said("/hr", made.told.said[1].id, "participant-enrolled", "digital-2026/ada", times=2)


@plant(Kind.LOST_FACT, "p1")
def an_accepted_command_left_no_fact(made: SmallCompany) -> None:
    made.told.accepted.append(Command("cancel", "session-cancelled", "p1", {"session_id": "p1.2"}, 200))


@plant(Kind.LOST_FACT, "scheduling p1")
def a_document_said_more_than_the_topics_know(made: SmallCompany) -> None:
    made.row("scheduling", "pairs", "p1")["said"] += 1


@plant(Kind.LOST_FACT, "p1")
def a_pair_outlives_a_withdrawal(made: SmallCompany) -> None:
    made.withdraw("grace")


@plant(Kind.LOST_FACT, "p1")
def a_pair_outlives_its_consent(made: SmallCompany) -> None:
    made.enrol("grace", "mentee", revision=2, consent={"matching": False})


@plant(Kind.LOST_FACT, "p1")
def a_pair_outlives_its_series(made: SmallCompany) -> None:
    made.hold("p1.2", series_done=True)


@plant(Kind.LOST_FACT, "p1")
def a_pair_outlives_its_programme(made: SmallCompany) -> None:
    made.publish(revision=2, state="closed")


@plant(Kind.LOST_FACT, "p4")
def a_pair_never_meets(made: SmallCompany) -> None:
    made.pair("p4", "mina", "noor")


@plant(Kind.LOST_FACT, "p1.2")
def a_meeting_outlives_its_pair(made: SmallCompany) -> None:
    made.end("p1", "requested")


@plant(Kind.LOST_FACT, "p1.3")
def a_meeting_lacks_a_revision(made: SmallCompany) -> None:
    made.cancel("p1.2")
    made.plan("p1.3", 2, day(24))
    made.row("scheduling", "sessions", "p1.3")["revision"] += 1
    made.cancel("p1.3")
    made.plan("p1.4", 2, day(25))


@plant(Kind.LOST_FACT, "p1")
def a_meeting_of_the_series_was_left_out(made: SmallCompany) -> None:
    made.publish(revision=2, sessions_per_pair=9)
    made.hold("p1.2")
    made.plan("p1.3", 4, day(25))
    made.hold("p1.3")
    made.plan("p1.4", 5, day(26))


@plant(Kind.DOUBLED_FACT, "p1")
def a_record_stands_twice(made: SmallCompany) -> None:
    first = made.find("pair-created", "p1")
    made.produce(first.topic, first.key, first.value, first.headers)


@plant(Kind.DOUBLED_FACT, "scheduling p2")
def a_number_stands_under_two_ids(made: SmallCompany) -> None:
    record = made.risk("p2")
    made.produce(record.topic, record.key, record.value, [*record.headers, ("ce_id", b"e0")])


@plant(Kind.DOUBLED_FACT, "scheduling participant-enrolled")
def a_dead_letter_stands_twice(made: SmallCompany) -> None:
    first = made.find("participant-enrolled.scheduling.dlq", "digital-2026/mallory")
    made.produce(first.topic, first.key, first.value, first.headers)


@plant(Kind.OUT_OF_ORDER, "scheduling p2")
def two_records_of_a_key_changed_places(made: SmallCompany) -> None:
    first, second = made.find("session-scheduled", "p2"), made.find("session-scheduled", "p2", 1)
    made.change(first, offset=second.offset)
    made.change(second, offset=first.offset)


@plant(Kind.OUT_OF_ORDER, "scheduling p2")
def a_key_stands_on_two_partitions(made: SmallCompany) -> None:
    second = made.find("session-scheduled", "p2", 1)
    made.change(second, partition=(second.partition + 1) % 6)


@plant(Kind.GAP, "scheduling p2")
def a_record_is_gone(made: SmallCompany) -> None:
    made.records.remove(made.find("pair-at-risk", "p2"))


@plant(Kind.UNREADABLE, "p2")
def a_service_says_what_nobody_can_read(made: SmallCompany) -> None:
    record = made.find("pair-at-risk", "p2")
    made.produce(record.topic, record.key, b"{", [*record.headers, ("ce_id", b"e0")])


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


@plant(Kind.ORPHAN, "p4")
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
    made.letters.append(Mail("<n0@viceversa.invalid>", "ada@engines.invalid", "News", day(4)))


@plant(Kind.ORPHAN, "<n")
def a_mail_to_somebody_else(made: SmallCompany) -> None:
    mail = made.letters[0]
    made.letters[0] = Mail(mail.message_id, "mallory@engines.invalid", mail.subject, mail.at)


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
    for _ in range(90):
        made.risk("p4", "stalled")
    made.end("p4", "requested")
    made.end("p5", "requested")


@plant(Kind.DOUBLE_BOOKING, "digital-2026/ada")
def a_mentor_is_to_be_in_two_meetings(made: SmallCompany) -> None:
    made.enrol("ada", "mentor", revision=3, capacity=2)
    made.pair("p4", "ada", "noor")
    made.plan("p4.1", 1, day(24) + timedelta(minutes=30))


@plant(Kind.HIDDEN_END, "pair-created/3")
def a_transaction_was_left_open(made: SmallCompany) -> None:
    made.hidden["pair-created/3"] = 2


@plant(Kind.STUCK_PAGE, "matching page-1")
def a_page_is_never_published(made: SmallCompany) -> None:
    made.row("matching", "outbox", "page-1", tick=7, part=0, at=START, records=[{"key": b"p1"}])


@plant(Kind.STUCK_WORK, "matching MatchWaiting:digital-2026")
def work_is_never_done(made: SmallCompany) -> None:
    made.row("matching", "due", "MatchWaiting:digital-2026", due_at=GATHERED - timedelta(hours=1), tries=3)


@plant(Kind.STUCK_WORK, "notifications n0")
def a_notice_has_no_work(made: SmallCompany) -> None:
    made.row("notifications", "notices", "n0", state="planned", notice=None)


@plant(Kind.STUCK_WORK, "scheduling p1.2")
def a_meeting_has_no_work(made: SmallCompany) -> None:
    del made.documents["scheduling"]["due"]["NoShowCheck:p1.2"]


@plant(Kind.UNEXPLAINED_DEAD_LETTER, "matching participant-enrolled")
def a_good_record_is_parked(made: SmallCompany) -> None:
    made.park(made.find("participant-enrolled", "digital-2026/ada"), "handler_failed", ("matching",))


@plant(Kind.UNEXPLAINED_DEAD_LETTER, "scheduling participant-enrolled")
def a_poison_is_parked_for_another_reason(made: SmallCompany) -> None:
    letter = made.find("participant-enrolled.scheduling.dlq", "digital-2026/mallory")
    made.change(letter, headers=(*letter.headers, ("dlq_reason", b"conflict")))


@plant(Kind.UNEXPLAINED_DEAD_LETTER, "notifications due.1")
def work_is_parked(made: SmallCompany) -> None:
    made.row("notifications", "dead_letters", "due.1", topic=None, kind="SendNotice", reason="handler_failed")


@plant(Kind.MISSING_DEAD_LETTER, "matching participant-enrolled 0d0d0d")
def a_poison_is_taken_for_good(made: SmallCompany) -> None:
    made.told.poison.append(Poison("participant-enrolled", digest="0d" * 32, services=("matching",)))


@plant(Kind.MISSING_DEAD_LETTER, "scheduling participant-enrolled")
def one_service_parks_nothing(made: SmallCompany) -> None:
    letter = made.find("participant-enrolled.scheduling.dlq", "digital-2026/mallory")
    made.records.remove(letter)
    made.documents["scheduling"]["dead_letters"].clear()


@plant(Kind.MISSING_DEAD_LETTER, "matching participant-enrolled")
def a_dead_letter_is_only_in_the_database(made: SmallCompany) -> None:
    made.row("matching", "dead_letters", "x", topic="participant-enrolled", partition=1, offset=77)


@plant(Kind.MAIL_MISSING, "n")
def a_mail_was_never_taken(made: SmallCompany) -> None:
    del made.letters[3]


@plant(Kind.MAIL_MISSING, "p2")
def the_office_is_never_told(made: SmallCompany) -> None:
    rows = made.documents["notifications"]["notices"]
    del rows[next(id for id, row in rows.items() if row["notice"]["template"] == "at_risk")]


@plant(Kind.MAIL_DOUBLED, "<n")
def a_mail_is_repeated_in_peace(made: SmallCompany) -> None:
    repeat(made, 0)
    made.told.kills.append(Fault("kill", START - timedelta(hours=2), START - timedelta(hours=1)))


@plant(Kind.MAIL_DOUBLED, "<n")
def one_kill_repeats_two_mails(made: SmallCompany) -> None:
    repeat(made, 0)
    repeat(made, 1)
    made.told.kills.append(Fault("kill", START, GATHERED))


@plant(Kind.STATE_DIFFERS, "p1.1")
def a_meeting_names_another_than_its_pair(made: SmallCompany) -> None:
    first = made.find("session-completed", "p1")
    made.change(first, value=first.value and first.value.replace(b'"grace"', b'"noor"'))


WRONG: list[tuple[str, str, str, Row]] = [
    ("matching", "pairs", "p1", {"state": "ended"}),
    ("matching", "pairs", "p2", {"ended": {"reason": "requested"}}),
    ("matching", "pairs", "p7", {"state": "in_force"}),
    ("matching", "people", "digital-2026/ada", {"partners": []}),
    ("matching", "people", "digital-2026/mina", {"partners": [{"pair_id": "p2"}]}),
    ("matching", "people", "digital-2026/ada", {"profile": {"revision": 1}}),
    ("matching", "people", "digital-2026/eve", {"withdrawal": None}),
    ("matching", "programs", PROGRAM, {"published": {"revision": 3}}),
    ("scheduling", "pairs", "p2", {"ended_at": None}),
    ("scheduling", "pairs", "p1", {"held": 2}),
    ("scheduling", "pairs", "p1", {"session_id": ""}),
    ("scheduling", "pairs", "p1", {"planned": 3}),
    ("scheduling", "sessions", "p1.2", {"starts_at": START}),
    ("scheduling", "sessions", "p1.1", {"revision": 3}),
    ("scheduling", "sessions", "p2.1", {"state": "cancelled"}),
    ("scheduling", "sessions", "p7.1", {"state": "missed"}),
    ("scheduling", "diaries", "digital-2026/grace", {"meetings": []}),
    ("scheduling", "people", "digital-2026/ada", {"profile": {"revision": 1}}),
    ("scheduling", "people", "digital-2026/ada", {"owner": "/other"}),
    ("scheduling", "programs", PROGRAM, {"revision": -1}),
    ("notifications", "pairs", "p2", {"ended": False}),
    ("notifications", "pairs", "p1", {"ended": True}),
    ("notifications", "sessions", "p1.2", {"revision": 0}),
    ("notifications", "sessions", "p1.1", {"state": "planned"}),
    ("notifications", "people", "digital-2026/eve", {"withdrawn_at": None}),
    ("notifications", "people", "digital-2026/noor", {"contact": None}),
]
"""Documents that say something else than the facts: service, collection, id, and what is wrong in it."""


def repeat(made: SmallCompany, index: int) -> None:
    """The mail server takes it once more, an hour later."""
    mail = made.letters[index]
    made.letters.append(Mail(mail.message_id, mail.to, mail.subject, mail.at + timedelta(hours=1)))


def _again(made: SmallCompany, topic: str, key: str, service: str, collection: str = "pairs") -> None:
    """The same words as a new fact."""
    record = made.find(topic, key)
    made.say(TOPICS[topic].event.model_validate_json(record.value or b""), service)
    made.said(service, collection, key)


def _names_a_pair(made: SmallCompany, pair_id: str) -> None:
    """Scheduling knows the names of a pair that nobody created."""
    names = {"pair_id": pair_id, "program_id": PROGRAM, "mentor_id": "ada", "mentee_id": "grace"}
    made.row("scheduling", "pairs", pair_id, **names, created=False, ended_at=None, planned=0, held=0, session_id="")
