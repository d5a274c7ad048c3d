"""`viceversa topics` and `viceversa flows`."""

import time
from dataclasses import asdict
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.live import Live
from rich.table import Table

from libs.ops import screen
from libs.ops.endpoints import endpoint, prefix
from libs.ops.failures import Refused, Unreachable
from libs.ops.flows import Flow, Flows
from libs.ops.hears import HEARS
from libs.ops.topics import Outcome, apply, desired

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]

topics = typer.Typer(no_args_is_help=True, help="The topics of the contracts' table.")
_FLOW_COLUMNS = ("topic", "records", "rate", *HEARS)


@topics.command("apply")
def apply_topics(
    replication: Annotated[
        int | None, typer.Option(min=1, help="Replicas; 3 or as many as brokers unless said.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create what is missing and align configurations. Partitions are never changed."""
    bootstrap = endpoint("KAFKA")
    try:
        outcomes = apply(bootstrap, prefix(), HEARS, replication)
    except KafkaException as error:
        raise Unreachable(
            f"Kafka at {bootstrap}: {error.args[0]}", "is it running? VICEVERSA_KAFKA names it"
        ) from error
    rows = [{"topic": name, "outcome": outcome.value} for name, outcome in outcomes]
    screen.listing("topics", ("topic", "outcome"), rows, as_json)
    if refused := [name for name, outcome in outcomes if outcome is Outcome.REFUSED]:
        raise Refused(
            f"other partitions than in the table: {', '.join(refused)}",
            "keys would move: create the topic anew under another prefix, or keep it as it is",
        )


@topics.command("list")
def list_topics(as_json: AsJson = False) -> None:
    """What the table asks for; needs no server."""
    rows = [asdict(spec) for spec in desired(prefix(), HEARS, 3)]
    for row in rows:
        row |= {"cleanup": row["config"]["cleanup.policy"], "retention_ms": row["config"].get("retention.ms", "")}
    screen.listing("topics", ("name", "partitions", "cleanup", "retention_ms"), rows, as_json)


def flows(
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Records of each topic, how fast they come, and the lag of each service."""
    looks = Flows(endpoint("KAFKA"), prefix())
    looks.look()
    time.sleep(interval)
    if watch:
        _watch(looks, interval, as_json)
    else:
        screen.listing("flows", _FLOW_COLUMNS, [flow.row() for flow in looks.look()], as_json)


def picture(flows: list[Flow]) -> Table:
    """The flows as a table that a live display can show."""
    return screen.table("flows", _FLOW_COLUMNS, [flow.row() for flow in flows])


def _watch(looks: Flows, interval: float, as_json: bool) -> None:
    try:
        with Live(console=Console(), auto_refresh=False) as live:
            while True:
                found = looks.look()
                if as_json:
                    screen.data([flow.row() for flow in found])
                else:
                    live.update(picture(found), refresh=True)
                time.sleep(interval)
    except KeyboardInterrupt:
        return
