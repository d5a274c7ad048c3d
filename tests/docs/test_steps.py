"""The steps of CONTRIBUTING.md, followed by somebody who does just what they say, in a copy of the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOMS, ROOT, Change, blocks, changes, steps

FILES = ("pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")
BIN = Path(sys.executable).parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The working tree, as the author of a change has it."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(BIN)
    return tmp_path


def follow(step: str, root: Path) -> list[Change]:
    """Every block of a step, in its order: files are changed, commands typed."""
    made = list(changes(step))
    for change in made:
        change.apply(root)
    for language, code in blocks(step):
        if language == "console":
            run(root, *code.split())
    return made


def run(root: Path, *command: str) -> str:
    """What a command says. The copy stands before the checkout on the path."""
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    first, *others = command
    done = subprocess.run(
        [root / first if "/" in first else BIN / first, *others],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def check(root: Path, made: list[Change], *tests: str) -> None:
    """Style, room rules, contracts, and the tests that were added besides those that guard the tables."""
    files = sorted({change.path for change in made if change.path.endswith(".py")})
    run(root, "ruff", "check", "--no-cache", *files)
    run(root, "ruff", "format", "--no-cache", "--check", *files)
    run(root, "lint-imports", "--no-cache")
    run(root, "python", "-m", "libs.contracts.schemas", "check")
    new = [path for path in files if path.startswith("tests/") and "test_" in path]
    run(root, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *dict.fromkeys([*new, *tests]))


@pytest.mark.parametrize("heading", ["Add an event", "Add a service"])
def test_there_are_five_steps(heading: str) -> None:
    assert [step[2] for step in steps(heading)] == ["1", "2", "3", "4", "5"]


def test_who_follows_the_steps_adds_an_event(copy: Path) -> None:
    made = [change for step in steps("Add an event") for change in follow(step, copy)]

    assert (copy / "libs/contracts/schemas/pair-halfway/v1.0.json").exists()
    guards = ("tests/contracts/test_topics.py", "tests/contracts/test_events.py", "tests/ops/test_hears.py")
    check(copy, made, *guards, "tests/scheduling/test_handlers.py", "tests/matching/test_handlers_pairs.py")
    assert "pair-halfway.matching.dlq" in run(copy, "python", "-m", "libs.ops.app", "topics", "list", "--json")


def test_who_follows_the_steps_adds_a_service(copy: Path) -> None:
    made = [change for step in steps("Add a service") for change in follow(step, copy)]

    check(copy, made, "tests/architecture/test_rooms.py", "tests/ops/test_hears.py")
    assert "/lives/{pair_id}" in run(copy, "python", "-c", ROUTES)


def test_an_event_without_its_schema_is_noticed(copy: Path) -> None:
    first, second, *_ = steps("Add an event")
    for change in [*changes(first), *changes(second)]:
        change.apply(copy)

    with pytest.raises(AssertionError, match="pair-halfway: the committed schema is not the model's"):
        run(copy, "python", "-m", "libs.contracts.schemas", "check")


def test_a_step_that_starts_from_lines_that_are_gone_is_noticed(copy: Path) -> None:
    with pytest.raises(AssertionError, match="0 times"):
        Change("libs/ops/hears.py", "diff", " never there\n+new\n").apply(copy)


ROUTES = """
import asyncio
from libs.chassis.run import Runtime, http_app
from services.history.app import service
from services.history.settings import Settings

async def paths():
    print(*http_app(Runtime(service, Settings())).openapi()["paths"])

asyncio.run(paths())
"""
