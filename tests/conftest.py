"""What every test may ask for: real servers, and names that no other test uses."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import pytest

from deploy.local import stack as servers
from deploy.local.processes import LOCAL
from deploy.local.stack import Endpoints, Engine, Stack

USERS = LOCAL / "run" / "tests.lock"
STARTED_BY_TESTS = LOCAL / "run" / "started-by-tests"


@pytest.fixture(scope="session")
def stack() -> Iterator[Endpoints]:
    """The servers that all tests share. The last test run to leave stops them if a test run started them."""
    USERS.parent.mkdir(parents=True, exist_ok=True)
    with USERS.open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        if servers.choose() is Engine.LOCAL and not all(servers.alive().values()):
            STARTED_BY_TESTS.touch()
        yield servers.start()
        if STARTED_BY_TESTS.exists() and not _wanted_beyond_tests():
            with suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                servers.stop()
                STARTED_BY_TESTS.unlink()


@pytest.fixture(scope="module")
def private_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers of the module's own, for tests that stop or kill them. A test begins with `private_stack.start()`."""
    root = tmp_path_factory.mktemp("stack")
    mine = servers.embedded(root)
    try:
        yield mine
    finally:
        mine.stop(kill=True)
        shutil.rmtree(root)


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """The start of every topic, group and transactional id of one test, such as `t8f3a21.`."""
    name = f"t{uuid4().hex[:7]}."
    yield name
    if "stack" in request.fixturenames:
        servers.forget(request.getfixturevalue("stack"), name, _database_prefix(name))


@pytest.fixture
def database_prefix(prefix: str) -> str:
    """The start of every database name of one test, such as `t8f3a21_`."""
    return _database_prefix(prefix)


def _wanted_beyond_tests() -> bool:
    return bool(os.environ.get("VICEVERSA_KEEP_STACK")) or (LOCAL / "endpoints.env").exists()


def _database_prefix(prefix: str) -> str:
    return prefix.replace(".", "_")
