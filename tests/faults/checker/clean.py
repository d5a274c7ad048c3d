"""A story in which every promise was kept: tests plant their faults in it."""

from datetime import UTC, datetime
from hashlib import sha256

from tests.faults.checker.records import Record
from tests.faults.checker.small_company import HEARERS, SmallCompany
from tests.faults.checker.told import Command, Poison

POISON = b'{"participant_id": "mallory"'


def clean() -> SmallCompany:
    """Ada and Grace meet, Mina and Noor are done, Eve left Mina, and HR said something that nobody can read."""
    made = SmallCompany()
    made.publish()
    for name, role in (("ada", "mentor"), ("mina", "mentor"), ("grace", "mentee"), ("noor", "mentee")):
        made.enrol(name, role)
    made.enrol("ada", "mentor", revision=2)
    made.enrol("eve", "mentee", service="matching")
    _ada_and_grace(made)
    _mina_and_noor(made)
    _mina_and_eve(made)
    bad = made.produce("participant-enrolled", b"digital-2026/mallory", POISON, ())
    digest = sha256(POISON).hexdigest()
    made.told.poison.append(Poison("participant-enrolled", digest=digest, reason="invalid_json"))
    park(made, bad, "invalid_json")
    return made


def park(made: SmallCompany, record: Record, reason: str, services: tuple[str, ...] = HEARERS) -> None:
    """A record is parked by these services, in their databases and on their topics."""
    why = (("dlq_reason", reason.encode()), ("dlq_detail", b"no JSON"), ("dlq_origin", record.place.encode()))
    for service in services:
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        topic = f"{record.topic}.{service}.dlq"
        made.produce(topic, record.key, record.value, (*record.headers, *why), record.partition)
        made.row(service, "dead_letters", record.place, state="parked", reason=reason, **place)


def day(number: int, hour: int = 10) -> datetime:
    return datetime(2026, 3, number, hour, tzinfo=UTC)


def _ada_and_grace(made: SmallCompany) -> None:
    made.pair("p1", "ada", "grace")
    made.plan("p1.1", 1, day(3))
    made.plan("p1.1", 1, day(4))
    made.hold("p1.1")
    made.hold("p1.1")
    made.plan("p1.2", 2, day(24))
    fields = {"session_id": "p1.1", "revision": 3}
    made.told.accepted.append(Command("complete", "session-completed", "p1", fields, 200))


def _mina_and_noor(made: SmallCompany) -> None:
    made.pair("p2", "mina", "noor")
    made.plan("p2.1", 1, day(3))
    made.miss("p2.1")
    made.plan("p2.2", 1, day(4))
    made.cancel("p2.2")
    made.risk("p2")
    made.plan("p2.3", 1, day(5))
    made.hold("p2.3")
    made.plan("p2.4", 2, day(6))
    made.hold("p2.4", series_done=True)
    made.end("p2", "completed")


def _mina_and_eve(made: SmallCompany) -> None:
    made.pair("p3", "mina", "eve")
    made.plan("p3.1", 1, day(25))
    made.withdraw("eve", "matching")
    made.end("p3", "withdrawn")
    made.cancel("p3.1")
