"""Programmes from YAML files: the fields of `program-published`, without the revision, which the service counts."""

from pathlib import Path
from typing import Any

from libs.contracts.events import ProgramPublished
from libs.ops.remote import Json, Remote
from libs.ops.yaml_file import load


def read(path: Path) -> ProgramPublished:
    """Raises Misused with the line and the field of every error."""
    return load(path, ProgramPublished, revision=0)


def publish(program: ProgramPublished) -> Json:
    """What matching answers."""
    wish: dict[str, Any] = program.model_dump(mode="json", exclude_none=True, exclude={"program_id", "revision"})
    with Remote("matching") as remote:
        return remote.put(f"/programs/{program.program_id}", wish)
