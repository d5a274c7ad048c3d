"""Databases for tests of the chassis."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Endpoints
from libs.chassis.mongo import Database
from tests.chassis.processes import World
from tests.chassis.tiny import tiny_database


@pytest.fixture
async def database(stack: Endpoints, database_prefix: str) -> AsyncIterator[Database]:
    async with tiny_database(stack.mongodb, f"{database_prefix}vv_tiny") as database:
        yield database


@pytest.fixture
def world(stack: Endpoints, prefix: str, database_prefix: str) -> World:
    world = World(stack, prefix, f"{database_prefix}vv")
    world.topics()
    return world
