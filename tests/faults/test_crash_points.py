"""Each named point of the chassis's sequence is struck once while people enrol, and nothing is lost or doubled."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer
from pymongo import MongoClient

from deploy.local.audit import DEAD_LETTERS, Heard, audit, read
from deploy.local.demo_facts import Facts
from deploy.local.demo_owed import Mails, doubled, missing
from deploy.local.processes import CHECKOUT
from deploy.local.stack import Endpoints
from libs.chassis.leases import LEASES, NEVER
from libs.contracts.events import ParticipantEnrolled
from tests.faults.struck.points import RELAY, Point
from tests.journeys.company import NAMES, Company, company, couple, program, until

MAILS_PER_COUPLE = 6
STRUCK_WITHIN = 60.0
PAUSE = 3.0
POISONED = ParticipantEnrolled.topic
# Every point once; those of the same service in turn, the services side by side.
STRIKES = {
    "matching": (
        Point.DECODED,
        Point.DEAD_LETTER,
        Point.TO_COMMIT,
        Point.IN_COMMIT,
        Point.COMMITTED,
        Point.PREPARED,
    ),
    "scheduling": RELAY,
    "notifications": (
        Point.TO_COMMIT_OFFSETS,
        Point.OFFSETS_COMMITTED,
        Point.CLAIMED,
        Point.PREPARED,
    ),
}


@dataclass(slots=True)
class Door:
    """People enrol one couple after the other, and with each comes a record that nobody can read."""

    office: Company
    couples: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def enrol(self) -> None:
        with self._turn:
            self.office.say(couple(self.couples))
            producer = Producer({"bootstrap.servers": self.office.values["VICEVERSA_KAFKA"]})
            producer.produce(self.office.prefix + POISONED, _poison(self.couples), f"mina-{self.couples}")
            assert producer.flush(60) == 0
            self.couples += 1


@pytest.mark.timeout(400)
def test_a_process_that_is_killed_at_any_point_loses_and_doubles_nothing(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    with company(stack, prefix, database_prefix, tmp_path) as office:
        office.say([program()])
        door = Door(office)
        with ThreadPoolExecutor(len(STRIKES)) as services:
            ends = list(services.map(lambda name: strike_in_turn(door, name), STRIKES))
        for (name, points), codes in zip(STRIKES.items(), ends, strict=True):
            for point, code in zip(points, codes, strict=True):
                with subtests.test(service=name, point=str(point)):
                    assert code == -signal.SIGKILL
                    assert f"struck at {point}\n" in log_of(office, name).read_text()
        all_is_told(office, door.couples)
        nothing_is_lost_or_doubled(office, door.couples, kills=len(STRIKES["notifications"]))


def test_every_point_is_struck() -> None:
    assert {point for points in STRIKES.values() for point in points} == set(Point)


@pytest.mark.timeout(300)
def test_replicas_whose_clocks_are_two_hours_apart_lose_and_double_nothing(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path
) -> None:
    with company(stack, prefix, database_prefix, tmp_path) as office:
        office.say([program()])
        door = Door(office)
        with wrong_clocks(office):
            for _ in range(20):
                door.enrol()
            all_is_told(office, door.couples)
        records = nothing_is_lost_or_doubled(office, door.couples, kills=0)
        assert hours_told(records) == {-1, 1}


def strike_in_turn(door: Door, name: str) -> list[int | None]:
    """Strike the service at each of its points, each time from its start; at the end it runs as in production."""
    try:
        return [strike(door, name, point) for point in STRIKES[name]]
    finally:
        release(door.office, name)
        door.office.servers[name].launch()


def strike(door: Door, name: str, point: Point) -> int | None:
    """The exit code; None where the point was not met in time."""
    release(door.office, name)
    nth = "2" if point is Point.RELAY_ONE_SENT else "1"
    process = launch(door.office, name, "--point", point, "--nth", nth)
    limit = time.monotonic() + STRUCK_WITHIN
    try:
        while time.monotonic() < limit:
            door.enrol()
            try:
                return process.wait(PAUSE)
            except subprocess.TimeoutExpired:
                continue
        return None
    finally:
        process.kill()
        process.wait()


def launch(office: Company, name: str, *words: str, log: str | None = None) -> subprocess.Popen[bytes]:
    path = log_of(office, log or name)
    path.parent.mkdir(parents=True, exist_ok=True)
    server = office.servers[name]
    environment = {**os.environ, **server.environment, **({"VICEVERSA_HTTP_PORT": "0"} if log else {})}
    with path.open("ab") as file:
        command = [sys.executable, "-m", "tests.faults.struck", name, *words]
        return subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=file, stderr=file)


def log_of(office: Company, name: str) -> Path:
    return office.root / "log" / f"{name}-struck.log"


def release(office: Company, name: str) -> None:
    """Time passes for the relay's lease, whose holder is gone."""
    with MongoClient[dict[str, object]](office.values["VICEVERSA_MONGODB"]) as client:
        client[f"{office.database}_{name}"][LEASES].update_one({"_id": "relay"}, {"$set": {"until": NEVER}})


@contextmanager
def wrong_clocks(office: Company) -> Iterator[None]:
    """Two replicas of each service, one an hour ahead and one an hour behind."""
    replicas = [
        launch(office, name, "--clock", str(hour * 3600), log=f"{name}{hour:+d}") for name in NAMES for hour in (1, -1)
    ]
    try:
        yield
    finally:
        for replica in replicas:
            replica.terminate()
        ends = [replica.wait(40) for replica in replicas]
    assert ends == [-signal.SIGTERM] * len(replicas)


def hours_told(records: Sequence[Heard]) -> set[int]:
    """How many hours the facts that the services just said are away from now."""
    now = datetime.now(UTC)
    times = [record.text("ce_time") for record in records if record.text("ce_source").startswith("/viceversa/")]
    return {round((datetime.fromisoformat(time) - now) / timedelta(hours=1)) for time in times}


def all_is_told(office: Company, couples: int) -> None:
    until(lambda: office.has_told(couples * MAILS_PER_COUPLE), within=120, what="every mail")
    until(lambda: all(office.count(name, "dead_letters", {}) == couples for name in NAMES), what="every poison")
    until(lambda: not office.waiting_pages(), what="an empty outbox")
    late = {"due_at": {"$lt": datetime.now(UTC)}}
    until(lambda: not any(office.count(name, "due", late) for name in NAMES), what="an end of what is due")


def nothing_is_lost_or_doubled(office: Company, couples: int, kills: int) -> list[Heard]:
    """A kill repeats one mail at most, under the same Message-ID; topics and everything else are exact."""
    records = list(read(office.values["VICEVERSA_KAFKA"], office.prefix))
    found, facts, mails = audit(records), Facts().add(records), office.message_ids()
    assert found.clean, (found.doubled[:5], found.lost[:5], found.reordered[:5])
    once = Mails(Counter(dict.fromkeys(mails, 1)))
    assert [*missing(facts, once), *doubled(facts, once)] == []
    assert mails.total() - len(mails) <= kills
    assert len(office.told()) == len(mails) == couples * MAILS_PER_COUPLE
    assert dead_letters(records) == Counter((name, _poison(each)) for name in NAMES for each in range(couples))
    return records


def dead_letters(records: Sequence[Heard]) -> Counter[tuple[str, bytes]]:
    """How often each service parked which bytes."""
    return Counter(
        (record.topic.split(".")[-2], record.value or b"") for record in records if record.topic.endswith(DEAD_LETTERS)
    )


def _poison(number: int) -> bytes:
    return b"not JSON, %d" % number
