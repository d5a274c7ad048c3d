"""Reads along with the run: what is planned, what was said, how fast, and whether a canary has gone the whole way."""

import json
from collections import Counter
from dataclasses import dataclass, field
from threading import Event, Thread

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from libs.contracts.topics import TOPICS

AT_ONCE = 1_000
DECIDED = ("session-cancelled", "session-completed", "session-missed")


@dataclass(slots=True)
class Listener:
    """A reader of committed transactions, in a thread of its own. Its tables may be read from any thread."""

    kafka: str
    prefix: str
    facts: Counter[str] = field(default_factory=Counter)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    """The place after the last record of each partition."""
    planned: dict[str, str] = field(default_factory=dict)
    """The next meeting of a person."""
    pairs: dict[str, str] = field(default_factory=dict)
    """The newest pair in force of a person."""
    pair_of: dict[str, str] = field(default_factory=dict)
    """The pair of a session."""
    invited: Counter[str] = field(default_factory=Counter)
    """How many mails about meetings each person was sent."""
    _stopped: Event = field(default_factory=Event)
    _thread: Thread = field(init=False)

    def start(self) -> None:
        self._thread = Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def total(self) -> int:
        return self.facts.total()

    def _run(self) -> None:
        settings = {"group.id": f"{self.prefix}listener", "isolation.level": "read_committed", "log_level": 0}
        consumer = Consumer({"bootstrap.servers": self.kafka, "enable.auto.commit": False, **settings})
        partitions = consumer.list_topics(timeout=30).topics
        consumer.assign(
            [
                TopicPartition(self.prefix + topic, number, OFFSET_BEGINNING)
                for topic in TOPICS
                for number in partitions[self.prefix + topic].partitions
            ]
        )
        while not self._stopped.is_set():
            for message in consumer.consume(AT_ONCE, timeout=0.1):
                if message.error() is None:
                    self._take(message)
        consumer.close()

    def _take(self, message: Message) -> None:
        topic = str(message.topic()).removeprefix(self.prefix)
        self.ends[topic, message.partition() or 0] = (message.offset() or 0) + 1
        self.facts[topic] += 1
        try:
            data = json.loads(message.value() or b"")
            self._learn(topic, data)
        except (ValueError, KeyError, TypeError):
            return  # poison

    def _learn(self, topic: str, data: dict[str, str]) -> None:
        if topic == "notification-sent":
            self.invited[f"{data['program_id']}/{data['participant_id']}"] += "session" in data["template"]
            return
        if "mentor_id" not in data:
            return
        both = [f"{data['program_id']}/{data[side]}" for side in ("mentor_id", "mentee_id")]
        if topic == "pair-created":
            self.pairs.update(dict.fromkeys(both, data["pair_id"]))
        elif topic == "session-scheduled":
            self.pair_of[data["session_id"]] = data["pair_id"]
            self.planned.update(dict.fromkeys(both, data["session_id"]))
        elif topic in DECIDED:
            self._drop(self.planned, both, data["session_id"])
        elif topic == "pair-ended":
            self._drop(self.pairs, both, data["pair_id"])

    @staticmethod
    def _drop(table: dict[str, str], keys: list[str], value: str) -> None:
        for key in keys:
            if table.get(key) == value:
                del table[key]
