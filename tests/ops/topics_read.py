"""Reads a topic as other systems do."""

from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from libs.contracts.envelope import Received, read
from libs.contracts.topics import TOPICS


def committed(bootstrap: str, prefix: str, name: str) -> list[Received]:
    """All valid events of a topic, partition by partition."""
    records = _records(bootstrap, prefix, name)
    found = [read(TOPICS[name], each.key(), each.value(), each.headers() or []) for each in records]
    assert all(isinstance(each, Received) for each in found)
    return found


def places(bootstrap: str, prefix: str, name: str) -> list[tuple[bytes, int]]:
    """Key and partition of every record."""
    return [(each.key(), each.partition()) for each in _records(bootstrap, prefix, name)]


def _records(bootstrap: str, prefix: str, name: str) -> Iterator[Message]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{prefix}reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    partitions = TOPICS[name].partitions
    consumer.assign([TopicPartition(prefix + name, number, 0) for number in range(partitions)])
    ended = 0
    while ended < partitions:
        message = consumer.poll(20)
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF
            ended += 1
        else:
            yield message
    consumer.close()
