"""What an operator sees of a parked record tells its structure, and nothing that it says of a person."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from libs.chassis.masking import field_name, masked, masked_text, structure
from libs.contracts import examples
from libs.contracts.envelope import encode
from libs.contracts.events import Event

EXAMPLES = [event for event in vars(examples).values() if isinstance(event, Event)]
SAYINGS = some.text("Ωλ").map(lambda text: f"Zoë Ω {text}")
ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | SAYINGS,
    lambda inner: some.lists(inner) | some.dictionaries(SAYINGS | some.sampled_from(("name", "unit")), inner),
)


def texts(value: Any) -> set[str]:
    match value:
        case dict():
            return {text for each in value.values() for text in texts(each)}
        case list():
            return {text for each in value for text in texts(each)}
        case str():
            return {value}
    return set()


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.topic)
def test_no_text_of_an_event_is_shown_and_every_field_name_is(event: Event) -> None:
    content = json.loads(encode(event))

    shown = masked(encode(event))

    assert not texts(shown) & texts(content)
    assert shown.keys() == content.keys()


def test_nothing_of_a_person_is_part_of_what_is_shown() -> None:
    said = json.dumps(masked(encode(examples.PARTICIPANT_ENROLLED)))

    for value in ("Ada", "Okafor", "example.com", "e-10482", "Zurich", "Digital Platforms"):
        assert value not in said


@given(ANYTHING)
def test_no_text_of_any_json_is_shown_not_even_as_a_name(value: Any) -> None:
    for content in (json.dumps(value, ensure_ascii=False), json.dumps(value), json.dumps(value)[:-1]):
        said = json.dumps(masked(content.encode()), ensure_ascii=False)
        assert not set("Ωλë") & set(said)


@given(some.binary())
def test_whatever_the_bytes_are_something_is_shown(content: bytes) -> None:
    json.dumps([masked(content), masked_text(content)], allow_nan=False)


def test_types_and_lengths_tell_why_it_was_refused() -> None:
    content = (
        b'{"name": "Ada", "grade": "5", "capacity": 2, "score": 0.5, "consent": true, "manager_ids": [null, "x1"]}'
    )

    assert masked(content) == {
        "name": "text (3)",
        "grade": "text (1)",
        "capacity": "whole number",
        "score": "number",
        "consent": "true or false",
        "manager_ids": [None, "text (2)"],
    }


def test_what_is_no_json_is_told_by_its_size_and_place() -> None:
    assert masked(b"\xff\x00") == "binary (2 bytes)"
    assert masked(b'{"name": Ada}') == "no JSON (13 bytes), broken at line 1 column 10"
    assert (masked(None), masked_text(None)) == (None, None)
    assert (masked_text("Zoë".encode()), masked_text(b"\xff")) == ("text (3)", "binary (1 bytes)")


def test_what_is_long_or_deep_is_shown_in_part() -> None:
    deep: Any = 1
    for _ in range(30):
        deep = [deep]

    assert json.dumps(structure(deep)).count("[") == 10
    assert structure([1] * 105)[-1] == "5 more"
    assert structure({f"n{number}": 1 for number in range(105)})["5 more"] == "not shown"
    assert field_name("ada@example.com") == "a name (15)"
