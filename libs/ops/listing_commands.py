"""`viceversa program`, `pairs` and `sessions`. Listings show ids, never names."""

from pathlib import Path
from typing import Annotated

import typer

from libs.ops import programs, screen
from libs.ops.remote import Remote
from libs.ops.topic_commands import AsJson

program = typer.Typer(no_args_is_help=True, help="Programmes.")
ProgramId = Annotated[str, typer.Argument(help="Id of the programme.", metavar="PROGRAM")]
State = Annotated[str | None, typer.Option(help="Only those in this state.")]
Participant = Annotated[str | None, typer.Option(help="Only those of this participant's id.")]

_PAIR = ("pair_id", "mentor_id", "mentee_id", "state", "score", "created_at")
_SESSION = ("session_id", "pair_id", "number", "state", "starts_at", "ends_at")


@program.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(help="YAML with program_id, name, state and policy.", metavar="FILE.yaml")],
    as_json: AsJson = False,
) -> None:
    """Publish a programme or a change of it."""
    wanted = programs.read(file)
    answer = programs.publish(wanted)
    if as_json:
        screen.data(answer)
    else:
        revision = f", revision {answer['revision']}" if "revision" in answer else ""
        screen.said(f"published {wanted.program_id}{revision}", style="green")


def pairs(program_id: ProgramId, state: State = None, participant: Participant = None, as_json: AsJson = False) -> None:
    """The pairs of a programme."""
    with Remote("matching") as remote:
        found = list(remote.items(f"/programs/{program_id}/pairs", state=state, participant_id=participant))
    screen.listing("pairs", _PAIR, found, as_json)


def sessions(
    program_id: ProgramId,
    state: State = None,
    participant: Participant = None,
    pair: Annotated[str | None, typer.Option(help="Only those of this pair's id.")] = None,
    as_json: AsJson = False,
) -> None:
    """The sessions of a programme."""
    with Remote("scheduling") as remote:
        query = {"program_id": program_id, "state": state, "participant_id": participant, "pair_id": pair}
        found = list(remote.items("/sessions", **query))
    screen.listing("sessions", _SESSION, found, as_json)
