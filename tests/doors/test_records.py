"""Whatever stands in a record, reading it gives a value: never an exception, never a word of its content."""

from typing import Any

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from libs.chassis.intake import decoded
from libs.contracts.envelope import Erasure, Reason, Received, Unreadable, read
from libs.contracts.topics import TOPICS
from tests.doors.drawn import many
from tests.doors.records import NAMES, WORDS, Said, mutated

ANYTHING = st.builds(
    Said,
    st.sampled_from(list(TOPICS)),
    WORDS,
    st.none() | st.binary(),
    st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=10), WORDS), max_size=12).map(tuple),
)


@many(2_000)
@given(said=mutated() | ANYTHING)
def test_any_record_is_an_event_an_erasure_or_a_dead_letter_with_a_reason(said: Said) -> None:
    outcome = read(TOPICS[said.topic], said.key, said.value, said.headers)
    assert isinstance(outcome, Received | Erasure | Unreadable)
    if isinstance(outcome, Unreadable):
        assert outcome.reason in Reason
        assert outcome.detail


@many(1_000)
@given(said=mutated() | ANYTHING, timestamp=st.integers(-(2**63), 2**63 - 1))
def test_any_record_with_any_timestamp_becomes_an_item(said: Said, timestamp: int) -> None:
    value = said.value or b""
    record: Any = ConsumerRecord(
        said.topic, 0, 7, timestamp, 0, said.key, said.value, None, -1, len(value), said.headers
    )
    item = decoded(record, TOPICS[said.topic])
    assert item.id
    assert item.id.encode()
    assert item.cause


@many(300)
@given(text=st.text(alphabet="qxzjk", min_size=8, max_size=12), said=mutated())
def test_the_detail_of_a_dead_letter_names_fields_and_never_a_value(text: str, said: Said) -> None:
    """`text` stands in the place of every word of the data."""
    value = (said.value or b"").replace(b"Ada", text.encode()).replace(b"example.com", text.encode())
    outcome = read(TOPICS[said.topic], said.key, value, said.headers)
    assert not isinstance(outcome, Unreadable) or text not in outcome.detail
