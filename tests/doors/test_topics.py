"""Five hundred broken records between sound ones, on every topic that somebody hears, while a company runs."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from confluent_kafka import KafkaError, Message, Producer
from hypothesis import given

from deploy.local.parts import SERVICES as PARTS
from deploy.local.parts import heard
from deploy.local.processes import CHECKOUT
from libs.contracts.envelope import Reason, Unreadable, read
from libs.contracts.events import Event
from libs.contracts.examples import EXAMPLES
from libs.contracts.topics import TOPICS
from tests.doors.drawn import many
from tests.doors.records import NOON, Said, mutated, sound
from tests.doors.served import INTERNALS, SERVICES, Doors
from tests.faults.checker import topics
from tests.journeys.company import until

HEARD = heard(PARTS)
SPOKEN = tuple(topic for topic in EXAMPLES if any(topic in topics for topics in HEARD.values()))
BROKEN, EVERY = 500, 5
# Reasons of messages that are read well and still can't be: the sender's own contradictions.
CONTRADICTIONS = {"id_reused", "conflict", "not_owner"}
# What an operator does about a reason stands in the page's table.
PAGE = CHECKOUT / "docs" / "operations" / "dead-letters.md"
REMEDIES = set(re.findall(r"^\| `(\w+)` \|.*\| [^|]+ \|$", PAGE.read_text(), re.MULTILINE))

Place = tuple[str, int, int]


@dataclass(slots=True)
class Sent:
    """Where each record went; the good ones by their id."""

    good: dict[str, str]
    unreadable: dict[Place, str]
    topics: Counter[str]

    def due(self, service: str) -> dict[Place, str]:
        return {place: reason for place, reason in self.unreadable.items() if place[0] in HEARD[service]}


def broken() -> list[Said]:
    """The same ones in every run."""
    found: list[Said] = []

    @many(BROKEN)
    @given(said=mutated(SPOKEN))
    def draw(said: Said) -> None:
        found.append(said)

    draw()
    return found


def good(number: int) -> Said:
    """A sound event about somebody who is in no other record."""
    event: Event = EXAMPLES[SPOKEN[number % len(SPOKEN)]]
    ids: Mapping[str, Any] = dict.fromkeys(event.key_fields, f"good-{number}")
    return sound(event.model_copy(update=dict(ids)), id=f"good-{number}")


def between(bad: list[Said]) -> Iterator[tuple[Said, str]]:
    """Every record with the id of a good one, or `` for a broken one; each broken one has an id of its own."""
    for number, said in enumerate(bad):
        if number % EVERY == 0:
            yield good(number // EVERY), f"good-{number // EVERY}"
        if said.key is None and TOPICS[said.topic].compacted:
            continue  # the broker itself refuses it, with the batch that it is in
        own = tuple(("ce_id", b"m-%d" % number) if pair == ("ce_id", b"e-1") else pair for pair in said.headers)
        yield replace(said, headers=own), ""


def send(doors: Doors) -> Sent:
    values = doors.company.values
    producer = Producer({"bootstrap.servers": values["VICEVERSA_KAFKA"], "partitioner": "murmur2_random"})
    sent = Sent({}, {}, Counter())

    def note(said: Said, error: KafkaError | None, message: Message) -> None:
        assert error is None
        outcome = read(TOPICS[said.topic], said.key, said.value, said.headers, NOON)
        if isinstance(outcome, Unreadable):
            sent.unreadable[said.topic, message.partition() or 0, message.offset() or 0] = outcome.reason.value

    for said, id in between(broken()):
        if id:
            sent.good[id] = said.topic
        sent.topics[said.topic] += 1
        producer.produce(
            values["VICEVERSA_PREFIX"] + said.topic,
            said.value,
            said.key,
            headers=list(said.headers),
            on_delivery=lambda error, message, said=said: note(said, error, message),
        )
        producer.poll(0)
    assert producer.flush(60) == 0
    return sent


def letters(doors: Doors, service: str) -> list[dict[str, Any]]:
    return doors.company.rows(service, "dead_letters")


def unread(doors: Doors, service: str) -> dict[Place, str]:
    words = {reason.value for reason in Reason}
    rows = [row for row in letters(doors, service) if row["reason"] in words]
    return {(row["topic"], row["partition"], row["offset"]): row["reason"] for row in rows}


def taken(doors: Doors, service: str) -> set[str]:
    """The good ones that took effect."""
    rows = doors.company.rows(service, "inbox", ["_id"])
    return {str(row["_id"]).removeprefix("/hr ") for row in rows if str(row["_id"]).startswith("/hr good-")}


def test_each_broken_record_is_a_dead_letter_and_the_sound_ones_around_it_take_effect(doors: Doors) -> None:
    sent = send(doors)
    assert set(sent.topics) == set(SPOKEN)
    assert len(sent.unreadable) > BROKEN / 2

    for service in SERVICES:
        due = sent.due(service)
        mine = {id for id, topic in sent.good.items() if topic in HEARD[service]}
        until(lambda s=service, d=due: unread(doors, s).keys() >= d.keys(), 60, f"dead letters of {service}")
        until(lambda s=service, m=mine: taken(doors, s) >= m, 60, f"good ones of {service}")
        assert unread(doors, service) == due
        others = {(row["reason"], row["detail"]) for row in letters(doors, service) if row["reason"] not in set(Reason)}
        assert {reason for reason, _ in others} <= CONTRADICTIONS, others
        assert not [row for row in letters(doors, service) if b"good-" in (row["key"] or b"")]
        with doors.client(service) as client:
            assert client.get("/health/live").status_code == client.get("/health/ready").status_code == 200
            listed = client.get("/dead-letters", params={"limit": 500})
            assert listed.status_code == 200
            assert all(row["reason"] and row["detail"] for row in listed.json()["items"])
    until(lambda: not doors.company.waiting_pages(), 60, "the outboxes are empty")
    the_copies_tell_the_same(doors, sent)


def the_copies_tell_the_same(doors: Doors, sent: Sent) -> None:
    """On the topics of dead letters each broken record stands once for each service that hears it, and no sound one."""
    values = doors.company.values
    records = topics.read(values["VICEVERSA_KAFKA"], values["VICEVERSA_PREFIX"], patience=30).records
    copies = [record for record in records if record.is_dead_letter]
    for service in SERVICES:
        mine = [copy for copy in copies if copy.topic.endswith(f".{service}.dlq")]
        kept = {f"{row['topic']}/{row['partition']}/{row['offset']}": row for row in letters(doors, service)}
        assert Counter(copy.text("dlq_origin") for copy in mine) == Counter(list(kept))
        told = {copy.text("dlq_origin"): copy.text("dlq_reason") for copy in mine}
        assert {place: row["reason"] for place, row in kept.items()} == told
        assert {f"{topic}/{partition}/{offset}" for topic, partition, offset in sent.due(service)} <= set(told)
    assert {copy.text("dlq_reason") for copy in copies} <= REMEDIES
    for copy in copies:
        assert copy.topic.startswith(copy.text("dlq_origin").partition("/")[0])
        assert copy.text("dlq_detail")
        assert not INTERNALS.search(copy.text("dlq_detail"))
        assert not copy.name.startswith("good-")
