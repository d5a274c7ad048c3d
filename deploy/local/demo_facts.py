"""What was said on the topics, as the demo follows it: every record that a reader of committed transactions sees."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from deploy.local.audit import DEAD_LETTERS, Heard


@dataclass(frozen=True, slots=True)
class Fact:
    """An event of the language, with what its headers say."""

    topic: str
    id: str
    time: datetime
    data: Mapping[str, Any]
    cause: str = ""
    """The id of the event that led to it, where one is named."""

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    @property
    def participants(self) -> tuple[str, ...]:
        """Mentor and mentee of a fact about a pair; else the one person."""
        sides = (self.data.get(name) for name in ("mentor_id", "mentee_id"))
        return tuple(side for side in sides if side) or (self.data["participant_id"],)


@dataclass(slots=True)
class Facts:
    """Facts by topic, and how many dead letters there are."""

    said: defaultdict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    dead_letters: int = 0

    def __getitem__(self, topic: str) -> Sequence[Fact]:
        return self.said.get(topic, ())

    def add(self, records: Iterable[Heard]) -> "Facts":
        for record in records:
            if record.topic.endswith(DEAD_LETTERS):
                self.dead_letters += 1
            elif record.value is not None and record.text("ce_id"):
                self.said[record.topic].append(_fact(record))
        return self

    def by(self, topic: str, name: str) -> dict[str, Fact]:
        """The newest fact of the topic for each value of a field."""
        return {fact[name]: fact for fact in self[topic]}

    def counts(self) -> dict[str, int]:
        return {topic: len(facts) for topic, facts in self.said.items()}


class Follower:
    """Reads along from the beginning. Use it as a context manager."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.facts = Facts()
        self.records: Counter[tuple[str, int]] = Counter()
        """The place after the last record, by topic and partition."""
        self._prefix = prefix
        settings = {"group.id": f"{prefix}demo", "isolation.level": "read_committed", "enable.auto.commit": False}
        self._consumer = Consumer({"bootstrap.servers": bootstrap, **settings})
        topics = self._consumer.list_topics(timeout=10).topics
        self._consumer.assign(
            [
                TopicPartition(name, number, OFFSET_BEGINNING)
                for name, topic in topics.items()
                if name.startswith(prefix) and not name.startswith("__")
                for number in topic.partitions
            ]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._consumer.close()

    def read(self) -> bool:
        """Take in what has come within a moment. Whether anything has."""
        heard = list(self._heard())
        self.facts.add(heard)
        return bool(heard)

    def _heard(self) -> Iterable[Heard]:
        for message in self._consumer.consume(500, timeout=0.2):
            if error := message.error():
                if not error.retriable():
                    raise KafkaException(error)
                continue
            topic = (message.topic() or "").removeprefix(self._prefix)
            partition, offset = message.partition() or 0, message.offset() or 0
            self.records[topic, partition] = offset + 1
            headers = cast(Sequence[tuple[str, bytes | None]], message.headers() or ())
            yield Heard(topic, partition, offset, message.key(), message.value(), dict(headers))


def _fact(record: Heard) -> Fact:
    time = datetime.fromisoformat(record.text("ce_time").replace("Z", "+00:00"))
    return Fact(
        record.topic, record.text("ce_id"), time, json.loads(record.value or b"{}"), record.text("ce_causationid")
    )
