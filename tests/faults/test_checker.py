"""The checker finds what is wrong and nothing else: in made evidence, and in what real servers leave behind."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer
from pymongo import MongoClient

from deploy.local.stack import Endpoints
from libs.contracts.envelope import encode
from libs.contracts.events import PairEnded
from libs.ops import topics
from tests.faults.checker.check import CHECKS, check
from tests.faults.checker.clean import clean, day, park
from tests.faults.checker.evidence import Evidence, Mail, Row, gather
from tests.faults.checker.planting import Change, Plant, change
from tests.faults.checker.plants import PLANTS
from tests.faults.checker.plants_of_leftovers import WRONG, repeat
from tests.faults.checker.small_company import GATHERED, START, SmallCompany
from tests.faults.checker.story import story_of
from tests.faults.checker.told import Fault, Poison, Said, Told
from tests.faults.checker.violations import Kind
from tests.journeys.company import Company, company, couple, program, until

COUPLES = 20


def test_nothing_is_found_where_every_promise_was_kept() -> None:
    assert [str(violation) for violation in check(clean().evidence())] == []


@pytest.mark.parametrize("planted", PLANTS, ids=lambda planted: planted.change.__name__)
def test_what_was_planted_is_found_and_nothing_else(planted: Plant) -> None:
    made = clean()
    planted.change(made)

    found = check(made.evidence())

    assert [violation.kind for violation in found] == [planted.kind] * len(planted.subjects), "\n".join(map(str, found))
    for violation, subject in zip(found, planted.subjects, strict=True):
        assert violation.subject.startswith(subject)


@pytest.mark.parametrize(("service", "collection", "id", "wrong"), WRONG)
def test_a_document_that_says_something_else_than_the_facts_is_named(
    service: str, collection: str, id: str, wrong: Row
) -> None:
    made = clean()
    made.row(service, collection, id, **wrong)

    (violation,) = check(made.evidence())

    assert (violation.kind, violation.subject) == (Kind.STATE_DIFFERS, f"{service} {collection} {id}")


def test_every_way_to_break_a_promise_was_planted() -> None:
    assert {planted.kind for planted in PLANTS} == set(Kind)


def test_every_check_finds_something_that_was_planted() -> None:
    found: set[str] = set()
    for planted in PLANTS:
        made = clean()
        planted.change(made)
        found |= finders(made)
    for service, collection, id, wrong in WRONG:
        made = clean()
        made.row(service, collection, id, **wrong)
        found |= finders(made)

    assert set(CHECKS) - found == set()


def finders(made: SmallCompany) -> set[str]:
    """The checks that find something."""
    story = story_of(made.evidence())
    return {name for name, each in CHECKS.items() if any(each(story))}


@pytest.mark.parametrize(
    "act",
    [
        lambda made: made.plan("p4.1", 1, day(26)),
        lambda made: made.plan("p4.2", 1, day(27)),
        lambda made: made.end("p4", "requested"),
        lambda made: made.cancel("p4.1"),
        lambda made: made.pair("p5", "ada", "noor"),
    ],
    ids=("moved", "planned", "ended", "cancelled", "made"),
)
def test_whatever_happens_to_a_pair_both_of_it_must_be_told(act: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    made = clean()
    made.pair("p4", "mina", "noor")
    made.plan("p4.1", 1, day(25))
    monkeypatch.setattr(made, "tell", lambda *told: None)
    act(made)

    assert sum(violation.kind is Kind.MAIL_MISSING for violation in check(made.evidence())) == 2


def test_a_mail_that_a_fault_kept_from_being_counted_is_within_the_promise() -> None:
    made = clean()
    for number in range(2):
        made.mails.append(Mail(f"<lost-{number}@viceversa.invalid>", "ada@engines.invalid", "News", START))
    made.told.faults.append(Fault("kill", START, START, repeats=1))

    (violation,) = check(made.evidence())

    assert (violation.kind, violation.subject) == (Kind.ORPHAN, "<lost-1@viceversa.invalid>")


def test_a_mail_that_nobody_counted_is_not_explained_by_what_broke_an_hour_later() -> None:
    made = clean()
    made.mails.append(Mail("<lost@viceversa.invalid>", "ada@engines.invalid", "News", START))
    made.told.faults.append(Fault("kill", START + timedelta(hours=1), GATHERED, repeats=8))

    (violation,) = check(made.evidence())

    assert violation.kind is Kind.ORPHAN


def test_a_mail_repeated_while_notifications_was_killed_is_within_the_promise() -> None:
    made = clean()
    repeat(made, 0)
    repeat(made, 1)
    made.told.faults.append(Fault("kill", START, GATHERED, repeats=2))

    assert check(made.evidence()) == []


def test_a_place_is_free_again_also_where_the_clock_that_ended_its_pair_was_hours_ahead() -> None:
    made = clean()
    made.enrol("zoe", "mentee")
    made.pair("p4", "mina", "noor")
    made.end("p4", "requested")
    record = made.find("pair-ended", "p4")
    ended = PairEnded.model_validate_json(record.value or b"")
    late = ended.model_copy(update={"ended_at": ended.ended_at + timedelta(hours=3)})
    change(made, record, value=encode(late))
    made.row("scheduling", "pairs", "p4", ended_at=late.ended_at)
    made.pair("p5", "mina", "zoe")
    made.end("p5", "requested")

    assert check(made.evidence()) == []


def test_what_was_doubled_on_purpose_is_nobodys_fault() -> None:
    made = clean()
    enrolled, created = made.find("participant-enrolled", "digital-2026/ada"), made.find("pair-created", "p1")
    for record in (enrolled, created):
        made.produce(record.topic, record.key, record.value, record.headers)
    made.told.said.append(Said("/viceversa/matching", created.text("ce_id"), "pair-created", "p1"))

    assert check(made.evidence()) == []


def test_a_poison_that_can_be_read_is_no_fact() -> None:
    made = clean()
    first = made.find("participant-enrolled", "digital-2026/grace")
    other = (first.value or b"").replace(b'"matching":true', b'"matching":false')
    poison = made.produce(first.topic, first.key, other, [*first.headers, ("ce_id", b"e0")])
    made.told.poison.append(Poison(first.topic, ce_id="e0", reason="conflict"))
    park(made, poison, "conflict")

    assert check(made.evidence()) == []


@pytest.fixture
def office(stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path) -> Iterator[Company]:
    with company(stack, prefix, database_prefix, tmp_path) as made:
        made.start()
        yield made


def test_a_quiet_company_of_twenty_couples_breaks_no_promise(office: Company) -> None:
    people = [person for number in range(COUPLES) for person in couple(number)]
    office.say([program(sessions=2), *people])
    for number in (1, 2):
        everybody_meets(office, number)
    until(lambda: office.count("notifications", "pairs", {"ended": True}) == COUPLES, what="all pairs have ended")
    until(lambda: is_quiet(office), what="the company is quiet")

    evidence = seen(office)

    assert [str(violation) for violation in check(evidence)] == []
    assert sum(record.topic == "session-completed" for record in evidence.records) == 4 * COUPLES
    assert len(evidence.mails) >= 4 * COUPLES
    for topic in {record.topic: record for record in evidence.records}:
        assert check(without_a_record_of(topic, evidence)), f"a record of {topic} was taken away and nobody missed it"


def test_what_a_transaction_left_open_hides_is_named_and_not_waited_for(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path
) -> None:
    topics.apply(stack.kafka, prefix, {"matching": ("pair-created",)})
    place = f"{prefix}pair-created"
    done, dropped, left_open = (transaction(stack.kafka, f"{prefix}{name}") for name in ("done", "dropped", "open"))
    for producer, word, partition in ((done, b"Ada", 1), (dropped, b"Eve", 1), (left_open, b"Mina", 2)):
        producer.produce(place, word, b"p1", partition=partition, headers=[("ce_id", b"1"), ("odd", None)])
        producer.flush(30)
    done.commit_transaction(30)
    dropped.abort_transaction(30)
    (tmp_path / "000001-a.eml").write_bytes(b"Message-ID: <n1@x>\r\nTo: Ada <ada@x>\r\nSubject: News\r\n\r\nHello")
    with MongoClient(stack.mongodb) as client:
        client[f"{database_prefix}all_matching"].pairs.insert_one({"_id": "p1", "state": ""})
        client[f"{database_prefix}all_matching"].inbox.insert_one({"_id": "p1"})

    evidence = gather(stack.kafka, stack.mongodb, prefix, f"{database_prefix}all", tmp_path, Told(), patience=3)
    left_open.abort_transaction(30)

    (record,) = evidence.records
    assert (record.topic, record.partition, record.key, record.value) == ("pair-created", 1, b"p1", b"Ada")
    assert record.headers == (("ce_id", b"1"), ("odd", None))
    assert evidence.hidden == {"pair-created/2": 1}
    assert Kind.HIDDEN_END in {violation.kind for violation in check(evidence)}
    assert evidence.documents["matching"] == {"pairs": [{"_id": "p1", "state": ""}]}
    assert evidence.taken == {"<n1@x>": 1}
    assert evidence.mails[0].to == "ada@x"


def transaction(kafka: str, name: str) -> Producer:
    """A producer that has begun one."""
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": name})
    producer.init_transactions(30)
    producer.begin_transaction()
    return producer


def without_a_record_of(topic: str, evidence: Evidence) -> Evidence:
    last = [record for record in evidence.records if record.topic == topic][-1]
    return replace(evidence, records=tuple(record for record in evidence.records if record is not last))


def everybody_meets(office: Company, number: int) -> None:
    """Both sides of every pair tell of the meeting of this number, before its time."""
    planned = {"state": "planned", "number": number}
    until(lambda: office.count("scheduling", "sessions", planned) == COUPLES, what=f"{COUPLES} meetings are planned")
    with office.client("scheduling") as scheduling:
        for row in office.rows("scheduling", "sessions", ("state", "number")):
            if row["state"] == "planned" and row["number"] == number:
                for side in ("mentor", "mentee"):
                    words = {"by": side, "rating": 5, "topics": ["generative-ai"]}
                    scheduling.post(f"/sessions/{row['_id']}/complete", json=words).raise_for_status()


def is_quiet(office: Company) -> bool:
    """Every notice has its end, and nothing is to be published."""
    unsettled = office.count("notifications", "notices", {"state": {"$in": ["waiting", "planned"]}})
    return not unsettled and not office.waiting_pages()


def seen(office: Company) -> Evidence:
    values = office.values
    mails = office.root / "mails"
    return gather(values["VICEVERSA_KAFKA"], values["VICEVERSA_MONGODB"], office.prefix, office.database, mails, Told())
