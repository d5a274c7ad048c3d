"""How the relay reads its outbox, as the real server is asked; and the lease that decides who tries."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import monitoring

from deploy.local.stack import Endpoints
from libs.chassis import leases
from libs.chassis.leases import Lease
from libs.chassis.outbox import OUTBOX
from tests.chassis.ledgers import PEOPLE, World, running, tell, until_published, world_of
from tests.chassis.overheard import Overheard


@pytest.fixture
async def world(stack: Endpoints, prefix: str, database_prefix: str) -> AsyncIterator[World]:
    async with world_of(stack, prefix, database_prefix) as made:
        yield made


async def test_the_outbox_is_read_in_a_snapshot_that_waits_for_the_majority_in_the_session_of_the_deletes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    overheard, writer = Overheard(), world.database()
    await tell(writer, PEOPLE[:3])
    listeners = monitoring._LISTENERS._replace(command_listeners=[overheard])
    monkeypatch.setattr(monitoring, "_LISTENERS", listeners)
    async with running(world.relay(database=world.database())):
        await until_published(writer)
    asked = [(name, command) for name, command in overheard.commands if command.get(name) == OUTBOX]
    reads = [command for name, command in asked if name == "find"]
    deletes = [command for name, command in asked if name == "delete"]
    commits = [command for name, command in overheard.commands if name == "commitTransaction"]
    assert reads
    assert all(read["readConcern"]["level"] == "snapshot" and read["startTransaction"] for read in reads)
    assert all("afterClusterTime" in read["readConcern"] for read in reads[1:])
    assert {read["lsid"]["id"] for read in reads} == {delete["lsid"]["id"] for delete in deletes}
    assert all(delete["writeConcern"]["w"] == "majority" for delete in deletes)
    assert [commit["txnNumber"] for commit in commits] == [read["txnNumber"] for read in reads]
    assert all(commit["writeConcern"]["w"] == "majority" for commit in commits)


async def test_the_outbox_is_read_on_the_primary_whatever_the_address_prefers(world: World) -> None:
    writer = world.database()
    await tell(writer, PEOPLE[:3])
    url = f"{world.endpoints.mongodb}&readPreference=secondary"
    async with running(world.relay(database=world.database(url=url))):
        await until_published(writer, within=4)


class AnHourAhead(datetime):
    """The clock of a host that is wrong."""

    @classmethod
    def now(cls, tz: Any = None) -> "AnHourAhead":
        return cls.fromtimestamp(datetime.now(UTC).timestamp(), tz or UTC) + timedelta(hours=1)


async def test_a_lease_runs_by_the_clock_of_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    database = world.database()
    assert await Lease(database, "cleaning", "ada", 10.0).acquire()
    monkeypatch.setattr(leases, "datetime", AnHourAhead)
    assert not await Lease(database, "cleaning", "grace", 10.0).acquire()
    assert await Lease(database, "cleaning", "ada", 10.0).acquire()


async def test_a_released_lease_goes_to_the_next(world: World) -> None:
    database = world.database()
    ada, grace = (Lease(database, "cleaning", name, 10.0) for name in ("ada", "grace"))
    assert await ada.acquire()
    await ada.release()
    assert await grace.acquire()
    assert not await ada.acquire()
