"""The three services as processes of their own, with topics, databases and mails that no other test has."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
from confluent_kafka import Producer
from pymongo import MongoClient

from deploy.local import parts
from deploy.local.processes import Server
from deploy.local.stack import Endpoints
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import Event, ParticipantEnrolled, ProgramPublished
from libs.contracts.examples import PARTICIPANT_ENROLLED, PROGRAM_PUBLISHED
from libs.ops import topics

NAMES = tuple(part.name for part in parts.SERVICES)
WEEK = ("mon", "tue", "wed", "thu", "fri")


@dataclass(slots=True)
class Company:
    """`values` is the environment of its services."""

    root: Path
    prefix: str
    database: str
    values: dict[str, str]
    servers: dict[str, Server] = field(default_factory=dict)
    mails_read: dict[str, EmailMessage] = field(default_factory=dict)
    stories: dict[str, list[str]] = field(default_factory=dict)

    def start(self) -> None:
        for server in self.servers.values():
            server.launch()
        for server in self.servers.values():
            server.wait()

    def stop(self) -> None:
        """In peace: MongoDB holds what a killed process has locked until it is sure that nobody comes back for it."""
        for server in self.servers.values():
            server.stop()

    def kill(self, name: str) -> None:
        """kill -9, and the same again from its start."""
        self.servers[name].stop(kill=True)
        self.servers[name].launch()

    def client(self, name: str) -> httpx.Client:
        return httpx.Client(base_url=f"http://{self.servers[name].address}", timeout=30)

    def answers(self, name: str, path: str) -> int:
        try:
            return httpx.get(f"http://{self.servers[name].address}{path}", timeout=5).status_code
        except httpx.TransportError:
            return 0

    def say(self, events: Sequence[Event], source: str = "/hr") -> None:
        """As another system would: each event with an id of its own."""
        producer = Producer({"bootstrap.servers": self.values["VICEVERSA_KAFKA"], "partitioner": "murmur2_random"})
        for event in events:
            at = getattr(event, "enrolled_at", None) or PARTICIPANT_ENROLLED.enrolled_at
            envelope = describe(event, id=str(uuid4()), source=source, time=at)
            producer.produce(self.prefix + event.topic, encode(event), event.key, headers=[*headers(envelope)])
            producer.poll(0)
        assert producer.flush(60) == 0

    def mails(self) -> dict[str, EmailMessage]:
        """Every file of the mail server by its name; each is read once."""
        for path in sorted((self.root / "mails").glob("*.eml")):
            if path.name not in self.mails_read:
                parsed = BytesParser(policy=default).parsebytes(path.read_bytes())
                self.mails_read[path.name] = cast(EmailMessage, parsed)
        return self.mails_read

    def told(self) -> Counter[tuple[str, str]]:
        """How often whom which subject was told."""
        # what does not fit beside its name begins in the next line, with a space
        return Counter((str(mail["To"]), str(mail["Subject"]).strip()) for mail in self.mails().values())

    def message_ids(self) -> Counter[str]:
        return Counter(str(mail["Message-ID"]) for mail in self.mails().values())

    def rows(self, service: str, collection: str, fields: Sequence[str] = ()) -> list[dict[str, Any]]:
        with self._mongo() as client:
            return list(client[f"{self.database}_{service}"][collection].find({}, list(fields) or None))

    def count(self, service: str, collection: str, filter: Mapping[str, Any]) -> int:
        with self._mongo() as client:
            return client[f"{self.database}_{service}"][collection].count_documents(filter)

    def has_told(self, mails: int) -> bool:
        """So many mails are sent and recorded, none waits, and every fact is published."""
        sent = self.count("notifications", "notices", {"state": "sent"})
        return sent == mails == self.count("notifications", "notices", {}) and not self.waiting_pages()

    def waiting_pages(self) -> int:
        with self._mongo() as client:
            return sum(client[f"{self.database}_{name}"].outbox.count_documents({}) for name in NAMES)

    def _mongo(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.values["VICEVERSA_MONGODB"], tz_aware=True)


@contextmanager
def company(endpoints: Endpoints, prefix: str, database_prefix: str, root: Path, **settings: str) -> Iterator[Company]:
    """Topics are there, nothing runs yet but the mail server."""
    topics.apply(endpoints.kafka, prefix, parts.heard(parts.SERVICES))
    mail = parts.mail(root)
    database = f"{database_prefix}all"
    values = {
        "VICEVERSA_KAFKA": endpoints.kafka,
        "VICEVERSA_MONGODB": endpoints.mongodb,
        "VICEVERSA_PREFIX": prefix,
        "VICEVERSA_DATABASE": database,
        "VICEVERSA_SMTP": mail.address,
        **settings,
    }
    made = Company(root, prefix, database, values)
    made.servers = {part.name: parts.service(root, part, values) for part in parts.SERVICES}
    mail.start()
    try:
        yield made
    finally:
        made.stop()
        mail.stop(kill=True)


def program(*, sessions: int = 3, revision: int = 1) -> ProgramPublished:
    """Nobody sleeps, nobody is reminded, and only the grades decide who can mentor whom."""
    changed = {
        "min_grade_gap": 1,
        "max_grade_gap": 1,
        "different_unit": "ignored",
        "sessions_per_pair": sessions,
        "reminders": (),
        "quiet_hours": None,
    }
    policy = PROGRAM_PUBLISHED.policy.model_dump() | changed
    return ProgramPublished.model_validate(PROGRAM_PUBLISHED.model_dump() | {"revision": revision, "policy": policy})


def couple(number: int) -> tuple[ParticipantEnrolled, ParticipantEnrolled]:
    """A mentor and the only mentee of the company whose grade is the next one above."""
    return _person(f"ada-{number}", "mentor", 3 * number), _person(f"grace-{number}", "mentee", 3 * number + 1)


def until(condition: Callable[[], bool], within: float = 120, what: str = "it") -> None:
    """Return once the condition holds. Raises TimeoutError."""
    limit = time.monotonic() + within
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"{what} did not come true within {within:g} s")
        time.sleep(0.2)


def _person(id: str, role: str, grade: int) -> ParticipantEnrolled:
    return ParticipantEnrolled.model_validate(
        PARTICIPANT_ENROLLED.model_dump()
        | {
            "participant_id": id,
            "role": role,
            "name": id.title(),
            "email": f"{id}@engines.invalid",
            "grade": grade,
            "manager_ids": (),
            "preferred_ids": (),
            "languages": ("en",),
            "locale": "en",
            "channels": ("email",),
            "availability": [{"day": day, "start": "09:00", "end": "17:00"} for day in WEEK],
            "unavailable": (),
            "consent": {"matching": True},
        }
    )
