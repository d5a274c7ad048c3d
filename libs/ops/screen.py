"""What a person or a program reads: tables in a terminal, tab-separated lines in a pipe, JSON when asked."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from libs.ops.failures import Failure
from libs.ops.rows import Progress as Heard

_BIG = 5_000_000


def table(title: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Table:
    """Rows under their columns; what a row lacks stays empty."""
    found = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        found.add_column(column, overflow="fold")
    for row in rows:
        found.add_row(*(escape(cell(row.get(column))) for column in columns))
    return found


def listing(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """`--json` gives every field of a row, the rest the columns."""
    if as_json:
        data(list(rows))
    elif sys.stdout.isatty():
        Console().print(table(f"{title} ({len(rows)})", columns, rows))
    else:
        lines = [columns, *([cell(row.get(column)) for column in columns] for row in rows)]
        print("\n".join("\t".join(line) for line in lines))


def data(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def cell(value: Any) -> str:
    """A value on one line, without tabs; lists and mappings as JSON."""
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else " ".join(str(value).split())


def said(text: str, *, style: str = "") -> None:
    """A line to the operator, beside the data."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, style=style, markup=False)


def failed(failure: Failure) -> None:
    said(f"error: {failure}", style="red")
    if failure.next_step:
        said(f"next: {failure.next_step}")


@contextmanager
def reading(path: Path) -> Iterator[Heard]:
    """A bar for a big file, silent for a small one and where nobody watches."""
    size = path.stat().st_size if path.is_file() else 0
    console = Console(stderr=True)
    if size < _BIG or not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("two passes", total=size * 2)
        yield _both_passes(bar, task)


def _both_passes(bar: Progress, task: Any) -> Heard:
    before = [0, 0]

    def heard(position: int) -> None:
        if position < before[0]:
            before[1] += before[0]
        before[0] = position
        bar.update(task, completed=before[0] + before[1])

    return heard
