"""A relay that is killed, or freezes and comes back, at any of its points, while two replicas write."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.processes import CHECKOUT
from deploy.local.stack import Endpoints
from libs.chassis.leases import LEASES, NEVER
from libs.chassis.mongo import Database
from libs.chassis.outbox import OUTBOX
from tests.chassis.ledgers import World, ledgers, tell_until, until, until_published, world_of
from tests.faults.struck.points import REIGN_BEGINS, RELAY, Point

FREEZES = (
    Point.RELAY_TO_START,
    Point.RELAY_STARTED,
    Point.RELAY_BEGUN,
    Point.RELAY_POSITION_SENT,
    Point.RELAY_COMMITTED,
)


def launch(
    world: World, owner: str, point: Point | None, blow: signal.Signals = signal.SIGKILL
) -> subprocess.Popen[bytes]:
    servers = (world.endpoints.kafka, world.endpoints.mongodb)
    nth = "1" if point in REIGN_BEGINS else "3"
    words = (*servers, world.prefix, world.name, owner, point or "-", nth, blow.name)
    return subprocess.Popen([sys.executable, "-m", "tests.faults.relay_process", *words], cwd=CHECKOUT)


@asynccontextmanager
async def two_replicas_writing(world: World) -> AsyncIterator[None]:
    stopped = asyncio.Event()
    writers = [asyncio.create_task(tell_until(stopped, world.database())) for _ in range(2)]
    try:
        yield
    finally:
        stopped.set()
        await asyncio.gather(*writers)


async def all_is_said_once_in_order(world: World, database: Database) -> None:
    last = launch(world, "replica-last", None)
    try:
        await expire_lease(database)
        await until_published(database)
    finally:
        last.terminate()
        await asyncio.to_thread(last.wait, 30)
    await world.said_once_in_order(await ledgers(database))


async def expire_lease(database: Database) -> None:
    """Time passes for the lease of a holder that is gone or frozen."""
    await database.update(LEASES, {"_id": "relay"}, {"$set": {"until": NEVER}})


async def test_a_relay_killed_at_any_point_doubles_loses_and_reorders_nothing(
    stack: Endpoints, prefix: str, database_prefix: str
) -> None:
    async with world_of(stack, prefix, database_prefix) as world:
        database = world.database()
        async with two_replicas_writing(world):
            for turn, point in enumerate(RELAY):
                await expire_lease(database)
                relay = launch(world, f"replica-{turn}", point)
                assert await asyncio.to_thread(relay.wait, 30) == -signal.SIGKILL
        await all_is_said_once_in_order(world, database)


async def test_a_relay_that_comes_back_after_its_successor_took_over_doubles_loses_and_reorders_nothing(
    stack: Endpoints, prefix: str, database_prefix: str
) -> None:
    async with world_of(stack, prefix, database_prefix) as world:
        database = world.database()
        async with two_replicas_writing(world):
            for point in FREEZES:
                await frozen_and_back(world, database, point)
        await all_is_said_once_in_order(world, database)


async def frozen_and_back(world: World, database: Database, point: Point) -> None:
    await expire_lease(database)
    frozen = launch(world, f"frozen-{point}", point, signal.SIGSTOP)
    successor: subprocess.Popen[bytes] | None = None
    try:
        await asyncio.to_thread(os.waitpid, frozen.pid, os.WUNTRACED)
        seen = await newest_page(database)
        await expire_lease(database)
        successor = launch(world, f"successor-{point}", None)
        await until_deleted(database, seen)
        frozen.send_signal(signal.SIGCONT)
        await until_deleted(database, await newest_page(database))
    finally:
        for process in filter(None, (frozen, successor)):
            process.send_signal(signal.SIGCONT)
            process.terminate()
            await asyncio.to_thread(process.wait, 30)


async def newest_page(database: Database) -> str:
    async def some() -> bool:
        return await database.count(OUTBOX) > 0

    await until(some)
    rows = await database.find(OUTBOX, {}, fields=["_id"], sort=[("tick", -1)], limit=1)
    return str(rows[0]["_id"]) if rows else ""


async def until_deleted(database: Database, page: str) -> None:
    async def deleted() -> bool:
        return await database.count(OUTBOX, {"_id": page}) == 0

    await until(deleted)
