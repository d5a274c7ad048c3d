"""Rows shown while they come: nothing holds all of them."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from libs.ops import screen

Row = Mapping[str, Any]
_PAGE: Final = 200
_LONG: Final = 200
_NEWS: Final = 1_000


def listing(title: str, columns: Sequence[str], rows: Iterable[Row], as_json: bool) -> None:
    """As `screen.listing` shows them: `--json` one array, a terminal a table for each screenful, a pipe lines."""
    if as_json:
        _array(rows)
    elif sys.stdout.isatty():
        _tables(title, columns, iter(rows))
    else:
        print("\t".join(columns))
        for row in rows:
            print("\t".join(screen.cell(row.get(column)) for column in columns), flush=True)


def watched(title: str, rows: Iterable[Row], total: int) -> Iterator[Row]:
    """The same rows; on a terminal a bar tells how many are done, elsewhere a line after each thousand."""
    console = Console(stderr=True)
    if total < _LONG:
        yield from rows
    elif console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            yield from bar.track(rows, total=total, description=title)
    else:
        for number, row in enumerate(rows, 1):
            yield row
            if number % _NEWS == 0:
                screen.said(f"{title}: {number} of {total}")


def _array(rows: Iterable[Row]) -> None:
    between = "["
    for row in rows:
        print(between + json.dumps(row, ensure_ascii=False, default=str), end="", flush=True)
        between = ",\n"
    print("]" if between != "[" else "[]")


def _tables(title: str, columns: Sequence[str], rows: Iterator[Row]) -> None:
    shown = False
    while (part := list(islice(rows, _PAGE))) or not shown:
        Console().print(screen.table(title, columns, part))
        shown = True
