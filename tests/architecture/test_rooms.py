"""The room table holds: for each of its rules there is an import that breaks it, and the rule says so."""

import ast
import subprocess
import sys
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest

from libs.contracts.topics import TOPICS
from tests.architecture.rooms import Room

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
RULES = {rule["name"]: rule for rule in CONFIG["contracts"]}

BREAKS = {
    "Contracts are facts that others rely on: pydantic only": ("libs.contracts.events", "fastapi"),
    "The chassis would be the same in any service": ("libs.chassis.loop", "services.matching.store"),
    "One module knows the database driver": ("libs.chassis.mongo", "aiokafka"),
    "Operators reach services by HTTP and Kafka": ("libs.ops.app", "libs.chassis.mongo"),
    "Rules decide: contracts and the standard library": ("services.scheduling.rules.slots", "libs.chassis.state"),
    "Rules of matching may also calculate": ("services.matching.rules.round", "fastapi"),
    "Rules of notifications may also write letters and invitations": (
        "services.notifications.rules.mails",
        "aiosmtplib",
    ),
    "Documents are the voice of an aggregate (matching)": ("services.matching.store.people", "libs.chassis.mongo"),
    "Documents are the voice of an aggregate (scheduling)": ("services.scheduling.store.pairs", "fastapi"),
    "Documents are the voice of an aggregate (notifications)": ("services.notifications.store.people", "aiosmtplib"),
    "Handlers order: look, ask, return (matching)": ("services.matching.handlers.pairs", "libs.chassis.mongo"),
    "Handlers order: look, ask, return (scheduling)": ("services.scheduling.handlers.facts", "fastapi"),
    "Handlers order: look, ask, return (notifications)": ("services.notifications.handlers.facts", "aiosmtplib"),
    "No service imports another (matching)": ("services.matching.api", "services.scheduling.store"),
    "No service imports another (scheduling)": ("services.scheduling.api", "services.matching.store"),
    "No service imports another (notifications)": ("services.notifications.api", "services.matching.store"),
    "A foreign system is reached by a sender, and by nothing else": (
        "services.notifications.senders.smtp",
        "libs.chassis.mongo",
    ),
    "The checker of fault runs shares nothing with the services but the contracts": (
        "tests.faults.checker.state",
        "libs.chassis.items",
    ),
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*CONFIG["root_packages"], include_external_packages=True, cache_dir=None)


def _check(rule: dict[str, Any], graph: grimp.ImportGraph) -> list[str]:
    options = {name: value for name, value in rule.items() if name not in ("name", "type")}
    contract = Room(name=rule["name"], session_options={}, contract_options=options)
    broken: list[str] = contract.check(graph, verbose=False).metadata["broken"]
    return broken


def test_every_rule_of_the_room_table_has_an_import_that_breaks_it() -> None:
    assert BREAKS.keys() == RULES.keys()


@pytest.mark.parametrize("name", BREAKS)
def test_a_forbidden_import_breaks_the_rule_of_its_room(name: str, graph: grimp.ImportGraph) -> None:
    importer, imported = BREAKS[name]
    broken = deepcopy(graph)
    if imported not in broken.modules:
        broken.add_module(imported)
    broken.add_import(importer=importer, imported=imported)

    assert _check(RULES[name], graph) == []
    assert f"{importer} -> {imported}" in _check(RULES[name], broken)


@pytest.mark.parametrize(
    "line",
    [
        "import asyncio",
        "import os",
        "import random",
        "import secrets",
        "import socket",
        "import subprocess",
        "import time",
        "import urllib.request",
        "import uuid",
        "import uuid_utils",
        "from datetime import datetime\n\nNOW = datetime.now()",
        "from datetime import date\n\nTODAY = date.today()",
        "import numpy\n\nCHANCE = numpy.random.default_rng()",
    ],
)
@pytest.mark.parametrize("room", ["rules", "handlers"])
def test_clocks_chance_and_io_are_banned_from_rules_and_handlers(room: str, line: str) -> None:
    assert "TID251" in _ruff(f"services/scheduling/{room}/example.py", line)


def test_a_clock_is_at_home_in_the_chassis() -> None:
    assert "TID251" not in _ruff("libs/chassis/example.py", "import time")


def test_the_chassis_knows_no_event_by_name() -> None:
    events = {topic.event.__name__ for topic in TOPICS.values()}
    named = {
        f"{path.name}: {name}"
        for path in (ROOT / "libs/chassis").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (name := getattr(node, "id", getattr(node, "attr", getattr(node, "name", "")))) in events
    }
    assert named == set()


def _ruff(filename: str, source: str) -> str:
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "check", "--no-cache", "--stdin-filename", filename, "-"]
    return subprocess.run(command, input=source + "\n", capture_output=True, text=True, cwd=ROOT, check=False).stdout
