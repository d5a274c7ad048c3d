"""The one table of topics. Stacks, charts, documents and tests are generated from it or checked against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from . import events
from .events import Event

DEAD_LETTER_RETENTION_DAYS: Final = 90
RELAY_TOPIC: Final = "viceversa-relay"
RELAY_PARTITIONS: Final = 1

_HEADER_ROOM: Final = 64 * 1024  # a record's key, headers and batch frame count against the broker's limit too


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and the promises about it. `retention_days` None keeps records for ever; `max_bytes` limits a value."""

    name: str
    event: type[Event]
    partitions: int = 6
    retention_days: int | None = 30
    compacted: bool = False
    max_bytes: int = 1024 * 1024
    min_insync_replicas: int = 2
    type: str = field(init=False)
    """The CloudEvents type of its events."""
    dataschema: str = field(init=False)
    """The URN of its JSON Schema."""

    def __post_init__(self) -> None:
        event = self.event
        object.__setattr__(self, "type", f"viceversa.{event.topic}.v{event.version}")
        object.__setattr__(self, "dataschema", f"urn:viceversa:schema:{event.topic}:{event.version}")


def _fleeting(event: type[Event]) -> Topic:
    return Topic(event.topic, event)


def _kept(event: type[Event]) -> Topic:
    return Topic(event.topic, event, retention_days=None, compacted=True)


_CATALOGUE: Final = (
    _kept(events.ProgramPublished),
    _kept(events.ParticipantEnrolled),
    _kept(events.ParticipantWithdrawn),
    _fleeting(events.PairCreated),
    _fleeting(events.PairEnded),
    _fleeting(events.SessionScheduled),
    _fleeting(events.SessionCancelled),
    _fleeting(events.SessionCompleted),
    _fleeting(events.SessionMissed),
    _fleeting(events.PairAtRisk),
    _fleeting(events.NotificationSent),
    _fleeting(events.NotificationFailed),
)

TOPICS: Final[Mapping[str, Topic]] = MappingProxyType({topic.name: topic for topic in _CATALOGUE})
_BY_EVENT: Final = {topic.event: topic for topic in _CATALOGUE}


def topic_of(event: type[Event]) -> Topic:
    """The topic of an event type. Raises KeyError for a class that is none of the catalogue."""
    return _BY_EVENT[event]


def dead_letter_topic(topic: str, service: str) -> str:
    """Where a service parks what it cannot handle of a topic."""
    return f"{topic}.{service}.dlq"


def _retention_ms(days: int | None) -> str:
    return "-1" if days is None else str(timedelta(days=days) // timedelta(milliseconds=1))


def _config(policy: str, days: int | None, max_bytes: int, insync: int) -> dict[str, str]:
    return {
        "cleanup.policy": policy,
        "retention.ms": _retention_ms(days),
        "max.message.bytes": str(max_bytes + _HEADER_ROOM),
        "min.insync.replicas": str(insync),
    }


def topic_config(topic: Topic, replication_factor: int) -> dict[str, str]:
    """Kafka's configuration of a topic. Replicas in sync never exceed what the cluster has."""
    policy = "compact" if topic.compacted else "delete"
    return _config(policy, topic.retention_days, topic.max_bytes, min(topic.min_insync_replicas, replication_factor))


def dead_letter_config(topic: Topic, replication_factor: int) -> dict[str, str]:
    """Kafka's configuration of a topic's dead-letter topics."""
    insync = min(topic.min_insync_replicas, replication_factor)
    return _config("delete", DEAD_LETTER_RETENTION_DAYS, topic.max_bytes, insync)


def relay_config(replication_factor: int) -> dict[str, str]:
    """Kafka's configuration of the topic that carries the relays' positions. It holds no records."""
    return {"cleanup.policy": "delete", "min.insync.replicas": str(min(2, replication_factor))}
