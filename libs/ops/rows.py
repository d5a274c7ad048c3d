"""The rows of a CSV file, one at a time, with the line on which each begins. Broken ones are values, not exceptions."""

import codecs
import csv
import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO

from libs.ops.failures import Misused
from libs.ops.mapping import Mapping

_BEYOND_UTF8 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by column, with single spaces and none around."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be read."""

    line: int
    reason: str


def read(path: Path, mapping: Mapping, progress: Progress = lambda _: None) -> Iterator[Row | Broken]:
    """The file's rows; blank lines are none. `progress` hears bytes read. Raises Misused if it is no table."""
    try:
        with path.open("rb") as file:
            yield from _rows(file, path, mapping, progress)
    except OSError as error:
        raise Misused(f"{path}: {error.strerror}", "check the path") from error
    except UnicodeError as error:
        raise Misused(f"{path}: is not {mapping.encoding}", "say another `encoding` in the mapping") from error


def _rows(file: BinaryIO, path: Path, mapping: Mapping, progress: Progress) -> Iterator[Row | Broken]:
    start = file.read(4)
    if start.startswith(_BEYOND_UTF8) and not mapping.encoding.startswith(("utf-16", "utf-32")):
        raise Misused(f"{path}: is UTF-16 or UTF-32", "say `encoding: utf-16` in the mapping, or save it as UTF-8")
    file.seek(0)
    # Undecodable bytes become surrogates, so that one bad row does not end the file
    text = io.TextIOWrapper(file, mapping.encoding, errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    header = _header(reader, path, mapping)
    for number, (line, cells) in enumerate(_records(reader)):
        if number % 500 == 0:
            progress(file.tell())
        if cells:
            yield _row(line, cells, header, mapping)


def _header(reader: Any, path: Path, mapping: Mapping) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Misused(f"{path}: line 1: {error}", "check the file's delimiter and quotes") from error
    if not any(header):
        raise Misused(f"{path}: is empty", "it needs a first line with the names of its columns")
    wanted = list(dict.fromkeys(mapping.needed()))
    if missing := [name for name in wanted if name not in header]:
        raise Misused(
            f"{path}: line 1 has no column {', '.join(missing)}; it has {len(header)}{_near(missing, header)}",
            "correct the mapping, or its `delimiter` or `encoding`",
        )
    if doubled := [name for name in wanted if header.count(name) > 1]:
        raise Misused(f"{path}: has the column {', '.join(doubled)} twice", "rename one of them")
    return header


def _near(missing: list[str], header: list[str]) -> str:
    """Names that may be meant. Others are not shown: where there is no header, line 1 is a person."""
    near = dict.fromkeys(found for name in missing for found in get_close_matches(name, header, 1))
    return f", among them {', '.join(near)}" if near else ""


def _records(reader: Any) -> Iterator[tuple[int, list[str] | csv.Error]]:
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except csv.Error as error:
            yield line, error
        except StopIteration:
            return


def _row(line: int, cells: list[str] | csv.Error, header: Collection[str], mapping: Mapping) -> Row | Broken:
    if isinstance(cells, csv.Error):
        return Broken(line, f"cannot be read: {cells}")
    if len(cells) != len(header):
        return Broken(line, f"{len(cells)} fields, the header has {len(header)}")
    if any(not _clean(cell) for cell in cells):
        known = mapping.encoding.removesuffix("-sig")
        return Broken(line, f"bytes that are not {known}: say `encoding` in the mapping, for example cp1252")
    return Row(line, {name: " ".join(cell.split()) for name, cell in zip(header, cells, strict=True)})


def _clean(cell: str) -> bool:
    return cell.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in cell)
