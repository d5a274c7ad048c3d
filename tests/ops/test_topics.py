from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from deploy.local.processes import wait_until
from libs.contracts.topics import RELAY_TOPIC, TOPICS
from libs.ops.topics import Outcome, apply, desired

HEARS = {"scheduling": ["pair-created"], "notifications": ["pair-created"]}


def names(specs) -> set[str]:
    return {spec.name for spec in specs}


def cleanup_policy(admin: AdminClient, topic: str) -> str:
    [answer] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return answer.result(10)["cleanup.policy"].value


def partitions(admin: AdminClient, topic: str) -> int:
    return len(admin.list_topics(timeout=10).topics[topic].partitions)


def test_dead_letter_topics_follow_from_what_each_service_hears():
    extra = names(desired("mentoring.", HEARS, 1)) - {f"mentoring.{name}" for name in TOPICS}

    assert extra == {
        "mentoring.pair-created.scheduling.dlq",
        "mentoring.pair-created.notifications.dlq",
        f"mentoring.{RELAY_TOPIC}",
    }


def test_applying_twice_creates_once(stack, prefix):
    first = apply(stack.kafka, prefix, HEARS)
    second = apply(stack.kafka, prefix, HEARS)

    assert {outcome for _, outcome in first} == {Outcome.CREATED}
    assert {outcome for _, outcome in second} == {Outcome.SAME}
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    assert all(partitions(admin, spec.name) == spec.partitions for spec in desired(prefix, HEARS, 1))


def drift(admin: AdminClient, topic: str) -> None:
    """Give a topic another clean-up policy; return when the broker shows it."""
    entry = ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    [answer] = admin.incremental_alter_configs([resource]).values()
    answer.result(10)
    wait_until(lambda: cleanup_policy(admin, topic) == "delete", 10, "the drifted topic")


def test_a_topic_that_drifted_is_brought_back(stack, prefix):
    apply(stack.kafka, prefix, HEARS)
    admin, topic = AdminClient({"bootstrap.servers": stack.kafka}), f"{prefix}program-published"
    drift(admin, topic)

    outcomes = dict(apply(stack.kafka, prefix, HEARS))

    assert {name for name, outcome in outcomes.items() if outcome is not Outcome.SAME} == {topic}
    assert outcomes[topic] is Outcome.ALTERED
    wait_until(lambda: cleanup_policy(admin, topic) == "compact", 10, "the topic brought back")


def test_a_topic_with_other_partitions_is_refused_because_keys_would_move(stack, prefix):
    apply(stack.kafka, prefix, HEARS)
    admin, topic = AdminClient({"bootstrap.servers": stack.kafka}), f"{prefix}pair-ended"
    [answer] = admin.create_partitions([NewPartitions(topic, 7)]).values()
    answer.result(10)
    wait_until(lambda: partitions(admin, topic) == 7, 10, "the seventh partition")

    assert dict(apply(stack.kafka, prefix, HEARS))[topic] is Outcome.REFUSED
    assert partitions(admin, topic) == 7
