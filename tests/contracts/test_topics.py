"""The table of topics."""

import pytest

from libs.contracts import events
from libs.contracts.events import Event
from libs.contracts.examples import EXAMPLES, PAIR_CREATED
from libs.contracts.topics import TOPICS, Topic, dead_letter_config, dead_letter_topic, topic_config, topic_of

EACH = pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS.keys())


def kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


@EACH
def test_a_topic_is_named_as_its_event(topic: Topic) -> None:
    assert topic.name == topic.event.topic == kebab(topic.event.__name__)
    assert topic_of(topic.event) is topic


def test_every_topic_has_an_example_in_the_order_of_the_catalogue() -> None:
    assert list(EXAMPLES) == list(TOPICS)


def test_every_event_of_the_language_has_a_topic() -> None:
    classes = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    assert {kind for kind in classes if hasattr(kind, "topic")} == {topic.event for topic in TOPICS.values()}


def test_state_is_kept_for_ever_and_facts_for_a_month() -> None:
    compacted = {name for name, topic in TOPICS.items() if topic.compacted}
    assert compacted == {"program-published", "participant-enrolled", "participant-withdrawn"}
    assert topic_config(TOPICS["participant-enrolled"], 3)["retention.ms"] == "-1"
    assert topic_config(TOPICS["participant-enrolled"], 3)["cleanup.policy"] == "compact"
    assert topic_config(TOPICS["pair-created"], 3)["retention.ms"] == str(30 * 24 * 3600 * 1000)
    assert dead_letter_config(TOPICS["participant-enrolled"], 3)["retention.ms"] == str(90 * 24 * 3600 * 1000)


def test_replicas_in_sync_never_exceed_what_the_cluster_has() -> None:
    assert topic_config(topic_of(type(PAIR_CREATED)), 3)["min.insync.replicas"] == "2"
    assert topic_config(topic_of(type(PAIR_CREATED)), 1)["min.insync.replicas"] == "1"


def test_a_value_at_the_limit_fits_into_a_record_with_its_headers() -> None:
    topic = TOPICS["pair-created"]
    assert int(topic_config(topic, 1)["max.message.bytes"]) > topic.max_bytes


def test_each_service_parks_what_it_cannot_handle_on_a_topic_of_its_own() -> None:
    assert dead_letter_topic("pair-created", "scheduling") == "pair-created.scheduling.dlq"
