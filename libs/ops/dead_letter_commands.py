"""`viceversa dead-letters`."""

import getpass
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import typer

from libs.ops import screen, streams
from libs.ops.dead_letters import Desk, Search, State, moment, paced, rate
from libs.ops.failures import Failure, Misused, Refused
from libs.ops.remote import SERVICES, Json
from libs.ops.topic_commands import AsJson

dead_letters = typer.Typer(no_args_is_help=True, help="What a service could not handle.")

_LISTED: Final = (
    "service", "dead_letter_id", "state", "reason", "topic", "partition", "offset", "at", "replays", "detail",
)  # fmt: skip
_GROUPS: Final = ("service", "topic", "reason", "count", "oldest", "newest")
_FORESEEN: Final = ("service", "dead_letter_id", "would_be", "reason", "detail", "facts", "planned")
_OUTCOME: Final = ("service", "dead_letter_id", "outcome", "why")

Id = Annotated[str, typer.Argument(help="Id of the dead letter.", metavar="ID")]
One = Annotated[str | None, typer.Argument(help="Id of one dead letter.", metavar="[ID]")]
Service = Annotated[
    Literal["matching", "scheduling", "notifications"] | None,
    typer.Option(help="Only of this service; all unless said."),
]
Reason = Annotated[str | None, typer.Option("--reason", "--parked-for", help="Only those parked for this reason.")]
ParkedFor = Annotated[str | None, typer.Option("--parked-for", help="Only those parked for this reason.")]
Topic = Annotated[str | None, typer.Option(help="Only those of this topic.")]
Since = Annotated[
    str | None, typer.Option("--since", help="Only those parked since then: 2h, 7d, 2026-03-02, 2026-03-02T09:30.")
]
Until = Annotated[str | None, typer.Option("--until", help="Only those parked before then.")]
Which = Annotated[Literal["parked", "replayed", "purged", "all"], typer.Option(help="Only those in this state.")]
All = Annotated[bool, typer.Option("--all", help="All that are parked.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would happen, and change nothing.")]
By = Annotated[str | None, typer.Option(help="Who wants it, kept with it; your user name unless said.")]


@dead_letters.command("summary")
def summary(
    service: Service = None,
    state: Which = "parked",
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """The first look: how many, by service, topic and reason, the oldest and the newest."""
    groups = list(_search(service, state, reason, topic, since, until).summary())
    screen.listing("dead letters", _GROUPS, groups, as_json)
    screen.said(f"{sum(group['count'] for group in groups)} dead letters")


@dead_letters.command("list")
def list_(
    service: Service = None,
    state: Which = "parked",
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Places and reasons, without contents."""
    found = _search(service, state, reason, topic, since, until).found()
    streams.listing("dead letters", _LISTED, found, as_json)


@dead_letters.command("show")
def show(id: Id, service: Service = None, as_json: AsJson = False) -> None:
    """One dead letter with the names, types and lengths of its content, and no value of it."""
    with Desk() as desk:
        letter = desk.shown(id, _services(service))
    if as_json:
        screen.data(letter)
    else:
        rows = [{"field": name, "value": value} for name, value in letter.items()]
        screen.listing("dead letter", ("field", "value"), rows, as_json=False)


@dead_letters.command("replay")
def replay(
    id: One = None,
    all_: All = False,
    service: Service = None,
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    per_second: Annotated[str, typer.Option("--rate", help="At most so many, such as 50/s or 600/m.")] = "50/s",
    force: Annotated[bool, typer.Option("--force", help="Also what was replayed three times in vain.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Have them handled again, in the order in which they came. Say an id, a filter or --all."""
    search, pace = _search(service, State.PARKED, reason, topic, since, until), rate(per_second)
    with Desk() as desk:
        total, chosen = _chosen(desk, id, all_, search)
        letters = paced(chosen, pace)
        if dry_run:
            rows = (desk.foreseen(letter, force=force) for letter in letters)
            _tell("would be", _FORESEEN, rows, total, "would_be", as_json)
        else:
            rows = (desk.replay(letter, by=_who(by), force=force) for letter in letters)
            _tell("replayed", _OUTCOME, rows, total, "outcome", as_json)


@dead_letters.command("purge")
def purge(
    reason: Annotated[str, typer.Option(help="Why they are dropped; kept with them.")],
    id: One = None,
    all_: All = False,
    service: Service = None,
    parked_for: ParkedFor = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before all are purged.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Drop their contents and keep why, who and when. Say an id, a filter or --all."""
    search = _search(service, State.PARKED, parked_for, topic, since, until)
    with Desk() as desk:
        total, letters = _chosen(desk, id, all_, search)
        if dry_run:
            streams.listing("would be purged", _LISTED, letters, as_json)
            return
        if all_ and not yes:
            _confirm(total)
        rows = (desk.purge(letter, reason=reason, by=_who(by)) for letter in letters)
        _tell("purged", _OUTCOME, rows, total, "outcome", as_json)


def _search(
    service: str | None, state: str, reason: str | None, topic: str | None, since: str | None, until: str | None
) -> Search:
    now = datetime.now(UTC)
    start, end = (moment(said, now) if said else None for said in (since, until))
    return Search(_services(service), None if state == "all" else State(state), reason, topic, start, end)


def _services(service: str | None) -> tuple[str, ...]:
    return (service,) if service else SERVICES


def _chosen(desk: Desk, id: str | None, all_: bool, search: Search) -> tuple[int, Iterable[Json]]:
    """How many, and the letters, while they are read."""
    if bool(id) + all_ + search.narrowed != 1:
        raise Misused("say one of: an id, filters, --all", "`viceversa dead-letters summary` shows what there is")
    if id:
        return 1, [desk.shown(id, search.services)]
    return sum(group["count"] for group in search.summary()), search.found()


def _confirm(total: int) -> None:
    if not _somebody_watches():
        raise Misused("--all purges everything that is parked", "say --yes where nobody can be asked")
    if not typer.confirm(f"Drop the contents of {total} dead letters for good?", err=True):
        raise Refused("nothing was purged")


def _somebody_watches() -> bool:
    return sys.stdin.isatty()


def _who(by: str | None) -> str:
    try:
        return by or getpass.getuser()
    except (KeyError, OSError) as error:
        raise Misused("this machine does not know your name", "say it with --by") from error


def _tell(title: str, columns: tuple[str, ...], rows: Iterable[Json], total: int, outcome: str, as_json: bool) -> None:
    """Raises Refused where some were refused; whatever ends it early tells how far it came."""
    done = {True: 0, False: 0}

    def counted() -> Iterator[Json]:
        for row in rows:
            done[row[outcome] in ("replayed", "purged", "handled")] += 1
            yield row

    try:
        streams.listing(title, columns, streams.watched(title, counted(), total), as_json)
    except Failure:
        screen.said(f"ended early: {done[True]} {title}, {done[False]} refused; what is left is still parked")
        raise
    if done[False]:
        raise Refused(f"{done[False]} of {sum(done.values())} were refused", "mend the cause, then replay them again")
