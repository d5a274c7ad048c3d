"""Faults of what is left when nothing moves any more: pages, work, dead letters, mails, documents."""

from datetime import timedelta

from tests.faults.checker.clean import park
from tests.faults.checker.evidence import Mail, Row
from tests.faults.checker.planting import Plant, change, into
from tests.faults.checker.small_company import GATHERED, PROGRAM, START, SmallCompany
from tests.faults.checker.told import Fault, Poison
from tests.faults.checker.violations import Kind

PLANTS: list[Plant] = []
plant = into(PLANTS)


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


@plant(Kind.STUCK_WORK, "matching digital-2026")
def nobody_looks_at_arrivals(made: SmallCompany) -> None:
    del made.documents["matching"]["due"]["MatchWaiting:digital-2026"]


@plant(Kind.STUCK_WORK, "matching digital-2026")
def nobody_looks_at_everybody(made: SmallCompany) -> None:
    del made.documents["matching"]["due"]["MatchEverybody:digital-2026"]


@plant(Kind.STUCK_WORK, "matching rounds digital-2026/r1")
def a_round_is_never_done(made: SmallCompany) -> None:
    a_round(made, state="writing")


@plant(Kind.STUCK_WORK, "matching programs digital-2026")
def a_round_stands_in_the_way_of_others(made: SmallCompany) -> None:
    made.row("matching", "programs", PROGRAM, round_id="r1")


@plant(Kind.STATE_DIFFERS, "matching rounds digital-2026/r1")
def a_round_counts_a_pair_that_was_never_said(made: SmallCompany) -> None:
    a_round(made, state="done", made=1)


@plant(Kind.LOST_FACT, "matching rounds digital-2026/r1")
def a_sheet_of_a_round_never_had_its_turn(made: SmallCompany) -> None:
    a_round(made, state="done", planned=2)


def a_round(company: SmallCompany, **fields: object) -> None:
    said = {"wish": {"dry_run": False}, "planned": 1, "written": 1, "made": 0}
    company.row("matching", "rounds", f"{PROGRAM}/r1", **{**said, **fields})


@plant(Kind.STUCK_WORK, "scheduling p4")
def a_pair_without_slot_has_no_work(made: SmallCompany) -> None:
    made.pair("p4", "mina", "noor")
    made.risk("p4", "no_common_slot")
    del made.documents["scheduling"]["due"]["LookAgain:p4"]


@plant(Kind.STUCK_WORK, "scheduling p1.2")
def a_meeting_has_no_work(made: SmallCompany) -> None:
    del made.documents["scheduling"]["due"]["NoShowCheck:p1.2"]


@plant(Kind.UNEXPLAINED_DEAD_LETTER, "matching participant-enrolled")
def a_good_record_is_parked(made: SmallCompany) -> None:
    park(made, made.find("participant-enrolled", "digital-2026/ada"), "handler_failed", ("matching",))


@plant(Kind.UNEXPLAINED_DEAD_LETTER, "scheduling participant-enrolled")
def a_poison_is_parked_for_another_reason(made: SmallCompany) -> None:
    letter = made.find("participant-enrolled.scheduling.dlq", "digital-2026/mallory")
    change(made, letter, headers=(*letter.headers, ("dlq_reason", b"conflict")))


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


@plant(Kind.MISSING_DEAD_LETTER, "scheduling participant-enrolled")
def a_dead_letter_is_only_on_its_topic(made: SmallCompany) -> None:
    made.documents["scheduling"]["dead_letters"].clear()


@plant(Kind.MAIL_MISSING, "n")
def a_mail_was_never_taken(made: SmallCompany) -> None:
    del made.mails[3]


@plant(Kind.MAIL_MISSING, "p2")
def the_office_is_never_told(made: SmallCompany) -> None:
    rows = made.documents["notifications"]["notices"]
    del rows[next(id for id, row in rows.items() if row["notice"]["template"] == "at_risk")]


@plant(Kind.MAIL_DOUBLED, "<n")
def a_mail_is_repeated_in_peace(made: SmallCompany) -> None:
    repeat(made, 0)
    made.told.faults.append(Fault("kill", START - timedelta(hours=2), START - timedelta(hours=1)))


@plant(Kind.MAIL_DOUBLED, "<n")
def one_kill_repeats_two_mails(made: SmallCompany) -> None:
    repeat(made, 0)
    repeat(made, 1)
    made.told.faults.append(Fault("kill", START, GATHERED))


@plant(Kind.STATE_DIFFERS, "p1.1")
def a_meeting_names_another_than_its_pair(made: SmallCompany) -> None:
    first = made.find("session-completed", "p1")
    change(made, first, value=first.value and first.value.replace(b'"grace"', b'"noor"'))


@plant(Kind.STATE_DIFFERS, "scheduling people digital-2026/noor")
def an_erased_person_is_remembered(made: SmallCompany) -> None:
    made.produce("participant-enrolled", b"digital-2026/noor", None, ())
    made.row("matching", "people", "digital-2026/noor", profile=None)
    made.row("notifications", "people", "digital-2026/noor", contact=None)


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
    ("notifications", "programs", PROGRAM, {"published": {"revision": 3}}),
    ("notifications", "notices", "n15", {"state": "failed"}),
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
    mail = made.mails[index]
    made.mails.append(Mail(mail.message_id, mail.to, mail.subject, mail.at + timedelta(hours=1)))
