"""Matching on real servers, spoken to by HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer
from pymongo import MongoClient

from deploy.local.stack import Endpoints
from libs.chassis.run import Runtime, http_app
from libs.ops.topics import apply
from services.matching.app import service
from services.matching.settings import Settings
from tests.wishes import ADA, GRACE, PROGRAM


@pytest.fixture
async def http(stack: Endpoints, prefix: str, database_prefix: str) -> AsyncIterator[httpx.AsyncClient]:
    """The service in this process, on topics and a database of the test's own."""
    apply(stack.kafka, prefix, {service.name: [topic.name for topic in service.topics]})
    settings = Settings(
        kafka=stack.kafka, mongodb=stack.mongodb, prefix=prefix, database=f"{database_prefix}vv", outbox_age_limit=60
    )
    runtime = Runtime(service, settings)
    transport = httpx.ASGITransport(http_app(runtime), raise_app_exceptions=False)
    await runtime.start()
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://matching", timeout=30) as client:
            await until(lambda: _ready(client))
            yield client
    finally:
        await runtime.stop()


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """What the condition gives once it is truthy."""
    for _ in range(int(seconds / 0.05)):
        if found := await condition():
            return found
        await asyncio.sleep(0.05)
    raise TimeoutError


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


def _facts(stack: Endpoints, topic: str, count: int) -> list[bytes]:
    consumer = Consumer(
        {
            "bootstrap.servers": stack.kafka,
            "group.id": f"{topic}.reader",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([topic])
    try:
        found: list[bytes] = []
        for _ in range(60):
            found += [record.value() for record in consumer.consume(count - len(found), 1.0) if not record.error()]
            if len(found) == count:
                break
        return found
    finally:
        consumer.close()


async def _pairs(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    return (await http.get("/programs/2026/pairs", params={"participant_id": "ada"})).json()["items"]


async def test_two_people_who_enrol_by_http_become_a_pair_that_everybody_can_read(
    http: httpx.AsyncClient, stack: Endpoints, prefix: str
) -> None:
    assert (await http.put("/programs/2026", json=PROGRAM)).status_code == 201
    assert (await http.put("/programs/2026/participants/ada", json=ADA)).status_code == 201
    assert (await http.put("/programs/2026/participants/grace", json=GRACE)).status_code == 201

    (pair,) = await until(lambda: _pairs(http))

    assert (pair["mentor_id"], pair["mentee_id"], pair["state"]) == ("ada", "grace", "in_force")
    (fact,) = await asyncio.to_thread(_facts, stack, f"{prefix}pair-created", 1)
    assert pair["pair_id"] in fact.decode()
    ada = (await http.get("/programs/2026/participants/ada")).json()
    assert (ada["state"], ada["pair_ids"]) == ("paired", [pair["pair_id"]])

    ended = await http.post(f"/pairs/{pair['pair_id']}/end", json={"reason": "mismatch", "ended_by": "grace"})

    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    waiting = (await http.get("/programs/2026/participants/ada")).json()
    assert (waiting["state"], waiting["unmatched"]["refused"]) == ("waiting", {"cooldown": 1})


async def test_a_dry_round_tells_all_and_changes_nothing(
    http: httpx.AsyncClient, stack: Endpoints, database_prefix: str
) -> None:
    program = PROGRAM | {"policy": PROGRAM["policy"] | {"mode": "rounds"}}
    await http.put("/programs/2026", json=program)
    for name, profile in (("ada", ADA), ("grace", GRACE), ("mina", ADA | {"languages": ["fi"]})):
        await http.put(f"/programs/2026/participants/{name}", json=profile)

    asked = await http.post("/programs/2026/rounds", json={"dry_run": True, "round_id": "rehearsal"})
    rehearsal = await until(lambda: _done(http, asked.headers["Location"]))

    assert asked.status_code == 202
    assert (rehearsal["progress"]["planned"], rehearsal["progress"]["made"], rehearsal["gap"]) == (1, 0, 0)
    (found,) = (await http.get("/programs/2026/rounds/rehearsal/pairs")).json()["items"]
    assert (found["mentor_id"], found["mentee_id"], found["made"]) == ("ada", "grace", False)
    (left,) = (await http.get("/programs/2026/rounds/rehearsal/unmatched")).json()["items"]
    assert (left["participant_id"], left["reasons"]) == ("mina", {"language": 1})
    assert await _pairs(http) == []

    with MongoClient[dict[str, Any]](stack.mongodb) as client:
        client[f"{database_prefix}vv_matching"].rounds.update_one({}, {"$set": {"lists_dropped": True}})
    assert (await http.get("/programs/2026/rounds/rehearsal/pairs")).json()["detail"].startswith("the lists of a round")

    again = await http.post("/programs/2026/rounds", json={"round_id": "rehearsal"})
    real = await http.post("/programs/2026/rounds", json={"pins": [{"mentor_id": "mina", "mentee_id": "grace"}]})
    made = await until(lambda: _done(http, real.headers["Location"]))

    assert again.status_code == 409
    assert (made["progress"]["made"], made["refused_pins"][0]["rules"]) == (1, ["language"])
    assert [pair["mentee_id"] for pair in await _pairs(http)] == ["grace"]


async def _done(http: httpx.AsyncClient, place: str) -> Any:
    round = (await http.get(place)).json()
    return round if round["state"] == "done" else None
