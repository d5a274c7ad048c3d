"""What is written is read back, whichever mode; and what cannot be read says why."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.contracts.envelope import (
    Envelope,
    Erasure,
    Reason,
    Received,
    Unreadable,
    describe,
    encode,
    headers,
    read,
)
from libs.contracts.events import Event
from libs.contracts.examples import EXAMPLES, PAIR_CREATED, PARTICIPANT_ENROLLED
from libs.contracts.topics import TOPICS

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PAIRS, PEOPLE = TOPICS["pair-created"], TOPICS["participant-enrolled"]
KEY = PAIR_CREATED.key.encode()
EVENTS = pytest.mark.parametrize("event", EXAMPLES.values(), ids=EXAMPLES.keys())

Raw = list[tuple[str, bytes | None]]


def enveloped(event: Event, **extensions: Any) -> Envelope:
    return describe(event, id="0198c2aa-7e21", source="/viceversa/matching", time=NOON, **extensions)


def binary(**changes: bytes | None) -> Raw:
    """The headers of the pair that Ada and Grace make, with some of them replaced."""
    plain: Raw = [(name, value) for name, value in headers(enveloped(PAIR_CREATED)) if name not in changes]
    return plain + list(changes.items())


def without(name: str) -> Raw:
    return [header for header in binary() if header[0] != name]


def data(**changes: Any) -> bytes:
    return json.dumps(json.loads(encode(PAIR_CREATED)) | changes).encode()


def cloud_event(event: Event, **changes: Any) -> bytes:
    envelope = enveloped(event)
    return json.dumps(
        {
            "specversion": "1.0",
            "id": envelope.id,
            "source": envelope.source,
            "type": envelope.type,
            "time": "2026-03-02T13:00:00.123456+01:00",
            "subject": envelope.subject,
            "dataschema": envelope.dataschema,
            "data": json.loads(encode(event)),
        }
        | changes
    ).encode()


STRUCTURED: Raw = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def reason(outcome: object) -> Reason:
    assert isinstance(outcome, Unreadable), outcome
    return outcome.reason


@EVENTS
def test_an_event_written_in_binary_mode_is_read_back_with_its_whole_envelope(event: Event) -> None:
    envelope = enveloped(event, sequence=7, correlation_id="j-1", causation_id="c-1", traceparent=TRACE)
    outcome = read(TOPICS[event.topic], event.key.encode(), encode(event), headers(envelope))
    assert outcome == Received(event, envelope)


@EVENTS
def test_an_event_in_structured_mode_is_the_same_event(event: Event) -> None:
    outcome = read(TOPICS[event.topic], event.key.encode(), cloud_event(event), STRUCTURED)
    assert outcome == Received(event, enveloped(event))


def test_structured_mode_may_carry_its_data_in_base64() -> None:
    document = json.loads(cloud_event(PAIR_CREATED))
    document["data_base64"] = base64.b64encode(json.dumps(document.pop("data")).encode()).decode()
    assert isinstance(read(PAIRS, KEY, json.dumps(document).encode(), STRUCTURED), Received)


def test_structured_mode_carries_extensions_as_text_or_number() -> None:
    value = cloud_event(PAIR_CREATED, sequence=12, correlationid="j-1", traceparent=TRACE)
    outcome = read(PAIRS, KEY, value, STRUCTURED)
    assert isinstance(outcome, Received)
    assert (outcome.envelope.sequence, outcome.envelope.correlation_id) == (12, "j-1")
    assert outcome.envelope.traceparent == TRACE


def test_the_headers_are_those_of_the_kafka_binding() -> None:
    written = dict(headers(enveloped(PAIR_CREATED, sequence=3)))
    assert written["ce_specversion"] == b"1.0"
    assert written["ce_type"] == b"viceversa.pair-created.v1"
    assert written["ce_time"] == b"2026-03-02T12:00:00.123Z"
    assert written["ce_subject"] == KEY
    assert written["ce_dataschema"] == b"urn:viceversa:schema:pair-created:1"
    assert written["ce_sequence"] == b"3"
    assert written["content-type"] == b"application/json"


def test_absent_optional_fields_are_not_written() -> None:
    assert b"null" not in encode(PARTICIPANT_ENROLLED.model_copy(update={"capacity": None, "locale": None}))


@pytest.mark.parametrize("name", ["ce_specversion", "ce_id", "ce_source", "ce_type"])
def test_a_required_attribute_that_is_absent_or_null_is_missing(name: str) -> None:
    assert reason(read(PAIRS, KEY, data(), without(name))) is Reason.MISSING_ATTRIBUTE
    assert reason(read(PAIRS, KEY, data(), binary(**{name: None}))) is Reason.MISSING_ATTRIBUTE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b""),
        ("ce_id", b"\xff"),
        ("ce_id", b"x" * 2000),
        ("ce_source", b"\xff"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-03-02T12:00:00"),
        ("ce_time", b"\xff"),
        ("content-type", b"application/avro"),
        ("content-type", b"application/cloudevents+avro"),
        ("content-type", b"application/cloudevents-batch+json"),
    ],
)
def test_an_attribute_that_cannot_be_right_is_wrong(name: str, value: bytes) -> None:
    assert reason(read(PAIRS, KEY, data(), binary(**{name: value}))) is Reason.WRONG_ATTRIBUTE


@pytest.mark.parametrize("type", [b"viceversa.pair-created.v2", b"viceversa.pair-ended.v1", b"", b"\xff"])
def test_a_type_of_another_topic_or_major_version_is_unknown(type: bytes) -> None:
    assert reason(read(PAIRS, KEY, data(), binary(ce_type=type))) is Reason.UNKNOWN_TYPE


def test_without_a_time_of_its_own_an_event_has_the_time_of_its_record() -> None:
    outcome = read(PAIRS, KEY, data(), without("ce_time"), NOON)
    assert isinstance(outcome, Received)
    assert outcome.envelope.time == NOON
    assert reason(read(PAIRS, KEY, data(), without("ce_time"))) is Reason.MISSING_ATTRIBUTE


@pytest.mark.parametrize("value", [b"", b"{", b"nope", b'{"a": NaN', b"[" * 5000])
def test_a_value_that_is_no_json_says_so(value: bytes) -> None:
    assert reason(read(PAIRS, KEY, value, binary())) is Reason.INVALID_JSON
    assert reason(read(PAIRS, KEY, value, STRUCTURED)) is Reason.INVALID_JSON


def test_text_that_is_not_utf8_says_so() -> None:
    assert reason(read(PAIRS, KEY, b'{"pair_id": "\xff"}', binary())) is Reason.NOT_UTF8
    assert reason(read(PAIRS, b"\xff", data(), binary())) is Reason.NOT_UTF8


def test_data_that_breaks_the_schema_names_the_field_and_never_the_value() -> None:
    value = json.dumps(json.loads(encode(PARTICIPANT_ENROLLED)) | {"email": "ada at home", "grade": "high"}).encode()
    envelope = headers(enveloped(PARTICIPANT_ENROLLED))
    outcome = read(PEOPLE, PARTICIPANT_ENROLLED.key.encode(), value, envelope)
    assert reason(outcome) is Reason.INVALID_DATA
    assert isinstance(outcome, Unreadable)
    assert "email: " in outcome.detail
    assert "grade: " in outcome.detail
    assert "ada" not in outcome.detail
    assert "high" not in outcome.detail


@pytest.mark.parametrize("value", [b"[]", b"null", b'"text"', b"{}"])
def test_json_of_another_shape_is_invalid_data(value: bytes) -> None:
    assert reason(read(PAIRS, KEY, value, binary())) is Reason.INVALID_DATA


def test_numbers_and_times_are_not_guessed_from_other_json_types() -> None:
    assert reason(read(PAIRS, KEY, data(score="0.5"), binary())) is Reason.INVALID_DATA
    assert reason(read(PAIRS, KEY, data(created_at=1772442000), binary())) is Reason.INVALID_DATA


def test_the_record_key_the_subject_and_the_ids_in_the_data_are_one_text() -> None:
    assert reason(read(PAIRS, b"p-other", data(), binary())) is Reason.KEY_MISMATCH
    assert reason(read(PAIRS, None, data(), binary())) is Reason.KEY_MISMATCH
    assert reason(read(PAIRS, KEY, data(), binary(ce_subject=b"p-other"))) is Reason.KEY_MISMATCH
    assert reason(read(PAIRS, KEY, data(pair_id="p-other"), binary())) is Reason.KEY_MISMATCH


@pytest.mark.parametrize("subject", [None, b"", b"\xff"])
def test_without_a_readable_subject_the_key_is_the_subject(subject: bytes | None) -> None:
    outcome = read(PAIRS, KEY, data(), binary(ce_subject=subject))
    assert isinstance(outcome, Received)
    assert outcome.envelope.subject == PAIR_CREATED.key


def test_a_null_value_is_an_erasure_on_compacted_topics_only() -> None:
    assert read(PEOPLE, b"digital-2026/e-1", None, []) == Erasure(PEOPLE, "digital-2026/e-1")
    assert reason(read(PAIRS, KEY, None, binary())) is Reason.NULL_VALUE


@pytest.mark.parametrize("key", [None, b"", b"digital-2026", b"a/b/c", b"digital-2026/", b"digital-2026/e 1", b"a/b\n"])
def test_an_erasure_needs_a_key_that_can_be_a_persons(key: bytes | None) -> None:
    assert reason(read(PEOPLE, key, None, [])) is Reason.KEY_MISMATCH


def test_a_cloud_event_without_data_is_no_erasure() -> None:
    assert reason(read(PAIRS, KEY, cloud_event(PAIR_CREATED, data=None), STRUCTURED)) is Reason.NULL_VALUE


def test_a_value_at_the_limit_is_read_and_one_byte_more_is_not() -> None:
    padded = data()[:-1] + b" " * (PAIRS.max_bytes - len(data())) + b"}"
    assert isinstance(read(PAIRS, KEY, padded, binary()), Received)
    assert reason(read(PAIRS, KEY, padded + b" ", binary())) is Reason.TOO_LARGE


@pytest.mark.parametrize("value", [None, b"\xff\xfe", b"", b"x" * 5000])
@pytest.mark.parametrize(
    "name",
    ["x-anything", "ce_unknown", "ce_dataschema", "ce_correlationid", "ce_causationid", "ce_sequence", "traceparent"],
)
def test_no_optional_header_breaks_a_reader(name: str, value: bytes | None) -> None:
    assert isinstance(read(PAIRS, KEY, data(), binary(**{name: value})), Received)


@pytest.mark.parametrize("value", [b"-1", b"a7", b"1.5", b"99999999999999999999", "²".encode()])
def test_a_sequence_in_a_foreign_notation_counts_as_none(value: bytes) -> None:
    outcome = read(PAIRS, KEY, data(), binary(ce_sequence=value))
    assert isinstance(outcome, Received)
    assert outcome.envelope.sequence is None


@pytest.mark.parametrize(
    "content_type", [None, b"\xff", b"application/json; charset=utf-8", b"application/vnd.hr+json"]
)
def test_json_is_known_by_many_names(content_type: bytes | None) -> None:
    assert isinstance(read(PAIRS, KEY, data(), binary(**{"content-type": content_type})), Received)


def test_unknown_fields_and_words_of_open_vocabularies_are_tolerated() -> None:
    ended = EXAMPLES["pair-ended"]
    value = json.dumps(json.loads(encode(ended)) | {"mood": "fine", "reason": "sabbatical"}).encode()
    outcome = read(TOPICS["pair-ended"], ended.key.encode(), value, headers(enveloped(ended)))
    assert isinstance(outcome, Received)
    assert outcome.event == ended.model_copy(update={"reason": "other"})
