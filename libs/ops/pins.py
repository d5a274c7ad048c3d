"""Pairs that a programme's office wants, from a CSV or YAML file."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from libs.contracts.ids import ParticipantId
from libs.ops.failures import Misused
from libs.ops.yaml_file import load

MOST = 2_000
_COLUMNS = ("mentor_id", "mentee_id")
_SHOWN = 20


class Pin(BaseModel):
    """One pair."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    mentor_id: ParticipantId
    mentee_id: ParticipantId


class _File(BaseModel):
    pins: tuple[Pin, ...]


def read(path: Path) -> tuple[Pin, ...]:
    """The pins of a `.csv` file, else of a YAML file with a list `pins`. Raises Misused with line and reason."""
    pins = tuple(_from_csv(path)) if path.suffix.lower() == ".csv" else load(path, _File).pins
    if len(pins) > MOST:
        raise Misused(f"{path}: {len(pins)} pins", f"a round takes {MOST} at most")
    return pins


def _from_csv(path: Path) -> Iterator[Pin]:
    problems: list[str] = []
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True, skipinitialspace=True)
    try:
        if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
            raise Misused(f"{path}: line 1: no column {' and '.join(missing)}", f"begin with {','.join(_COLUMNS)}")
        for row in reader:
            try:
                yield Pin.model_validate({name: (row[name] or "").strip() for name in _COLUMNS})
            except ValidationError as error:
                problems += [f"line {reader.line_num}, {each['loc'][0]}: {each['msg']}" for each in error.errors()]
    except csv.Error as error:
        problems.append(f"line {reader.line_num + 1}: {error}")
    if problems:
        rest = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        told = "\n".join(f"{path}: {problem}" for problem in [*problems[:_SHOWN], *rest])
        raise Misused(told, "correct the file and run it again")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Misused(f"{path}: {error.strerror}", "check the path") from error
    except UnicodeDecodeError as error:
        raise Misused(f"{path}: not UTF-8", "save the file as UTF-8") from error
