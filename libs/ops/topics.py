"""Brings a cluster's topics in line with the contracts' table. Safe to run again and again."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are public, only not marked so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicMetadata,
)

from libs.contracts.topics import (
    RELAY_PARTITIONS,
    RELAY_TOPIC,
    TOPICS,
    dead_letter_config,
    dead_letter_topic,
    relay_config,
    topic_config,
)

PATIENCE = 30
MOST_REPLICAS = 3


class Outcome(StrEnum):
    """What became of a topic."""

    CREATED = "created"
    SAME = "same"  # it was already as desired
    ALTERED = "altered"  # its configuration was brought in line
    REFUSED = "refused"  # other partitions: changing them would move keys and break their order


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be, under its full name."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def desired(prefix: str, hears: Mapping[str, Sequence[str]], replication: int) -> list[TopicSpec]:
    """The contracts' topics, a dead-letter topic for each that a service hears, and the relays' topic.

    `hears` gives for each service the unprefixed names of the topics that it hears.
    """
    facts = [
        TopicSpec(prefix + name, topic.partitions, replication, topic_config(topic, replication))
        for name, topic in TOPICS.items()
    ]
    dead_letters = [
        TopicSpec(
            prefix + dead_letter_topic(name, service),
            TOPICS[name].partitions,
            replication,
            dead_letter_config(TOPICS[name], replication),
        )
        for service, names in hears.items()
        for name in names
    ]
    relay = TopicSpec(prefix + RELAY_TOPIC, RELAY_PARTITIONS, replication, relay_config(replication))
    return [*facts, *dead_letters, relay]


def apply(
    bootstrap: str, prefix: str, hears: Mapping[str, Sequence[str]], replication: int | None = None
) -> list[tuple[str, Outcome]]:
    """Create what is missing and alter what differs; names as in `desired`.

    Without `replication` three replicas, or as many as there are brokers. Raises KafkaException if none can be reached,
    TimeoutError if a new topic gets no leader.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap})
    cluster = admin.list_topics(timeout=PATIENCE)
    specs = desired(prefix, hears, replication or min(len(cluster.brokers), MOST_REPLICAS))
    present = cluster.topics
    missing = [spec for spec in specs if spec.name not in present]
    _create(admin, missing)
    created = {spec.name: Outcome.CREATED for spec in missing}
    existing = [spec for spec in specs if spec.name in present]
    outcomes = created | dict(_align(admin, existing, present))
    return [(spec.name, outcomes[spec.name]) for spec in specs]


def _create(admin: AdminClient, specs: Sequence[TopicSpec]) -> None:
    topics = [NewTopic(spec.name, spec.partitions, spec.replication, config=dict(spec.config)) for spec in specs]
    if topics:
        _await(admin.create_topics(topics, operation_timeout=PATIENCE).values())
        _await_leaders(admin, {spec.name for spec in specs})


def _await_leaders(admin: AdminClient, names: Set[str]) -> None:
    """A topic is created before brokers tell clients about it, and told of before its leaders know that they lead."""
    limit = time.monotonic() + PATIENCE
    while waiting := names - _with_leaders(admin, names):
        if time.monotonic() > limit:
            raise TimeoutError(f"created, but without a leader after {PATIENCE} s: {', '.join(sorted(waiting))}")
        time.sleep(0.05)


def _with_leaders(admin: AdminClient, names: Set[str]) -> set[str]:
    topics = admin.list_topics(timeout=PATIENCE).topics
    led = {
        name: topic
        for name, topic in topics.items()
        if name in names and topic.partitions and all(each.leader >= 0 for each in topic.partitions.values())
    }
    latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its type is not told
    asked = {TopicPartition(name, number): latest for name, topic in led.items() for number in topic.partitions}
    answers = admin.list_offsets(asked, request_timeout=PATIENCE) if asked else {}
    silent = {place.topic for place, answer in answers.items() if answer.exception(PATIENCE)}
    return set(led) - silent


def _align(
    admin: AdminClient, specs: Sequence[TopicSpec], present: Mapping[str, TopicMetadata]
) -> Iterator[tuple[str, Outcome]]:
    found = _configs(admin, [spec.name for spec in specs])
    changed = {spec.name: _differences(spec, found[spec.name]) for spec in specs}
    resources = [_resource(name, changes) for name, changes in changed.items() if changes]
    if resources:
        _await(admin.incremental_alter_configs(resources).values())
    for spec in specs:
        if len(present[spec.name].partitions) != spec.partitions:
            yield spec.name, Outcome.REFUSED
        else:
            yield spec.name, Outcome.ALTERED if changed[spec.name] else Outcome.SAME


def _configs(admin: AdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    answers = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    return {
        resource.name: {key: entry.value for key, entry in answer.result(PATIENCE).items()}
        for resource, answer in answers.items()
    }


def _differences(spec: TopicSpec, found: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in spec.config.items() if found.get(key) != value}


def _resource(name: str, changes: Mapping[str, str]) -> ConfigResource:
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in changes.items()]
    return ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)


def _await(answers: Iterable[Future[Any]]) -> None:
    for answer in answers:
        answer.result(PATIENCE)
