"""Reads whole topics as a reader of committed transactions does, and notices where it cannot get to the end."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from sys import intern
from typing import cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.faults.checker.records import Record

Settings = dict[str, str | int | float | bool]

_AT_ONCE = 2_000
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Heard:
    """What was read; `hidden` are the partitions whose end stayed out of reach, with the offsets missing."""

    records: tuple[Record, ...]
    topics: frozenset[str]
    hidden: dict[str, int]


def read(kafka: str, prefix: str, patience: float) -> Heard:
    """All topics of the prefix from their start to where they ended when this began."""
    settings: Settings = {
        "bootstrap.servers": kafka,
        "group.id": f"{prefix}checker",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
    ends = _ends(settings, prefix, patience)
    wanted = {place: end for place, end in ends.items() if end > 0}
    reading = _Reading(prefix, wanted)
    with closing(Consumer(settings | {"isolation.level": "read_committed"})) as consumer:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in wanted])
        reading.until_the_end(consumer, patience)
    topics = frozenset(topic.removeprefix(prefix) for topic, _ in ends)
    return Heard(tuple(reading.records), topics, reading.hidden())


@dataclass(slots=True)
class _Reading:
    """Partitions are done once the reader's position is where they ended."""

    prefix: str
    ends: dict[tuple[str, int], int]
    reached: dict[tuple[str, int], int] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    _pairs: dict[tuple[str, bytes | None], tuple[str, bytes | None]] = field(default_factory=dict)

    def until_the_end(self, consumer: Consumer, patience: float) -> None:
        limit = time.monotonic() + patience
        while self._open() and time.monotonic() < limit:
            for message in consumer.consume(_AT_ONCE, _POLL_SECONDS):
                if self._take(message):
                    limit = time.monotonic() + patience

    def hidden(self) -> dict[str, int]:
        return {
            f"{topic.removeprefix(self.prefix)}/{partition}": self.ends[topic, partition]
            - self.reached.get((topic, partition), 0)
            for topic, partition in sorted(self._open())
        }

    def _open(self) -> set[tuple[str, int]]:
        return {place for place, end in self.ends.items() if self.reached.get(place, 0) < end}

    def _take(self, message: Message) -> bool:
        """Whether it brought the reader on."""
        place = (str(message.topic()), message.partition() or 0)
        offset, error = message.offset() or 0, message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            if error.fatal():
                raise KafkaException(error)
            return False
        # At an end the offset is that of the next record, which markers of transactions also take up.
        reached = offset if error else offset + 1
        new = reached > self.reached.get(place, 0)
        self.reached[place] = max(reached, self.reached.get(place, 0))
        if error is None and offset < self.ends[place]:
            self.records.append(self._record(message, place, offset))
        return new

    def _record(self, message: Message, place: tuple[str, int], offset: int) -> Record:
        headers = cast(Sequence[tuple[str, bytes | None]], message.headers() or ())
        pairs = tuple(self._shared(name, value) for name, value in headers)
        topic = intern(place[0].removeprefix(self.prefix))
        return Record(topic, place[1], offset, message.timestamp()[1], message.key(), message.value(), pairs)

    def _shared(self, name: str, value: bytes | None) -> tuple[str, bytes | None]:
        """One object for what many records say alike, so that many records fit into memory."""
        pair = (intern(name), value)
        if name in ("ce_specversion", "ce_source", "ce_type", "ce_dataschema", "content-type", "ce_subject"):
            return self._pairs.setdefault(pair, pair)
        return pair


def _ends(settings: Settings, prefix: str, patience: float) -> dict[tuple[str, int], int]:
    """Where partitions end for everybody: for readers of committed transactions an open one hides the end."""
    with closing(Consumer(settings | {"isolation.level": "read_uncommitted"})) as consumer:
        known = consumer.list_topics(timeout=patience).topics
        places = [
            TopicPartition(name, partition)
            for name, topic in known.items()
            if name.startswith(prefix)
            for partition in topic.partitions
        ]
        return {(place.topic, place.partition): _end(consumer, place, patience) for place in places}


def _end(consumer: Consumer, place: TopicPartition, patience: float) -> int:
    """A partition that was just made has no leader for a moment."""
    limit = time.monotonic() + patience
    while True:
        try:
            return int(consumer.get_watermark_offsets(place, timeout=patience)[1])
        except KafkaException:
            if time.monotonic() > limit:
                raise
            time.sleep(0.1)
