"""Spoil the product in a copy, guard by guard, and see that the tests notice: `python -m tests.faults.mutations`."""

import fcntl
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from deploy.local import stack
from deploy.local.processes import LOCAL, write_atomically
from deploy.local.stack import Endpoints
from tests.faults.mutations.mutation import Mutation
from tests.faults.mutations.scratch import Outdated, Scratch, copied
from tests.faults.mutations.table import MUTATIONS
from tests.faults.mutations.trial import NoTrial, Verdict, judge, rehearse

FILE = LOCAL / "faults.json"
USERS = LOCAL / "run" / "tests.lock"
INTERRUPTED = 130

Names = Annotated[list[str] | None, typer.Argument(help="Only these; all without a name.")]
Listing = Annotated[bool, typer.Option("--list", help="Say what there is, and run nothing.")]


def main(names: Names = None, listing: Listing = False) -> None:
    """Exit code 1 if a mutation survives, or if its old text is no longer where it was."""
    if unknown := [name for name in names or () if name not in MUTATIONS]:
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}; --list says what there is")
    chosen = {name: MUTATIONS[name] for name in names or MUTATIONS}
    console = Console(width=190)
    if listing:
        for name, mutation in chosen.items():
            console.print(f"[bold]{name}[/] {mutation.file}: {mutation.breaks}", highlight=False, soft_wrap=True)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    try:
        found = tried(chosen, console)
    except NoTrial as why:
        console.print(str(why), markup=False)
        raise SystemExit(1) from None
    note(found)
    console.print(table(found))
    raise SystemExit(0 if all(verdict and verdict.caught_by for verdict in found.values()) else 1)


def tried(chosen: Mapping[str, Mutation], console: Console) -> dict[str, Verdict | None]:
    """The verdict on each mutation; None where it does not fit the product any more."""
    with servers() as endpoints, copied() as scratch, Progress(console=console, transient=True) as progress:
        task = progress.add_task("the chosen tests, on sound code", total=len(chosen))
        console.print(f"green without any mutation, in {rehearse(scratch, endpoints, list(chosen.values())):.0f} s")
        found: dict[str, Verdict | None] = {}
        for name, mutation in chosen.items():
            progress.update(task, description=name)
            found[name] = _verdict(scratch, endpoints, mutation)
            progress.advance(task)
            console.print(
                f"{name}: {_told(found[name])}: {_why(found[name])}", highlight=False, markup=False, soft_wrap=True
            )
    return found


def _verdict(scratch: Scratch, endpoints: Endpoints, mutation: Mutation) -> Verdict | None:
    try:
        return judge(scratch, endpoints, mutation)
    except Outdated:
        return None


def _told(verdict: Verdict | None) -> str:
    if verdict is None:
        return "OUTDATED: its old text is not where it was"
    return verdict.caught_by.rpartition("::")[2] or "SURVIVED"


def _why(verdict: Verdict | None) -> str:
    return verdict.why if verdict else ""


@contextmanager
def servers() -> Iterator[Endpoints]:
    """The servers that all tests share. No test run stops them meanwhile, and who started them stops them."""
    USERS.parent.mkdir(parents=True, exist_ok=True)
    with USERS.open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        ours = stack.choose() is stack.Engine.LOCAL and not any(stack.alive().values())
        try:
            yield stack.start()
        finally:
            if ours and not (LOCAL / "endpoints.env").exists():
                with suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    stack.stop()


def note(found: Mapping[str, Verdict | None], file: Path = FILE) -> None:
    """What others wrote there stays, and so do mutations that had no turn now."""
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    news = {name: _noted(verdict) for name, verdict in found.items()}
    past = {name: old for name, old in known.get("mutations", {}).items() if name in MUTATIONS and name not in found}
    mutations = past | news
    caught = sum(bool(each["caught_by"]) for each in mutations.values())
    write_atomically(file, json.dumps(known | {"mutations": mutations, "mutations_caught": caught}, indent=2) + "\n")


def _noted(verdict: Verdict | None) -> dict[str, Any]:
    """What is outdated was caught by nothing."""
    return {"caught_by": verdict.caught_by, "seconds": verdict.seconds} if verdict else {"caught_by": "", "seconds": 0}


def table(found: Mapping[str, Verdict | None]) -> Table:
    caught = sum(bool(verdict and verdict.caught_by) for verdict in found.values())
    shown = Table("mutation", "caught by", "seconds", "in the model", title=f"{caught} of {len(found)} caught")
    for name, verdict in found.items():
        step = MUTATIONS[name].model
        seconds = f"{verdict.seconds:.0f}" if verdict else ""
        shown.add_row(name, escape(_told(verdict)), seconds, step.name.lower() if step else "")
    return shown


if __name__ == "__main__":
    typer.run(main)
