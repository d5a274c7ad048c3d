"""The envelope of an event: CloudEvents 1.0 in its Kafka protocol binding.

Written in binary mode (attributes in headers, the data alone as value), read in binary and structured mode. Whatever
the bytes of a record are, reading answers with a value and never raises. A foreign event may lack `ce_subject` (the
record's key is the subject), `ce_time` (the record's timestamp is used) and all extensions; what is optional and
unreadable counts as absent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydantic import Base64Bytes, TypeAdapter, ValidationError

from .attributes import instant, media_type, rfc3339, sequence, text
from .events import Event
from .fields import to_time
from .ids import is_key
from .topics import Topic, topic_of

_REQUIRED: Final = ("ce_specversion", "ce_id", "ce_source", "ce_type")
_CLOUD_EVENT: Final = TypeAdapter(dict[str, Any])
_DATA: Final = TypeAdapter(Any)
_BASE64: Final = TypeAdapter(Base64Bytes)

Headers = Sequence[tuple[str, bytes | None]]
_Attributes = dict[str, bytes | None]


class Reason(StrEnum):
    """Why a record cannot be read."""

    NULL_VALUE = "null_value"  # no value on a topic that is not compacted, or a CloudEvent without data
    TOO_LARGE = "too_large"  # the value exceeds the topic's limit
    NOT_UTF8 = "not_utf8"  # the key or the value is no UTF-8 text
    INVALID_JSON = "invalid_json"  # the value is no JSON document
    INVALID_DATA = "invalid_data"  # the JSON breaks the event's schema
    MISSING_ATTRIBUTE = "missing_attribute"  # a required CloudEvents attribute is absent
    WRONG_ATTRIBUTE = "wrong_attribute"  # a CloudEvents attribute or the content type cannot be what it says
    UNKNOWN_TYPE = "unknown_type"  # the type is not this topic's, or of another major version
    KEY_MISMATCH = "key_mismatch"  # the record's key, the subject and the ids in the data are not one text


# Two of these are made for each record; a frozen dataclass costs four times as much to make.
class Envelope(NamedTuple):
    """The attributes of an event. `sequence` counts the facts of (source, subject); foreign events may lack it."""

    id: str
    source: str
    type: str
    time: datetime
    subject: str
    dataschema: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    sequence: int | None = None
    traceparent: str | None = None


class Received(NamedTuple):
    """A valid event."""

    event: Event
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Erasure:
    """A null value on a compacted topic: what the key names is to be forgotten."""

    topic: Topic
    key: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A dead letter in the making. The detail names fields and rules, never a value of the data."""

    reason: Reason
    detail: str


def describe(
    event: Event,
    *,
    id: str,
    source: str,
    time: datetime,
    sequence: int | None = None,
    correlation_id: str | None = None,
    causation_id: str | None = None,
    traceparent: str | None = None,
) -> Envelope:
    """The envelope of a fact that is said now. The time must be aware."""
    topic = topic_of(type(event))
    return Envelope(
        id=id,
        source=source,
        type=topic.type,
        time=to_time(time),
        subject=event.key,
        dataschema=topic.dataschema,
        correlation_id=correlation_id,
        causation_id=causation_id,
        sequence=sequence,
        traceparent=traceparent,
    )


def encode(event: Event) -> bytes:
    """The data of an event as JSON. Absent optional fields are left out."""
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


def headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The record headers of an event in binary mode."""
    own = (
        ("ce_id", envelope.id),
        ("ce_subject", envelope.subject),
        ("ce_correlationid", envelope.correlation_id),
        ("ce_causationid", envelope.causation_id),
        ("ce_sequence", None if envelope.sequence is None else str(envelope.sequence)),
        ("ce_traceparent", envelope.traceparent),
        ("traceparent", envelope.traceparent),
    )
    shared = _shared_headers(envelope.source, envelope.type, envelope.time, envelope.dataschema)
    return [*shared, *((name, value.encode()) for name, value in own if value is not None)]


@lru_cache(maxsize=256)  # the facts of one transaction share these
def _shared_headers(source: str, type: str, time: datetime, dataschema: str | None) -> tuple[tuple[str, bytes], ...]:
    attributes = (
        ("ce_specversion", "1.0"),
        ("ce_source", source),
        ("ce_type", type),
        ("ce_time", rfc3339(time)),
        ("ce_dataschema", dataschema),
        ("content-type", "application/json"),
    )
    return tuple((name, value.encode()) for name, value in attributes if value is not None)


def read(
    topic: Topic, key: bytes | None, value: bytes | None, headers: Headers, timestamp: datetime | None = None
) -> Received | Erasure | Unreadable:
    """A record as event, erasure or dead letter. `timestamp` (aware) is the record's, for events without `ce_time`."""
    try:
        subject = None if key is None else key.decode()
    except UnicodeDecodeError:
        return Unreadable(Reason.NOT_UTF8, "the key is not UTF-8")
    if value is None:
        return _erasure(topic, subject)
    if len(value) > topic.max_bytes:
        return Unreadable(Reason.TOO_LARGE, f"{len(value)} bytes, at most {topic.max_bytes}")
    attributes: _Attributes = dict(headers)
    media = media_type(attributes.get("content-type"))
    if media == b"application/cloudevents+json":
        return _read_structured(topic, subject, value, timestamp)
    if media.startswith(b"application/cloudevents") or not media.endswith((b"/json", b"+json")):
        return Unreadable(Reason.WRONG_ATTRIBUTE, "content-type: neither JSON nor a CloudEvent in JSON")
    return _read_event(topic, subject, value, attributes, timestamp)


def _erasure(topic: Topic, key: str | None) -> Erasure | Unreadable:
    if not topic.compacted:
        return Unreadable(Reason.NULL_VALUE, "a null value means erasure on compacted topics only")
    if key is None or not is_key(key, len(topic.event.key_fields)):
        return Unreadable(Reason.KEY_MISMATCH, "an erasure needs the key of what is to be erased")
    return Erasure(topic, key)


def _read_structured(topic: Topic, key: str | None, value: bytes, timestamp: datetime | None) -> Received | Unreadable:
    """Structured mode is rare, so it is brought into the form of binary mode and read like that."""
    try:
        document = _CLOUD_EVENT.validate_json(value)
        data = _structured_data(document)
    except ValidationError as error:
        return _invalid(error, value)
    if data is None:
        return Unreadable(Reason.NULL_VALUE, "a CloudEvent without data")
    attributes: _Attributes = {
        f"ce_{name}": str(word).encode() for name, word in document.items() if type(word) in (str, int)
    }
    return _read_event(topic, key, data, attributes, timestamp)


def _structured_data(document: dict[str, Any]) -> bytes | None:
    if "data_base64" in document:
        return _BASE64.validate_python(document["data_base64"])
    data = document.get("data")
    return None if data is None else _DATA.dump_json(data)


def _read_event(
    topic: Topic, key: str | None, data: bytes, attributes: _Attributes, timestamp: datetime | None
) -> Received | Unreadable:
    envelope = _envelope(topic, key, attributes, timestamp)
    if isinstance(envelope, Unreadable):
        return envelope
    try:
        event = topic.event.__pydantic_validator__.validate_json(data, strict=True)
    except ValidationError as error:
        return _invalid(error, data)
    if not key == envelope.subject == event.key:
        return Unreadable(Reason.KEY_MISMATCH, "record key, subject and the data's ids must be one text")
    return Received(event, envelope)


def _envelope(
    topic: Topic, key: str | None, attributes: _Attributes, timestamp: datetime | None
) -> Envelope | Unreadable:
    get = attributes.get
    for name in _REQUIRED:
        if get(name) is None:
            return Unreadable(Reason.MISSING_ATTRIBUTE, name)
    if get("ce_specversion") != b"1.0":
        return Unreadable(Reason.WRONG_ATTRIBUTE, "ce_specversion: only 1.0 is read")
    id, source, type = text(get("ce_id")), text(get("ce_source")), text(get("ce_type"))
    if not id or not source:
        return Unreadable(Reason.WRONG_ATTRIBUTE, f"{'ce_source' if id else 'ce_id'}: empty, too long or not UTF-8")
    if type != topic.type:
        return Unreadable(Reason.UNKNOWN_TYPE, f"ce_type: {topic.type} is read here")
    moment = get("ce_time")
    time = timestamp if moment is None else instant(moment)
    if time is None:
        reason = Reason.WRONG_ATTRIBUTE if moment else Reason.MISSING_ATTRIBUTE
        return Unreadable(reason, "ce_time: RFC 3339 with an offset from UTC")
    return Envelope(
        id,
        source,
        type,
        time,
        text(get("ce_subject")) or key or "",
        text(get("ce_dataschema")),
        text(get("ce_correlationid")),
        text(get("ce_causationid")),
        sequence(get("ce_sequence")),
        text(get("ce_traceparent")) or text(get("traceparent")),
    )


def _invalid(error: ValidationError, value: bytes) -> Unreadable:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] != "json_invalid":
        return Unreadable(Reason.INVALID_DATA, "; ".join(map(_problem, problems[:5])))
    try:
        value.decode()
    except UnicodeDecodeError:
        return Unreadable(Reason.NOT_UTF8, "the value is not UTF-8")
    return Unreadable(Reason.INVALID_JSON, problems[0]["msg"])


def _problem(problem: Any) -> str:
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
