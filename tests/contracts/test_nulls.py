"""Null in an optional field says what its absence says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from libs.contracts.envelope import Received, describe, headers, read
from libs.contracts.events import Event
from libs.contracts.examples import EXAMPLES, PARTICIPANT_ENROLLED
from libs.contracts.topics import topic_of

Place = tuple[str | int, ...]


def optional_places(model: BaseModel, at: Place = ()) -> Iterator[Place]:
    """Where in the JSON of a model a field may be left out."""
    for name, field in type(model).model_fields.items():
        if not field.is_required():
            yield (*at, name)
        value = getattr(model, name)
        parts = list(enumerate(value)) if isinstance(value, tuple) else [(None, value)]
        for number, part in parts:
            if isinstance(part, BaseModel):
                yield from optional_places(part, (*at, name) if number is None else (*at, name, number))


def changed(event: Event, place: Place, *, null: bool) -> bytes:
    data = json.loads(event.model_dump_json())
    inside: Any = data
    for step in place[:-1]:
        inside = inside[step]
    inside.pop(place[-1], None)
    if null:
        inside[place[-1]] = None
    return json.dumps(data).encode()


CASES = [(event, place) for event in EXAMPLES.values() for place in optional_places(event)]


@pytest.mark.parametrize(("event", "place"), CASES, ids=[f"{e.topic}: {'.'.join(map(str, p))}" for e, p in CASES])
def test_a_null_is_read_as_absent(event: Event, place: Place) -> None:
    envelope = describe(event, id="1", source="/hr", time=PARTICIPANT_ENROLLED.enrolled_at)
    with_null, without = (
        read(topic_of(type(event)), event.key.encode(), changed(event, place, null=null), headers(envelope))
        for null in (True, False)
    )
    assert isinstance(with_null, Received)
    assert with_null == without


def test_a_wrong_value_in_an_optional_field_is_still_refused_with_its_own_name() -> None:
    for name in ("channels", "unavailable", "preferred_ids"):
        with pytest.raises(ValidationError) as error:
            type(PARTICIPANT_ENROLLED).model_validate(PARTICIPANT_ENROLLED.model_dump() | {name: 3})
        assert [each["loc"] for each in error.value.errors()] == [(name,)]
