"""Scheduling on real servers: facts come in by Kafka, wishes by HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import Consumer, Producer
from icalendar import Calendar

from deploy.local.stack import Endpoints
from libs.chassis.run import Runtime, http_app
from libs.contracts.envelope import Received, describe, encode, headers, read
from libs.contracts.events import Event
from libs.contracts.topics import TOPICS
from libs.ops.topics import apply
from services.scheduling.app import service
from services.scheduling.calendars import key_of, token_of
from services.scheduling.settings import Settings
from tests.scheduling.journeys import PROGRAM, pair_created, person, program


@pytest.fixture
def runtime(stack: Endpoints, prefix: str, database_prefix: str) -> Callable[[], Runtime]:
    """Makes replicas of the service in this process, on topics and a database of the test's own."""
    apply(stack.kafka, prefix, {service.name: [topic.name for topic in service.topics]})
    settings = Settings(
        kafka=stack.kafka, mongodb=stack.mongodb, prefix=prefix, database=f"{database_prefix}vv", outbox_age_limit=60
    )
    return lambda: Runtime(service, settings)


@asynccontextmanager
async def running(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """A replica that serves, and a client of it."""
    transport = httpx.ASGITransport(http_app(runtime), raise_app_exceptions=False)
    await runtime.start()
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://scheduling", timeout=30) as client:
            await until(lambda: _ready(client))
            yield client
    finally:
        await runtime.stop()


@pytest.fixture
async def http(runtime: Callable[[], Runtime]) -> AsyncIterator[httpx.AsyncClient]:
    async with running(runtime()) as client:
        yield client


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while True:
            if found := await condition():
                return found
            await asyncio.sleep(0.05)


def say(stack: Endpoints, prefix: str, events: Iterable[Event]) -> None:
    producer = Producer({"bootstrap.servers": stack.kafka})
    for event in events:
        about = describe(event, id=uuid4().hex, source="/hr", time=datetime.now(UTC))
        producer.produce(prefix + event.topic, encode(event), event.key.encode(), headers=headers(about))
    assert producer.flush(30) == 0


def heard(stack: Endpoints, prefix: str, topic: str, count: int) -> list[Event]:
    consumer = Consumer(
        {
            "bootstrap.servers": stack.kafka,
            "group.id": f"{prefix}{topic}.reader",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([prefix + topic])
    found: list[Event] = []
    try:
        for _ in range(60):
            for record in consumer.consume(count - len(found), 1.0):
                match read(TOPICS[topic], record.key(), record.value(), record.headers() or []):
                    case Received(event):
                        found.append(event)
            if len(found) == count:
                break
    finally:
        consumer.close()
    return found


async def _all_known(http: httpx.AsyncClient, names: list[str]) -> bool:
    answers = [await http.get(f"/programs/{PROGRAM}/participants/{name}/calendar") for name in names]
    return all(answer.status_code == 200 for answer in answers)


async def planned(http: httpx.AsyncClient, number: int) -> dict[str, Any]:
    """The planned meeting of this number, as soon as it is known."""

    async def found() -> Any:
        listed = await http.get("/sessions", params={"pair_id": "ada-grace", "state": "planned"})
        return next((item for item in listed.json()["items"] if item["number"] == number), None)

    session: dict[str, Any] = await until(found)
    return session


async def test_a_pair_meets_from_the_first_fact_to_the_end_of_the_series(
    http: httpx.AsyncClient, stack: Endpoints, prefix: str
) -> None:
    say(stack, prefix, [pair_created(), person("Grace"), program(sessions=2), person("Ada")])

    first = await planned(http, 1)
    answer = await http.post(f"/sessions/{first['session_id']}/complete", json={"by": "mentor", "rating": 5})
    assert (answer.status_code, answer.headers["etag"], answer.json()["state"]) == (200, '"2"', "completed")

    second = await planned(http, 2)
    moved = await http.post(f"/sessions/{second['session_id']}/move", json={"reason": "Grace is travelling"})
    assert moved.json()["starts_at"] > second["starts_at"]

    stale = await http.post(
        f"/sessions/{second['session_id']}/complete", json={"by": "mentee"}, headers={"If-Match": '"1"'}
    )
    assert (stale.status_code, stale.json()["present"]["revision"]) == (412, 2)

    done = await http.post(
        f"/sessions/{second['session_id']}/complete",
        json={"by": "mentee", "rating": 4, "comment": "I tried it the same evening."},
        headers={"If-Match": '"2"'},
    )
    assert done.json()["series_done"]
    assert "comment" not in done.json()["feedback"]["mentee"]
    read_again = (await http.get(f"/sessions/{second['session_id']}")).json()
    assert read_again["feedback"]["mentee"] == {"rating": 4, "comment": "I tried it the same evening."}

    facts = await asyncio.to_thread(heard, stack, prefix, "session-scheduled", 3)
    assert [(fact.session_id, fact.revision) for fact in facts] == [
        ("ada-grace.1", 1),
        ("ada-grace.2", 1),
        ("ada-grace.2", 2),
    ]
    held = await asyncio.to_thread(heard, stack, prefix, "session-completed", 2)
    assert [(fact.number, fact.series_done) for fact in held] == [(1, False), (2, True)]

    feed = (await http.get(f"/programs/{PROGRAM}/participants/ada/calendar")).json()["url"]
    entries = Calendar.from_ical((await http.get(feed)).content).events
    assert [str(entry["summary"]) for entry in entries] == ["Reverse mentoring 1: Grace", "Reverse mentoring 2: Grace"]
    assert (await http.get(feed.replace("/calendars/", "/calendars/x"))).status_code == 404


async def test_two_replicas_never_book_one_person_twice_at_a_time(
    runtime: Callable[[], Runtime], stack: Endpoints, prefix: str
) -> None:
    others = [f"Grace{number}" for number in range(30)]
    async with running(runtime()) as http, running(runtime()):
        say(stack, prefix, [program(), person("Ada", hours="09:00-10:00"), *map(person, others)])
        await until(lambda: _all_known(http, ["ada", *map(str.lower, others)]))
        say(stack, prefix, [pair_created("Ada", other) for other in others])

        async def all_planned() -> list[dict[str, Any]] | None:
            items = (await http.get("/sessions", params={"participant_id": "ada", "limit": 500})).json()["items"]
            return items if len(items) == len(others) else None

        sessions = await until(all_planned)

    assert len({session["starts_at"] for session in sessions}) == len(others)


async def test_bad_wishes_are_answered_with_problems(http: httpx.AsyncClient) -> None:
    async def answer(path: str, body: dict[str, Any]) -> tuple[int, str]:
        response = await http.post(path, json=body)
        return response.status_code, response.headers["content-type"]

    problem = "application/problem+json"
    assert await answer("/sessions/nobody.1/complete", {"by": "mentor"}) == (404, problem)
    assert await answer("/sessions/nobody.1/complete", {"by": "the boss"}) == (422, problem)
    assert await answer("/sessions/nobody.1/complete", {"by": "mentor", "comment": "fine"}) == (422, problem)
    assert await answer("/sessions/nobody.1/move", {"starts_at": "2026-03-03T09:00"}) == (422, problem)
    assert await answer("/sessions/no%20body/cancel", {"reason": "ill"}) == (422, problem)
    assert (await http.get("/sessions/nobody.1")).status_code == 404
    assert (await http.get("/warnings")).json() == {"items": [], "next": None}


def test_the_address_of_a_calendar_is_good_for_one_person_and_one_secret() -> None:
    token = token_of("digital-2026/ada", b"secret")

    assert key_of(token, b"secret") == "digital-2026/ada"
    assert key_of(token, b"another") is None
    assert key_of(token_of("digital-2026/grace", b"another"), b"secret") is None
    assert key_of("é.x", b"secret") is None
