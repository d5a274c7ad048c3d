"""Who is enrolled already: read back from the compacted topic, so that a second run says nothing twice."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from libs.contracts.envelope import Erasure, Received, encode, read
from libs.contracts.events import ParticipantEnrolled
from libs.contracts.topics import topic_of
from libs.ops.failures import Misused, Unreachable

PATIENCE = 15.0
_TOPIC = topic_of(ParticipantEnrolled)


@dataclass(frozen=True, slots=True)
class Known:
    """The last word of our source about a person; `owner` is another source when only that one has spoken."""

    revision: int
    enrolled_at: datetime
    digest: bytes
    owner: str | None = None


def digest(event: ParticipantEnrolled) -> bytes:
    """Equal for equal profiles of one revision."""
    return hashlib.sha256(encode(event)).digest()[:16]


def read_back(bootstrap: str, topic: str, program_id: str, source: str) -> dict[str, Known]:
    """Participants of a programme by id. Raises Unreachable, and Misused when the topic is missing."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "viceversa.enrol",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        known: dict[str, Known] = {}
        start = f"{program_id}/".encode()
        for message in _all(consumer, topic):
            if (message.key() or b"").startswith(start):
                _take(known, message, source)
        return known
    except KafkaException as error:
        raise Unreachable(
            f"Kafka at {bootstrap}: {error.args[0]}", "is it running? VICEVERSA_KAFKA names it"
        ) from error
    finally:
        consumer.close()


def _all(consumer: Consumer, topic: str) -> Iterator[Message]:
    """What is committed now, to the end of every partition."""
    partitions = consumer.list_topics(topic, timeout=PATIENCE).topics[topic].partitions
    if not partitions:
        raise Misused(f"there is no topic {topic}", "create it with `viceversa topics apply`")
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    ended: set[int] = set()
    while len(ended) < len(partitions):
        message = consumer.poll(PATIENCE)
        if message is None:
            raise Unreachable(f"Kafka gave nothing of {topic} for {PATIENCE:.0f} s", "look at the broker")
        error = message.error()
        if error is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition() or 0)
        else:
            raise KafkaException(error)


def _take(known: dict[str, Known], message: Message, source: str) -> None:
    kind, at = message.timestamp()
    moment = datetime.fromtimestamp(at / 1000, UTC) if kind else None
    headers: Any = message.headers() or []
    match read(_TOPIC, message.key(), message.value(), headers, moment):
        case Erasure(key=key):
            known.pop(key.partition("/")[2], None)
        case Received(event=ParticipantEnrolled() as event, envelope=envelope):
            _remember(known, event, envelope.source, source)


def _remember(known: dict[str, Known], event: ParticipantEnrolled, said_by: str, source: str) -> None:
    before = known.get(event.participant_id)
    ours = said_by == source
    if before is None or (ours and (before.owner or event.revision >= before.revision)):
        owner = None if ours else said_by
        known[event.participant_id] = Known(event.revision, event.enrolled_at, digest(event), owner)
