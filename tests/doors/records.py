"""Records as strangers write them: sound ones of every topic, and the same with something changed."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import Event
from libs.contracts.examples import EXAMPLES

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = (
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_time",
    "ce_subject",
    "ce_dataschema",
    "ce_correlationid",
    "ce_causationid",
    "ce_sequence",
    "ce_traceparent",
    "traceparent",
    "content-type",
)
WORDS = st.none() | st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode(errors="surrogatepass"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A record before it has a place."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def sound(event: Event, id: str = "e-1") -> Said:
    envelope = describe(event, id=id, source="/hr", time=NOON)
    return Said(event.topic, event.key.encode(), encode(event), tuple(headers(envelope)))


@st.composite
def mutated(draw: st.DrawFn, topics: tuple[str, ...] = tuple(EXAMPLES)) -> Said:
    """A sound record with up to three changes in its key, its headers, its bytes or its JSON."""
    said = sound(EXAMPLES[draw(st.sampled_from(topics))])
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        said = change(draw, said)
    return said


def _other_key(draw: st.DrawFn, said: Said) -> Said:
    return replace(said, key=draw(WORDS))


def _other_header(draw: st.DrawFn, said: Said) -> Said:
    """One header is changed, put twice, or left out."""
    name, word = draw(st.sampled_from(NAMES)), draw(WORDS)
    left = tuple(pair for pair in said.headers if pair[0] != name)
    return replace(said, headers=draw(st.sampled_from([left, (*left, (name, word)), (*said.headers, (name, word))])))


def _other_value(draw: st.DrawFn, said: Said) -> Said:
    return replace(said, value=draw(st.none() | st.binary(max_size=200)))


def _torn(draw: st.DrawFn, said: Said) -> Said:
    """Bytes in the middle are replaced by others."""
    value = said.value or b""
    start = draw(st.integers(0, len(value)))
    end = draw(st.integers(start, min(len(value), start + 20)))
    return replace(said, value=value[:start] + draw(st.binary(max_size=20)) + value[end:])


def _other_field(draw: st.DrawFn, said: Said) -> Said:
    """Some JSON stands where a field stood, at any depth."""
    try:
        tree: Any = json.loads(said.value or b"null")
    except ValueError:
        return said
    place = tree
    while isinstance(place, dict | list) and place:
        name = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[name], dict | list) or not place[name] or draw(st.booleans()):
            place[name] = draw(JSON)
            break
        place = place[name]
    return replace(said, value=json.dumps(tree).encode())


def _structured(draw: st.DrawFn, said: Said) -> Said:
    """As a structured CloudEvent, with an attribute or two that are anything."""
    names = {name.removeprefix("ce_"): (word or b"").decode("latin-1") for name, word in said.headers}
    names |= draw(st.dictionaries(st.sampled_from([*names, "data_base64", "time", "id"]), JSON, max_size=2))
    document = json.dumps(names).encode()[:-1] + b', "data": ' + (said.value or b"null") + b"}"
    kind = draw(st.sampled_from([b"application/cloudevents+json", b"application/cloudevents+json; charset=utf-8"]))
    return replace(said, value=document, headers=(("content-type", kind),))


CHANGES = (_other_key, _other_header, _other_value, _torn, _other_field, _structured)
