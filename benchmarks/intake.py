"""Intake on real servers: the chassis, a bare loop and the usual way, in turn, as processes of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from pymongo import MongoClient

from deploy.local import stack
from deploy.local.stack import Endpoints
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import Event
from libs.contracts.examples import PARTICIPANT_ENROLLED
from libs.ops import topics

_LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Arena:
    """One run's own topics and databases, with the events to take in already on the topic."""

    endpoints: Endpoints
    prefix: str
    events: int

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "VICEVERSA_KAFKA": self.endpoints.kafka,
            "VICEVERSA_MONGODB": self.endpoints.mongodb,
            "VICEVERSA_PREFIX": self.prefix,
            "VICEVERSA_DATABASE": self.prefix.rstrip("."),
            "VICEVERSA_HTTP_PORT": "0",
        }


@contextmanager
def arena(endpoints: Endpoints, events: int, hears: dict[str, list[str]]) -> Iterator[Arena]:
    made = Arena(endpoints, f"b{uuid4().hex[:6]}.", events)
    topics.apply(endpoints.kafka, made.prefix, hears)
    produce(made, _enrolments(events))
    yield made
    # Hundreds of old topics would make the broker's next start slow.
    stack.forget(endpoints, made.prefix, made.prefix.rstrip("."))


def _enrolments(count: int) -> Iterator[Event]:
    return (PARTICIPANT_ENROLLED.model_copy(update={"participant_id": f"p{number}"}) for number in range(count))


def produce(made: Arena, facts: Iterable[Event]) -> None:
    """Put facts of another system on their topics."""
    producer = Producer({"bootstrap.servers": made.endpoints.kafka, "linger.ms": 20})
    now = PARTICIPANT_ENROLLED.enrolled_at
    for fact in facts:
        pairs = headers(describe(fact, id=str(uuid4()), source="/hr", time=now))
        producer.produce(made.prefix + fact.topic, encode(fact), fact.key, headers=list(pairs))
        producer.poll(0)
    producer.flush()


def rate(made: Arena, command: Sequence[str], done: Callable[[], int]) -> float:
    """Events per second of a process, from its first visible effect to its last."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env=made.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        return _rate(made.events, done, process)
    finally:
        process.terminate()
        process.wait(30)


def _rate(events: int, done: Callable[[], int], process: "subprocess.Popen[bytes]") -> float:
    first, since = 0, 0.0
    limit = time.monotonic() + _LIMIT_SECONDS
    while (count := done()) < events:
        now = time.monotonic()
        if process.poll() is not None or now > limit:
            raise RuntimeError(f"{count} of {events} after {_LIMIT_SECONDS} s, exit code {process.returncode}")
        if count and not first:
            first, since = count, now
        time.sleep(0.01)
    return (events - first) / (time.monotonic() - since)


@contextmanager
def stored(made: Arena, service: str, collection: str) -> Iterator[Callable[[], int]]:
    """How many documents a service has stored."""
    with MongoClient[dict[str, Any]](made.endpoints.mongodb) as client:
        rows = client[f"{made.prefix.rstrip('.')}_{service}"][collection]
        yield rows.estimated_document_count


@contextmanager
def facts_of(made: Arena, topic: str) -> Iterator[Callable[[], list[Message]]]:
    """The facts that became readable for a read_committed reader since the last call, which takes ten milliseconds."""
    consumer = Consumer(
        {"bootstrap.servers": made.endpoints.kafka, "group.id": f"{made.prefix}reader", "auto.offset.reset": "earliest"}
    )
    name = made.prefix + topic
    partitions = consumer.list_topics(name, 10).topics[name].partitions
    consumer.assign([TopicPartition(name, partition, 0) for partition in partitions])
    yield lambda: [message for message in consumer.consume(10_000, 0.01) if message.error() is None]
    consumer.close()


@contextmanager
def readable(made: Arena, topic: str) -> Iterator[Callable[[], int]]:
    """How many facts a read_committed reader has seen."""
    seen = 0
    with facts_of(made, topic) as facts:

        def count() -> int:
            nonlocal seen
            seen += len(facts())
            return seen

        yield count
