"""The checker knows the contracts and nothing else of the product, so that it can't share a mistake with it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.processes import CHECKOUT

MAY_IMPORT = ("tests.faults.checker", "libs.contracts", "confluent_kafka", "pymongo", "pydantic")
MODULES = sorted((CHECKOUT / "tests" / "faults" / "checker").glob("*.py"))


def imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_the_checker_shares_no_code_with_the_services_beyond_the_contracts(module: Path) -> None:
    foreign = [name for name in imported(module) if name.partition(".")[0] not in sys.stdlib_module_names]
    assert [name for name in foreign if not f"{name}.".startswith(tuple(f"{each}." for each in MAY_IMPORT))] == []
