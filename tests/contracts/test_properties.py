"""Whatever arrives, reading answers with a value."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.envelope import Erasure, Received, Unreadable, describe, encode, headers, read
from libs.contracts.events import Event
from libs.contracts.examples import EXAMPLES
from libs.contracts.topics import TOPICS, Topic

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ENVELOPES = {topic: describe(event, id="e-1", source="/hr", time=NOON) for topic, event in EXAMPLES.items()}
NAMES = st.sampled_from(["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "content-type"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def answered(topic: Topic, key: bytes | None, value: bytes | None, raw: list[tuple[str, bytes | None]]) -> bool:
    return isinstance(read(topic, key, value, raw), Received | Erasure | Unreadable)


def written(event: Event) -> list[tuple[str, bytes | None]]:
    return list(headers(ENVELOPES[event.topic]))


@given(
    topic=st.sampled_from(list(TOPICS.values())),
    key=st.none() | st.binary(),
    value=st.none() | st.binary(),
    raw=st.lists(st.tuples(NAMES | st.text(), st.none() | st.binary())),
)
def test_any_bytes_are_answered(
    topic: Topic, key: bytes | None, value: bytes | None, raw: list[tuple[str, bytes | None]]
) -> None:
    assert answered(topic, key, value, raw)


@given(event=st.sampled_from(list(EXAMPLES.values())), name=NAMES, value=st.none() | st.binary())
def test_any_value_of_any_header_is_answered(event: Event, name: str, value: bytes | None) -> None:
    assert answered(TOPICS[event.topic], event.key.encode(), encode(event), [*written(event), (name, value)])


@settings(max_examples=300)
@given(event=st.sampled_from(list(EXAMPLES.values())), document=JSON, structured=st.booleans(), chance=st.data())
def test_any_json_in_any_field_is_answered(
    event: Event, document: Any, structured: bool, chance: st.DataObject
) -> None:
    fields = json.loads(encode(event))
    fields[chance.draw(st.sampled_from(sorted(fields)))] = document
    raw = written(event)
    if structured:
        raw = [("content-type", b"application/cloudevents+json")]
        fields = {"specversion": "1.0", "id": "e-1", "source": "/hr", "type": TOPICS[event.topic].type, "data": fields}
    assert answered(TOPICS[event.topic], event.key.encode(), json.dumps(fields).encode(), raw)


@given(event=st.sampled_from(list(EXAMPLES.values())), extra=st.dictionaries(st.text(), JSON, max_size=3))
def test_unknown_fields_never_change_what_is_read(event: Event, extra: dict[str, Any]) -> None:
    value = json.dumps(extra | json.loads(encode(event)), allow_nan=True).encode()
    outcome = read(TOPICS[event.topic], event.key.encode(), value, written(event))
    assert isinstance(outcome, Unreadable) or outcome == Received(event, ENVELOPES[event.topic])


@given(event=st.sampled_from(list(EXAMPLES.values())), time=st.datetimes(timezones=st.timezones()))
def test_any_moment_is_read_back_as_it_was_written(event: Event, time: datetime) -> None:
    try:
        envelope = describe(event, id="e-1", source="/hr", time=time)
    except ValueError:
        return
    assert read(TOPICS[event.topic], event.key.encode(), encode(event), headers(envelope)) == Received(event, envelope)
