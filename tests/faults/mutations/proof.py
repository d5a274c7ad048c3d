"""A plugin of pytest for runs in a copy of the checkout: the project is installed, and the installed code must not be
what is tested."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

OURS: Final = ("libs", "services", "deploy", "tests")


def strays(root: Path, modules: Mapping[str, ModuleType]) -> list[str]:
    """Those of our modules that came from somewhere else than below `root`."""
    return [
        name
        for name, module in modules.items()
        if name.partition(".")[0] in OURS
        and (file := getattr(module, "__file__", None))
        and not Path(file).resolve().is_relative_to(root)
    ]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if found := strays(session.config.rootpath.resolve(), dict(sys.modules)):
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
        print(f"\nnot from {session.config.rootpath}: {', '.join(found[:5])}")
