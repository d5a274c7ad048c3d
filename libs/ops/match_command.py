"""`viceversa match`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from libs.contracts.ids import is_key
from libs.contracts.words import Objective
from libs.ops import pins, screen
from libs.ops.failures import Misused
from libs.ops.listing_commands import ProgramId
from libs.ops.remote import Json, Remote
from libs.ops.topic_commands import AsJson

SHOWN: Final = 20
_PAUSE: Final = 0.3
_PAIR: Final = ("mentor_id", "mentee_id", "score", "made", "why")
_PERSON: Final = ("participant_id", "role", "reasons")
_PIN: Final = ("mentor_id", "mentee_id", "rules")


class _State(StrEnum):
    """Where a round stays."""

    DONE = "done"
    FAILED = "failed"


def match(
    program: ProgramId,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan, and make no pair.")] = False,
    objective: Annotated[Objective | None, typer.Option(help="The policy's unless said.")] = None,
    pin: Annotated[Path | None, typer.Option("--pin", help="Pairs to make first: CSV or YAML.", metavar="FILE")] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(min=0.1, max=3_600, help="Seconds for the solver; until proven unless said.", metavar="S"),
    ] = None,
    round_id: Annotated[
        str | None, typer.Option("--round", help="Id of the round; the same again is the same round.", metavar="ID")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the best pairs among all who wait, and make them."""
    for id, name in ((program, "PROGRAM"), (round_id, "--round")):
        if id is not None and not is_key(id, 1):
            raise Misused(f"{name}: an id has 1 to 128 of A-Z a-z 0-9 . _ ~ : @ -", "say the id, not the name")
    wanted = [each.model_dump() for each in pins.read(pin)] if pin else []
    wish = {"objective": objective, "dry_run": dry_run, "pins": wanted, "time_limit_s": time_limit}
    with Remote("matching") as remote:
        id = round_id or str(uuid4())
        place = f"/programs/{program}/rounds/{id}"
        found = remote.post(f"/programs/{program}/rounds", {"round_id": id, **wish})
        with _watching(place) as heard:
            while found.get("state") not in list(_State):
                time.sleep(_PAUSE)
                found = remote.get(place)
                heard(found)
        _tell(remote, place, found, as_json)
    raise typer.Exit(0 if _is_whole(found) else 1)


def _is_whole(round: Json) -> bool:
    progress = round["progress"]
    all_made = bool(round["dry_run"]) or progress["made"] == progress["planned"]
    return round["state"] == _State.DONE and all_made and not round["refused_pins"]


@contextmanager
def _watching(place: str) -> Iterator[Any]:
    """How far the round is, for who sits before a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("queued", total=None)
        try:
            yield lambda round: bar.update(task, **_step(round["progress"]))
        except KeyboardInterrupt:
            screen.said(f"the round goes on: GET {place} tells how far it is")
            raise


def _step(progress: Json) -> Json:
    """Counts of the stage: pairs that had their turn of all, findings that are stored, or people who were read."""
    match progress["stage"]:
        case "making":
            return {"description": "making pairs", "completed": progress["written"], "total": progress["planned"]}
        case "storing":
            stored = progress["planned"] + progress["unmatched"]
            return {"description": "storing the plan", "completed": stored, "total": progress["people"]}
        case stage:
            return {"description": stage or "done", "completed": progress["people"], "total": None}


def _tell(remote: Remote, place: str, round: Json, as_json: bool) -> None:
    if as_json:
        lists = {name: list(remote.items(f"{place}/{name}")) for name in ("pairs", "unmatched")}
        screen.data({**round, **lists})
        return
    if round["state"] == _State.FAILED:
        screen.said(f"error: the round could not be planned: {round['failure']}", style="red")
        return
    progress = round["progress"]
    first = remote.get(f"{place}/pairs", limit=SHOWN)["items"]
    screen.listing(f"pairs, the first of {progress['planned']}:", _PAIR, [_why(pair) for pair in first], as_json)
    left = remote.get(f"{place}/unmatched", limit=SHOWN)["items"]
    if left:
        screen.listing(f"unmatched, the first of {progress['unmatched']}:", _PERSON, left, as_json)
        reasons = [{"reason": name, "people": count} for name, count in round["reasons"].items()]
        screen.listing("reasons", ("reason", "people"), reasons, as_json)
    if round["refused_pins"]:
        screen.listing("refused pins", _PIN, round["refused_pins"], as_json)
    screen.said(_summary(round), style="bold")


def _why(pair: Json) -> Json:
    return pair | {"why": " ".join((pair["rationale"] or {}).get("notes", ()))}


def _summary(round: Json) -> str:
    progress, proven = round["progress"], "proven the best" if round["gap"] == 0 else f"gap {round['gap']:.2%}"
    made = "none made (dry run)" if round["dry_run"] else f"{progress['made']} made"
    return (
        f"round {round['round_id']}: {progress['planned']} pairs planned, {made}, {progress['unmatched']} unmatched; "
        f"value {round['value']:.3f} of at most {round['upper_bound']:.3f}, {proven}"
    )
