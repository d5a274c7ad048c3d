"""Enrolment through the command line onto a real broker."""

import json
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer

from libs.contracts.envelope import describe, encode, headers
from tests.ops.files import Listener, write, write_mapping
from tests.ops.topics_read import committed, places

GRACE = "1,Grace Hopper,mentee,9,,yes"
MINA = "2,Mina Rao,mentee,7,Grace Hopper,yes"


def enrol(viceversa, folder, *lines, more=()):
    words = ("--program", "spring", "--map", write_mapping(folder), "--json", *more)
    result = viceversa("enrol", write(folder, *lines), *words)
    return result.exit_code, json.loads(result.stdout)


def said(cluster, prefix):
    return committed(cluster, prefix, "participant-enrolled")


def test_a_file_is_said_once_however_often_it_is_enrolled(viceversa, cluster, prefix, tmp_path):
    first = enrol(viceversa, tmp_path, GRACE, MINA)
    again = enrol(viceversa, tmp_path, GRACE, MINA)

    assert (first[0], first[1]["enrolled"]) == (0, 2)
    assert (again[0], again[1]["unchanged"], again[1]["enrolled"]) == (0, 2, 0)
    events = said(cluster, prefix)
    assert sorted(each.envelope.subject for each in events) == ["spring/1", "spring/2"]
    assert {each.envelope.source for each in events} == {"/hr/test"}


def test_a_change_is_said_under_the_next_revision_and_the_first_moment_is_kept(viceversa, cluster, prefix, tmp_path):
    enrol(viceversa, tmp_path, GRACE, MINA)
    code, counts = enrol(viceversa, tmp_path, GRACE, MINA.replace("7", "8"))

    minas = [each.event for each in said(cluster, prefix) if each.event.participant_id == "2"]
    assert (code, counts["changed"], counts["unchanged"]) == (0, 1, 1)
    assert [(mina.revision, mina.grade) for mina in minas] == [(1, 7), (2, 8)]
    assert minas[0].enrolled_at == minas[1].enrolled_at


def test_bad_rows_are_told_and_the_exit_code_says_so(viceversa, cluster, prefix, tmp_path):
    code, told = enrol(viceversa, tmp_path, GRACE, "2,Mina,mentee,high,,yes", "3,Ada,mentor,2,,")

    assert code == 1
    assert [(row["line"], row["participant_id"]) for row in told["refusals"]] == [(3, "2"), (4, "3")]
    assert [each.event.participant_id for each in said(cluster, prefix)] == ["1"]


def test_silence_is_consent_only_if_the_operator_says_so(viceversa, cluster, prefix, tmp_path):
    silent = GRACE.replace("yes", "")

    assert enrol(viceversa, tmp_path, silent)[0] == 1
    assert enrol(viceversa, tmp_path, silent, more=["--assume-consent"])[0] == 0
    assert [each.event.consent.matching for each in said(cluster, prefix)] == [True]


def test_another_programme_and_another_source_are_counted_apart(viceversa, cluster, prefix, tmp_path):
    enrol(viceversa, tmp_path, GRACE)

    code, told = enrol(viceversa, tmp_path, GRACE, more=["--source", "/other/hr"])
    assert (code, told["refusals"][0]["reason"]) == (1, "the profile belongs to /hr/test")
    assert enrol(viceversa, tmp_path, GRACE, more=["--program", "autumn"])[1]["enrolled"] == 1


def test_who_was_erased_is_new_again(viceversa, cluster, prefix, tmp_path):
    enrol(viceversa, tmp_path, GRACE)
    producer = Producer({"bootstrap.servers": cluster, "partitioner": "murmur2_random"})
    producer.produce(f"{prefix}participant-enrolled", None, "spring/1")
    producer.flush(10)

    assert enrol(viceversa, tmp_path, GRACE)[1]["enrolled"] == 1


async def test_a_key_lies_where_the_services_producers_put_it(viceversa, cluster, prefix, tmp_path):
    people = [f"{number},Ada,mentor,2,,yes" for number in range(30)]
    enrol(viceversa, tmp_path, *people)
    topic = f"{prefix}participant-enrolled"
    hr = Listener()
    hr.run(write(tmp_path, *people))

    async with AIOKafkaProducer(bootstrap_servers=cluster) as producer:
        for event in hr.said:
            envelope = describe(event, id=event.participant_id, source="/other", time=datetime.now(UTC))
            await producer.send_and_wait(topic, encode(event), event.key.encode(), headers=headers(envelope))

    found = places(cluster, prefix, "participant-enrolled")
    assert len(found) == 60
    assert len(set(found)) == 30
