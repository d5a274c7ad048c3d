"""Impatient clients, which show soon what an instrument does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # public, not marked so
from pymongo import MongoClient

from deploy.local.processes import wait_until

LETTERS = "letters"
Client = MongoClient[dict[str, Any]]


class Writer:
    """A producer that gives a letter up after 1.5 seconds."""

    def __init__(self, bootstrap: str) -> None:
        patience = {"message.timeout.ms": 1500, "reconnect.backoff.max.ms": 200, "log_level": 0}
        self._producer = Producer({"bootstrap.servers": bootstrap, **patience})

    def write(self, text: str) -> KafkaError | None:
        """None once the broker has it."""
        answers: list[KafkaError | None] = []
        self._producer.produce(LETTERS, text, on_delivery=lambda error, _: answers.append(error))
        self._producer.flush()
        return answers[0]

    def get_through(self, text: str) -> None:
        """Write it until the broker has it. Raises StackError after 20 seconds."""
        wait_until(lambda: self.write(text) is None, 20, "the broker")


def create_letters(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    [created] = admin.create_topics([NewTopic(LETTERS, 1, 1)]).values()
    created.result(20)


def letters(bootstrap: str) -> list[str]:
    """All that the broker has."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": LETTERS, "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(LETTERS, 0, OFFSET_BEGINNING)])
        found = []
        while (record := consumer.poll(20)) is not None and record.error() is None:
            found.append((record.value() or b"").decode())
        return found
    finally:
        consumer.close()


@contextmanager
def database(uri: str, seconds: float = 1) -> Iterator[Client]:
    """A client that waits so many seconds for an answer, and also for a server to talk to."""
    limit = int(seconds * 1000)
    with Client(uri, socketTimeoutMS=limit, serverSelectionTimeoutMS=limit, w="majority") as client:
        yield client


def insert(client: Client, name: str) -> None:
    client.people.people.insert_one({"_id": name})


def commit(client: Client, *names: str) -> None:
    """Insert each in a transaction of its own."""
    for name in names:
        with client.start_session() as session:
            session.start_transaction()
            client.people.people.insert_one({"_id": name}, session=session)
            session.commit_transaction()


def is_there(uri: str, name: str) -> bool:
    with Client(uri) as client:
        return client.people.people.find_one({"_id": name}) is not None
