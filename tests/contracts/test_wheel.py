"""Other teams install the language alone and use it."""

import shutil
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CONTRACTS = Path(__file__).parents[2] / "libs" / "contracts"

PROGRAM = """
import json, sys
from importlib.resources import files
import viceversa_contracts as contracts
from viceversa_contracts.examples import EXAMPLES
from datetime import datetime, UTC

event = EXAMPLES["pair-created"]
envelope = contracts.describe(event, id="e-1", source="/planning", time=datetime.now(UTC))
topic = contracts.topic_of(type(event))
outcome = contracts.read(topic, event.key.encode(), contracts.encode(event), contracts.headers(envelope))
assert outcome == contracts.Received(event, envelope), outcome
for name in contracts.TOPICS:
    print(json.loads((files(contracts) / "schemas" / name / "v1.0.json").read_text())["$id"])
assert not {"libs", "services", "faststream", "motor"} & set(sys.modules)
"""


def needs(name: str) -> set[str]:
    """A distribution and all that it requires here."""
    required = map(Requirement, distribution(name).requires or [])
    here = {r.name for r in required if r.marker is None or r.marker.evaluate({"extra": ""})}
    return {name}.union(*map(needs, here))


def copy_distribution(name: str, target: Path) -> None:
    for file in distribution(name).files or []:
        if ".." not in file.parts and "__pycache__" not in file.parts:
            path = target / file
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = shutil.copytree(CONTRACTS, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True, cwd=folder)
    return next(folder.glob("viceversa_contracts-*.whl"))


def test_the_wheel_serves_in_an_environment_that_has_only_pydantic(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    python = next((tmp_path / "env").glob("bin/python")).absolute()
    packages = next((tmp_path / "env").glob("lib/python*/site-packages"))
    for name in needs("pydantic"):
        copy_distribution(name, packages)
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, cwd=tmp_path)

    done = subprocess.run([python, "-I", "-c", PROGRAM], capture_output=True, text=True, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "urn:viceversa:schema:program-published:1"
    assert len(done.stdout.split()) == 12


def test_the_wheel_asks_for_pydantic_alone_and_says_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        required = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist")
        assert required is not None
        assert [Requirement(text).name for text in required] == ["pydantic"]
        assert "viceversa_contracts/py.typed" in archive.namelist()
