"""What runs aside: in a process of its own, which ends with the call and with its parent."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from libs.chassis.aside import aside
from libs.chassis.errors import EndedAside, Transient
from tests.chassis.tiny import until


async def pid_of(file: str = "") -> int:
    """Forever, where a file shall hold it."""
    if file:
        note(Path(file))
        await asyncio.Event().wait()
    return os.getpid()


def note(file: Path) -> None:
    whole = file.with_suffix(".new")
    whole.write_text(str(os.getpid()))
    whole.rename(file)


def noted(file: Path) -> int | None:
    return int(file.read_text()) if file.exists() else None


async def objects_between_looks_for_garbage() -> int:
    return gc.get_threshold()[0]


async def away() -> None:
    raise Transient("the database is away")


async def broken() -> None:
    raise ValueError("ada@example.com")


async def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


async def started(file: Path) -> int:
    async def there() -> int | None:
        return noted(file)

    pid: int = await until(there)
    return pid


async def gone(pid: int) -> None:
    async def it_is() -> bool:
        return is_gone(pid)

    await until(it_is)


async def test_the_answer_comes_from_another_process_which_is_gone_afterwards() -> None:
    pid = await aside(pid_of)

    assert pid != os.getpid()
    assert is_gone(pid)


async def test_garbage_is_looked_for_as_seldom_as_in_a_service() -> None:
    assert await aside(objects_between_looks_for_garbage) == 100_000


async def test_an_outage_is_told_as_it_is_and_a_failure_without_its_text() -> None:
    with pytest.raises(Transient, match="the database is away"):
        await aside(away)
    with pytest.raises(EndedAside, match=r"^ValueError in test_aside\.py:\d+$"):
        await aside(broken)


async def test_a_process_that_is_killed_is_told_with_its_exit_code() -> None:
    with pytest.raises(EndedAside, match="exit code -9"):
        await aside(killed)


async def test_a_call_that_is_given_up_ends_its_process(tmp_path: Path) -> None:
    call = asyncio.create_task(aside(pid_of, str(tmp_path / "pid")))
    pid = await started(tmp_path / "pid")

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert is_gone(pid)


def parent_of(file: Path) -> subprocess.Popen[bytes]:
    words = (
        "import asyncio\n"
        "from libs.chassis.aside import aside\n"
        "from tests.chassis.test_aside import pid_of\n"
        f"asyncio.run(aside(pid_of, {str(file)!r}))\n"
    )
    return subprocess.Popen([sys.executable, "-c", words])


async def test_a_parent_that_is_killed_takes_the_process_with_it(tmp_path: Path) -> None:
    parent = parent_of(tmp_path / "pid")
    pid = await started(tmp_path / "pid")

    parent.kill()
    parent.wait()

    await gone(pid)
