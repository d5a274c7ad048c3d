import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Producer

from deploy.local import mail
from deploy.local.ports import free_port
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import Event
from libs.ops import topics
from services.notifications.app import service
from tests.notifications.people import NOON, enrolled, program

PEOPLE, KILLS = 200, 2


def test_killed_while_it_sends_no_mail_is_missing_and_a_kill_repeats_at_most_one(
    stack, prefix, database_prefix, tmp_path
):
    topics.apply(stack.kafka, prefix, {"notifications": [topic.name for topic in service.topics]})
    server = mail.sink(tmp_path, port := free_port())
    server.start()
    environment = {
        "VICEVERSA_KAFKA": stack.kafka,
        "VICEVERSA_MONGODB": stack.mongodb,
        "VICEVERSA_PREFIX": prefix,
        "VICEVERSA_DATABASE": f"{database_prefix}db",
        "VICEVERSA_SMTP": f"127.0.0.1:{port}",
        "VICEVERSA_HTTP_PORT": "0",
    }
    try:
        say(stack.kafka, prefix, [program(), *(enrolled(f"Ada-{number}") for number in range(PEOPLE))])
        for kill in range(1, KILLS + 1):
            with running(environment, signal.SIGKILL):
                until(lambda wanted=kill * PEOPLE // 4: len(message_ids(tmp_path)) >= wanted)
        with running(environment, signal.SIGTERM):
            until(lambda: len(message_ids(tmp_path)) == PEOPLE)
    finally:
        server.stop()

    assert sum(message_ids(tmp_path).values()) <= PEOPLE + KILLS


@contextmanager
def running(environment: dict[str, str], end: signal.Signals) -> Iterator[None]:
    """The service as a process of its own, until the signal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "services.notifications"],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(end)
        process.wait(30)


def say(kafka: str, prefix: str, facts: list[Event]) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for fact in facts:
        envelope = describe(fact, id=str(uuid4()), source="/hr", time=NOON)
        producer.produce(prefix + fact.topic, encode(fact), fact.key, headers=headers(envelope))
    assert producer.flush(30) == 0


def until(condition: Callable[[], bool], seconds: float = 150) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        time.sleep(0.02)
    raise TimeoutError


def message_ids(folder: Path) -> Counter[str]:
    """How often each Message-ID arrived."""
    return Counter(str(message_from_bytes(path.read_bytes())["Message-ID"]) for path in folder.glob("*.eml"))
