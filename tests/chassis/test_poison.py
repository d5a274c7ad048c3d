"""Poison on every topic: each record ends as a dead letter with its reason, and the good ones around it are handled."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from aiokafka import ConsumerRecord
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from libs.chassis.dead_letters import DeadLetter
from libs.chassis.intake import decoded
from libs.chassis.run import Runtime
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.words import Facts, reads
from libs.contracts.envelope import Unreadable
from libs.contracts.events import Event, NotificationSent, ParticipantEnrolled
from libs.contracts.examples import PAIR_ENDED
from libs.contracts.topics import TOPICS, dead_letter_topic, topic_of
from tests.chassis.processes import Record, World, header, record, running
from tests.chassis.tiny import Tally, enrolled, service, told, until, withdrawn

LIMIT = 1024 * 1024


def good(topic: str, number: int) -> Event:
    match topic:
        case "participant-enrolled":
            return enrolled(f"person-{number}")
        case "participant-withdrawn":
            return withdrawn(f"person-{number}")
        case _:
            return PAIR_ENDED.model_copy(update={"pair_id": f"pair-{number}"})


def poison(topic: str) -> Iterator[tuple[Record, str]]:
    """Records that cannot be handled, with the reasons that they deserve."""
    base = record(good(topic, 0), "poison", partition=0)
    assert base.value is not None

    def with_header(name: str, value: bytes | None) -> Record:
        return replace(base, headers=[*((key, old) for key, old in base.headers if key != name), (name, value)])

    yield replace(base, value=b'{"broken"'), "invalid_json"
    yield replace(base, value=b"[1, 2]"), "invalid_data"
    yield replace(base, value=b"{}"), "invalid_data"
    yield replace(base, value=b"\xff\xfe"), "not_utf8"
    yield replace(base, value=b""), "invalid_json"
    yield replace(base, value=base.value + b" " * (LIMIT + 1 - len(base.value))), "too_large"
    yield replace(base, value=b"x" * LIMIT), "invalid_json"
    if TOPICS[topic].compacted:
        yield replace(base, key=b"nobody", value=None), "key_mismatch"
    else:  # the broker itself refuses a record without a key on a compacted topic
        yield replace(base, key=None), "key_mismatch"
        yield replace(base, key=None, value=None), "null_value"
        yield replace(base, value=None), "null_value"
    yield replace(base, key=b"\xff"), "not_utf8"
    yield replace(base, key=b"somebody-else"), "key_mismatch"
    yield with_header("ce_id", None), "missing_attribute"
    yield with_header("ce_id", b"\xff\xfe"), "wrong_attribute"
    yield with_header("ce_type", b"viceversa.unheard-of.v1"), "unknown_type"
    yield with_header("ce_time", b"yesterday"), "wrong_attribute"
    yield with_header("content-type", b"text/plain"), "wrong_attribute"
    yield replace(base, headers=[]), "missing_attribute"


def at_the_limit(topic: str, number: int) -> Record:
    sound = record(good(topic, number), f"limit {topic}", partition=0)
    assert sound.value is not None
    strange: list[tuple[str, bytes | None]] = [("trace", b"\xff\x00"), ("empty", None)]
    return replace(sound, value=sound.value + b" " * (LIMIT - len(sound.value)), headers=[*sound.headers, *strange])


async def count(client: httpx.AsyncClient, **wanted: str) -> int:
    return len((await client.get("/dead-letters", params={"limit": 500, **wanted})).json()["items"])


async def test_each_poison_is_parked_once_with_its_reason_and_stalls_nothing(world: World) -> None:
    reasons: dict[str, list[str]] = {}
    for topic in (topic_of(event).name for event in service.hears):
        records, reasons[topic] = [at_the_limit(topic, 0)], []
        for number, (bad, reason) in enumerate(poison(topic), 1):
            records += [bad, record(good(topic, number), f"{topic} {number}", partition=0)]
            reasons[topic].append(reason)
        world.say(records)
    parked, sound = sum(map(len, reasons.values())), sum(map(len, reasons.values())) + len(reasons)

    runtime = world.runtime()
    async with running(runtime) as client:
        await until(lambda: _settled(runtime, parked, sound))
        for topic, expected in reasons.items():
            listed = (await client.get("/dead-letters", params={"topic": topic, "limit": 500})).json()["items"]
            assert [each["reason"] for each in sorted(listed, key=lambda each: each["offset"])] == expected
    _everything_again(world)
    runtime = world.runtime()
    async with running(runtime) as client:
        await until(lambda: _taken(runtime, parked + sound))
        assert (await count(client), await runtime.database.count("inbox")) == (parked, parked + sound)

    for topic, expected in reasons.items():
        parked_there = await world.read(dead_letter_topic(topic, "tiny"))
        assert sorted(header(each, "dlq_reason") for each in parked_there) == sorted(expected)
        pointers = [each for each in parked_there if "dlq_pointer" in dict(each.headers() or ())]
        assert sorted(header(each, "dlq_reason") for each in pointers) == ["invalid_json", "too_large"]


async def _settled(runtime: Runtime, parked: int, sound: int) -> bool:
    letters = await runtime.database.count(DeadLetter.collection)
    return letters == parked and await runtime.database.count("inbox") == parked + sound and await _published(runtime)


async def _published(runtime: Runtime) -> bool:
    return await runtime.database.count("outbox") == 0


async def _taken(runtime: Runtime, records: int) -> bool:
    return float(runtime.metrics.registry.get_sample_value("viceversa_duplicates_total") or 0) >= records


def _everything_again(world: World) -> None:
    """Move the group to the beginning, as an operator would."""
    places = [TopicPartition(world.prefix + topic.name, number, 0) for topic in service.topics for number in range(6)]
    group = ConsumerGroupTopicPartitions(f"{world.prefix}viceversa.tiny", places)
    admin = AdminClient({"bootstrap.servers": world.endpoints.kafka})
    admin.alter_consumer_group_offsets([group])[group.group_id].result(20)


@pytest.mark.parametrize("timestamp", [-(2**62), 2**62, -1, 0])
def test_no_timestamp_that_a_producer_may_set_raises_out_of_the_batch(timestamp: int) -> None:
    topic = TOPICS["participant-enrolled"]
    sound = record(enrolled(), "1")
    value = sound.value or b""
    raw: Any = ConsumerRecord(
        topic.name, 0, 0, timestamp, 0, sound.key, value, None, 8, len(value), tuple(sound.headers)
    )
    late = [pair for pair in sound.headers if pair[0] != "ce_time"]
    without_time: Any = replace(raw, headers=tuple(late))

    assert isinstance(decoded(raw, topic).message, ParticipantEnrolled)
    strange = isinstance(decoded(without_time, topic).message, Unreadable)
    assert strange is (abs(timestamp) > 1)


@reads(lambda event: [Tally.by_id(event.key)])
def mended(event: ParticipantEnrolled, state: State, now: object) -> Facts:
    state[Tally, event.key].times += 1
    yield told(event.key)


async def test_a_replay_after_the_cause_is_mended_takes_effect_once(world: World) -> None:
    world.say([record(enrolled("ada", "Broken"), "1"), record(enrolled("grace"), "2")])
    runtime = world.runtime()
    async with running(runtime) as client:
        await until(lambda: count(client, reason="handler_failed"))
        (letter,) = (await client.get("/dead-letters")).json()["items"]
        path = f"/dead-letters/{letter['dead_letter_id']}"
        still = await client.post(f"{path}/replay")
        assert (still.status_code, (await client.get(path)).json()["state"]) == (500, "parked")

    table = Service(name="tiny", keeps=[Tally], hears={**service.hears, ParticipantEnrolled: mended}, says=service.says)
    runtime = world.runtime(table)
    async with running(runtime) as client:
        first, second = await client.post(f"{path}/replay"), await client.post(f"{path}/replay")
        await until(lambda: _published(runtime))
    assert (first.status_code, first.json()["state"], second.status_code) == (200, "replayed", 409)
    subjects = [header(message, "ce_subject") for message in await world.read(NotificationSent.topic)]
    assert sorted(subjects) == ["2026/ada", "2026/grace"]


async def test_lists_show_no_persons_data_and_a_purge_drops_the_bytes(world: World) -> None:
    world.say([record(enrolled("ada", "Broken"), "1")])
    runtime = world.runtime()
    async with running(runtime) as client:
        await until(lambda: count(client))
        listed = await client.get("/dead-letters")
        (letter,) = listed.json()["items"]
        path = f"/dead-letters/{letter['dead_letter_id']}"
        shown = await client.get(path)
        assert "ada" not in (listed.text + shown.text).lower()
        assert shown.json()["bytes"] > 100

        purged = await client.post(f"{path}/purge", json={"reason": "asked for by the works council"})

        assert (purged.status_code, (await client.get(path)).json()["bytes"]) == (200, 0)
        assert (await client.post(f"{path}/replay")).status_code == 409
        assert "ada" not in str(await runtime.database.find(DeadLetter.collection, {})).lower()
        assert (await client.get("/dead-letters/nothing")).status_code == 404
        assert (await client.post("/dead-letters/nothing/replay")).status_code == 404
