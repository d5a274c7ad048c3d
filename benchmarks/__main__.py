"""`make bench`: every measurement in one run, into .local/bench.json; medians of rounds that take turns."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from deploy.local import stack
from deploy.local.stack import Endpoints
from libs.contracts.topics import TOPICS

from . import commands
from .intake import arena, rate, readable, stored
from .matching.measure import matching

console = Console()
Figures = dict[str, dict[str, Any]]
_HEARS = {"minimal": ["participant-enrolled"], "matching": ["participant-enrolled", "program-published"]}


def intake(endpoints: Endpoints, process: list[str], events: int, *, service: str = "minimal", until: str) -> float:
    """Events a second until they are stored (`until` a collection) or their facts are readable (a topic)."""
    with arena(endpoints, events, _HEARS) as made:
        counted = readable(made, until) if until in TOPICS else stored(made, service, until)
        with counted as done:
            return rate(made, process, done)


def rivals(endpoints: Endpoints, events: int, few: int) -> Mapping[str, Callable[[], float]]:
    chassis, bare = "benchmarks.minimal", "benchmarks.rivals"
    return {
        "bare_loop": lambda: intake(endpoints, [bare, "bare"], events, until="profiles"),
        "intake": lambda: intake(endpoints, [chassis, "intake-alone"], events, until="profiles"),
        "through_the_relay": lambda: intake(endpoints, [chassis], events, until="participant-withdrawn"),
        "matching_intake": lambda: intake(endpoints, ["services.matching"], events, service="matching", until="people"),
        "one_transaction_per_message": lambda: intake(endpoints, [bare, "usual"], few, until="profiles"),
    }


def by_http(endpoints: Endpoints, times: int) -> Figures:
    with arena(endpoints, 0, _HEARS) as made:
        taken = asyncio.run(commands.latencies(made, times))
        grouped = [asyncio.run(commands.per_second(made, 1_000, 10 * times)) for _ in range(3)]
        single = [asyncio.run(commands.per_second(made, 1, 2 * times)) for _ in range(3)]
    latency = {"unit": "ms", "min": taken[0], "median": median(taken), "max": taken[-1]}
    return {
        "command_to_readable_fact": latency | {"p99": taken[int(len(taken) * 0.99)]},
        "commands_50_callers": _figure("commands/s", grouped),
        "commands_50_callers_one_transaction_each": _figure("commands/s", single),
        "commands_grouped_to_single": _ratio("commands_50_callers", grouped, "one_transaction_each", single),
    }


def _figure(unit: str, values: list[float]) -> dict[str, Any]:
    return {"unit": unit, "median": median(values), "min": min(values), "max": max(values)}


def _ratio(name: str, left: list[float], other: str, right: list[float]) -> dict[str, Any]:
    ratios = [a / b for a, b in zip(left, right, strict=True)]
    return _figure("ratio", ratios) | {"sides": {name: median(left), other: median(right)}}


def main(
    events: Annotated[int, typer.Option(help="Events a round")] = 50_000,
    rounds: Annotated[int, typer.Option(help="Rounds; their median is quoted")] = 3,
    people: Annotated[int, typer.Option(help="The largest pool to match; 0 leaves matching out")] = 100_000,
) -> None:
    endpoints = stack.start()
    measured: dict[str, list[float]] = {}
    for number in range(1, rounds + 1):
        for name, measure in rivals(endpoints, events, min(events, 2_000)).items():
            measured.setdefault(name, []).append(value := measure())
            console.print(f"round {number}  {name:<30}{value:>10,.0f} events/s")
    figures = {name: _figure("events/s", values) for name, values in measured.items()}
    for name in ("intake", "through_the_relay", "matching_intake"):
        figures[f"{name}_to_bare_loop"] = _ratio(name, measured[name], "bare_loop", measured["bare_loop"])
    usual = "one_transaction_per_message"
    figures["intake_to_usual"] = _ratio("intake", measured["intake"], usual, measured[usual])
    figures |= by_http(endpoints, 200)
    figures |= matching(rounds, 120, 1, people)
    written = Path(".local/bench.json")
    written.write_text(json.dumps(figures, indent=2))
    console.print(_table(figures))
    console.print(f"written to {written}")


def _table(figures: Figures) -> Table:
    table = Table("benchmark", "unit", "median", "min", "max", title="Measured on real servers, this machine, this run")
    for name, figure in figures.items():
        table.add_row(name, figure["unit"], *(f"{figure[part]:,.2f}" for part in ("median", "min", "max")))
    return table


if __name__ == "__main__":
    typer.run(main)
