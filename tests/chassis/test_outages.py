"""Servers go away and come back: the process lives, says that it isn't ready, parks nothing and goes on."""

from collections import Counter
from typing import Literal

import httpx
import pytest

from deploy.local.stack import Stack
from libs.chassis import health
from libs.chassis.mongo import Database
from libs.contracts.events import NotificationSent
from tests.chassis.processes import World, header, record, running
from tests.chassis.tiny import Count, enrolled, until


@pytest.fixture
def own(private_stack: Stack, prefix: str, database_prefix: str) -> World:
    world = World(private_stack.start(), prefix, f"{database_prefix}vv")
    world.topics()
    return world


async def status(client: httpx.AsyncClient, wanted: int) -> bool:
    assert (await client.get("/health/live")).status_code == 200
    return (await client.get("/health/ready")).status_code == wanted


@pytest.mark.parametrize("server", ["kafka", "mongod"])
async def test_an_outage_turns_readiness_red_and_back_and_nothing_else(
    own: World, private_stack: Stack, server: Literal["kafka", "mongod"]
) -> None:
    runtime = own.runtime(outbox_age_limit=300)
    away = getattr(private_stack, server)
    async with running(runtime) as client:
        own.say([record(enrolled("ada", revision=number), f"a {number}") for number in range(1, 11)])
        away.stop()
        await until(lambda: status(client, 503), 90)
        if server == "kafka":
            answer = await client.post("/tallies/2026/grace", json=Count(key="2026/grace").model_dump())
            assert answer.status_code == 201
        away.start()
        own.say([record(enrolled("ada", revision=number), f"b {number}") for number in range(1, 11)])
        await until(lambda: status(client, 200), 90)

        await until(lambda: _everything_is_said(runtime.database, 20), 90)

        assert await runtime.database.count("dead_letters") == 0
    facts = await own.read(NotificationSent.topic)
    assert set(Counter(header(fact, "ce_id") for fact in facts).values()) == {1}
    ada = [int(header(fact, "ce_sequence")) for fact in facts if header(fact, "ce_subject") == "2026/ada"]
    assert ada == list(range(1, 21))


async def _everything_is_said(database: Database, number: int) -> bool:
    rows = await database.find("tallies", {"_id": "2026/ada", "times": number})
    return bool(rows) and await database.count("outbox") == 0


def test_a_relay_that_still_waits_for_the_database_is_not_stuck(world: World) -> None:
    runtime = world.runtime()
    (relay,) = [each for each in runtime.health.watched() if each.name == "relay"]

    assert [relay.stuck(now) for now in (0, 200)] == [False, False]
    runtime.relay.ticks = 1
    assert [relay.stuck(now) for now in (300, 450)] == [False, True]


def test_only_a_counter_that_should_move_and_does_not_is_stuck() -> None:
    count, idle = 0, False
    watched = health.Watched("relay", lambda: count, lambda: idle)

    assert [watched.stuck(now) for now in (0, 100, 121)] == [False, False, True]
    idle = True
    assert not watched.stuck(300)
    idle = False
    assert [watched.stuck(now) for now in (400, 421)] == [False, True]
    count = 1
    assert not watched.stuck(600)
