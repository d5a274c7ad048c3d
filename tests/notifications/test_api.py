import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import Consumer, Producer

from deploy.local import mail
from deploy.local.ports import free_port
from libs.chassis.run import Runtime, http_app
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import Event
from libs.contracts.words import Role
from libs.ops import topics
from services.notifications.app import service
from services.notifications.deliver import Postman
from services.notifications.settings import Settings
from services.notifications.work import SendNotice
from tests.chassis.ledgers import until
from tests.notifications.people import NOON, enrolled, pair_created, program, scheduled


@dataclass
class World:
    """The running service with its mail server."""

    runtime: Runtime
    postman: Postman
    http: httpx.AsyncClient
    folder: Path
    kafka: str
    prefix: str

    def say(self, *events: Event) -> None:
        producer = Producer({"bootstrap.servers": self.kafka})
        for event in events:
            envelope = describe(event, id=str(uuid4()), source="/hr", time=datetime.now(UTC))
            producer.produce(self.prefix + event.topic, encode(event), event.key, headers=headers(envelope))
        assert producer.flush(30) == 0

    @property
    def mails(self) -> list[EmailMessage]:
        paths = sorted(self.folder.glob("*.eml"))
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]  # type: ignore[misc]

    async def notices(self, who: str) -> list[dict[str, object]]:
        answer = await self.http.get(f"/programs/reverse/participants/{who}/notices")
        return answer.json()["items"] if answer.status_code == 200 else []

    async def until(self, who: str, state: str, count: int = 1) -> None:
        """Wait until a person has so many notices in this state."""
        for _ in range(1_200):
            if sum(notice["state"] == state for notice in await self.notices(who)) >= count:
                return
            await asyncio.sleep(0.05)
        raise TimeoutError


@pytest.fixture
async def world(stack, prefix, database_prefix, tmp_path) -> AsyncIterator[World]:
    async with running(stack, prefix, database_prefix, tmp_path, mail.sink) as world:
        yield world


@asynccontextmanager
async def running(stack, prefix, database_prefix, folder: Path, sink: Callable) -> AsyncIterator[World]:
    topics.apply(stack.kafka, prefix, {"notifications": [topic.name for topic in service.topics]})
    server = sink(folder / "mails", port := free_port())
    server.start()
    settings = Settings(
        kafka=stack.kafka,
        mongodb=stack.mongodb,
        prefix=prefix,
        database=f"{database_prefix}db",
        smtp=f"127.0.0.1:{port}",
    )
    postman = Postman(settings)
    runtime = Runtime(replace(service, prepares={SendNotice: postman.deliver}), settings)
    await runtime.start()
    transport = httpx.ASGITransport(http_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://notifications") as http:
        try:
            yield World(runtime, postman, http, folder / "mails", stack.kafka, prefix)
        finally:
            await runtime.stop()
            await postman.pool.close()
            server.stop()


async def test_an_enrolment_a_pair_and_a_session_become_one_mail_each(world, stack, prefix):
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    facts = [program(), enrolled("Ada"), enrolled("Grace", role=Role.MENTEE), pair_created(), scheduled(starts_at=soon)]

    world.say(*facts)
    world.say(*facts)
    await world.until("ada", "sent", 3)
    await world.until("grace", "sent", 3)

    mails = [mail for mail in world.mails if "ada@" in mail["To"].lower()]
    assert len(mails) == 3
    assert len(world.mails) == len({mail["Message-ID"] for mail in world.mails}) == 6
    assert sum(part.get_content_type() == "text/calendar" for mail in mails for part in mail.walk()) == 1
    keys = await asyncio.to_thread(said, stack.kafka, prefix + "notification-sent", 6)
    assert sorted(keys) == ["reverse/ada"] * 3 + ["reverse/grace"] * 3


def said(kafka: str, topic: str, count: int) -> list[str]:
    """The keys of the first records of a topic."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        return [record.key().decode() for record in consumer.consume(count, 60)]
    finally:
        consumer.close()


async def test_preferences_have_a_revision_and_a_bounced_address_is_left_alone(world):
    world.say(program(), enrolled("Ada"))
    await world.until("ada", "sent")
    path = "/programs/reverse/participants/ada/preferences"

    before = await world.http.get(path)
    assert (before.json()["locale"], before.headers["ETag"]) == ("en", '"0"')
    after = await world.http.put(path, json={"locale": "de"}, headers={"If-Match": '"0"'})
    assert (after.json()["locale"], after.headers["ETag"]) == ("de", '"1"')
    late = await world.http.put(path, json={"locale": "fr"}, headers={"If-Match": '"0"'})
    assert (late.status_code, late.json()["locale"]) == (412, "de")

    bounced = await world.http.post("/bounces", json={"address": "ADA@engines.invalid"})
    assert bounced.json() == {"participants": 1}
    world.say(enrolled("Ada", revision=2, at=NOON + timedelta(days=1)))
    await world.until("ada", "failed")
    assert len(world.mails) == 1
    assert (await world.http.get("/programs/reverse/participants/nobody/notices")).status_code == 404
    assert "engines.invalid" not in (await world.http.get("/programs/reverse/participants/ada/notices")).text


def waiting_for(postman: Postman) -> Callable[[], Awaitable[bool]]:
    async def somebody() -> bool:
        return bool(postman._turns._waiters)

    return somebody


async def test_a_mail_that_another_replica_sent_while_it_waited_for_its_turn_is_not_sent_again(world):
    """As after a freeze: the lease has run out, and what was read before is no longer true."""
    await world.postman._turns.acquire()
    world.say(program(), enrolled("Ada"))
    await world.until("ada", "planned")
    await until(waiting_for(world.postman))
    await world.runtime.database.update("notices", {}, {"$set": {"accepted_at": NOON}})
    world.postman._turns.release()

    await world.until("ada", "sent")
    assert world.mails == []
