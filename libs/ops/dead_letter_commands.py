"""`viceversa dead-letters`."""

from typing import Annotated, Literal

import typer

from libs.ops import screen
from libs.ops.dead_letters import COLUMNS, Search, State, purge, replay, shown
from libs.ops.failures import Misused, Refused
from libs.ops.remote import SERVICES, Json
from libs.ops.topic_commands import AsJson

dead_letters = typer.Typer(no_args_is_help=True, help="What a service could not handle.")

Id = Annotated[str, typer.Argument(help="Id of the dead letter.", metavar="ID")]
Service = Annotated[
    Literal["matching", "scheduling", "notifications"] | None,
    typer.Option(help="Only of this service; all unless said."),
]
Reason = Annotated[str | None, typer.Option(help="Only those parked for this reason.")]
Topic = Annotated[str | None, typer.Option(help="Only those of this topic.")]
Which = Literal["parked", "replayed", "purged", "all"]
_OUTCOME = ("service", "dead_letter_id", "outcome", "why")


@dead_letters.command("list")
def list_(
    service: Service = None,
    state: Annotated[Which, typer.Option(help="Only those in this state.")] = "parked",
    reason: Reason = None,
    topic: Topic = None,
    as_json: AsJson = False,
) -> None:
    """Places and reasons, without contents."""
    wanted = None if state == "all" else State(state)
    screen.listing("dead letters", COLUMNS, Search(_services(service), wanted, reason, topic).found(), as_json)


@dead_letters.command("show")
def show(id: Id, service: Service = None, as_json: AsJson = False) -> None:
    """One dead letter, without its content."""
    letter = shown(id, _services(service))
    if as_json:
        screen.data(letter)
    else:
        rows = [{"field": name, "value": value} for name, value in letter.items()]
        screen.listing("dead letter", ("field", "value"), rows, as_json=False)


@dead_letters.command("replay")
def replay_(
    id: Annotated[str | None, typer.Argument(help="Id of one dead letter.", metavar="[ID]")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that are parked.")] = False,
    service: Service = None,
    reason: Reason = None,
    topic: Topic = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be replayed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have them handled again, in the order in which they came. Say an id, --reason, --topic or --all."""
    if bool(id) + all_ + bool(reason or topic) != 1:
        raise Misused("say one of: an id, --reason and/or --topic, --all", "`viceversa dead-letters list` shows them")
    services = _services(service)
    letters = [shown(id, services)] if id else Search(services, State.PARKED, reason, topic).found()
    if dry_run:
        screen.listing("would be replayed", COLUMNS, letters, as_json)
        return
    _tell("replayed", list(replay(letters)), as_json)


@dead_letters.command("purge")
def purge_(
    id: Id,
    reason: Annotated[str, typer.Option(help="Why it is dropped; kept with it.")],
    service: Service = None,
    as_json: AsJson = False,
) -> None:
    """Drop the content of one and keep why."""
    _tell("purged", [purge(shown(id, _services(service)), reason)], as_json)


def _services(service: str | None) -> tuple[str, ...]:
    return (service,) if service else SERVICES


def _tell(title: str, letters: list[Json], as_json: bool) -> None:
    screen.listing(title, _OUTCOME, letters, as_json)
    if refused := sum(letter["outcome"] == "refused" for letter in letters):
        raise Refused(f"{refused} of {len(letters)} were refused", "mend the cause, then replay them again")
