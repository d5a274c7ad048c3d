"""Faults of facts: lost, doubled, out of order, not to be read."""

from tests.faults.checker.clean import day
from tests.faults.checker.planting import Plant, change, into
from tests.faults.checker.small_company import SmallCompany
from tests.faults.checker.told import Command, Said
from tests.faults.checker.violations import Kind

PLANTS: list[Plant] = []
plant = into(PLANTS)


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


@plant(Kind.LOST_FACT, "p4.1")
def a_first_time_was_never_said(made: SmallCompany) -> None:
    made.pair("p4", "mina", "noor")
    made.row("scheduling", "sessions", "p4.1", revision=1)
    made.plan("p4.1", 1, day(25))
    made.row("scheduling", "pairs", "p4", planned=1)


@plant(Kind.STATE_DIFFERS, "scheduling p1")
def the_topics_know_more_than_a_document_said(made: SmallCompany) -> None:
    made.row("scheduling", "pairs", "p1")["said"] -= 1


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
    change(made, first, offset=second.offset)
    change(made, second, offset=first.offset)


@plant(Kind.OUT_OF_ORDER, "scheduling p2")
def a_key_stands_on_two_partitions(made: SmallCompany) -> None:
    second = made.find("session-scheduled", "p2", 1)
    change(made, second, partition=(second.partition + 1) % 6)


@plant(Kind.GAP, "scheduling p2")
def a_record_is_gone(made: SmallCompany) -> None:
    made.records.remove(made.find("pair-at-risk", "p2"))


@plant(Kind.UNREADABLE, "p2")
def a_service_says_what_nobody_can_read(made: SmallCompany) -> None:
    record = made.find("pair-at-risk", "p2")
    made.produce(record.topic, record.key, b"{", [*record.headers, ("ce_id", b"e0")])


@plant(Kind.UNREADABLE, "p2 ")
def a_service_says_a_fact_without_its_number(made: SmallCompany) -> None:
    """The last of its key, so that no number is missing before another."""
    record = made.risk("p2")
    change(made, record, headers=tuple(pair for pair in record.headers if pair[0] != "ce_sequence"))
    made.row("scheduling", "pairs", "p2")["said"] -= 1
