"""`python -m benchmarks.matching`: only the measurements of matching, put beside what .local/bench.json has."""

import json
from pathlib import Path
from typing import Annotated

import typer

from .measure import console, matching, table


def main(
    rounds: Annotated[int, typer.Option(help="Tries of the engine and of the nearest rival")] = 3,
    limit: Annotated[float, typer.Option(help="Seconds that a rival has, with reading the people")] = 120,
    seed: Annotated[int, typer.Option(help="Of the companies")] = 1,
    largest: Annotated[int, typer.Option(help="Leave out pools of more people; 1000000 is the long run")] = 100_000,
) -> None:
    written = Path(".local/bench.json")
    figures = matching(rounds, limit, seed, largest)
    before = json.loads(written.read_text()) if written.exists() else {}
    written.parent.mkdir(exist_ok=True)
    written.write_text(json.dumps(before | figures, indent=2))
    console.print(table(figures))


if __name__ == "__main__":
    typer.run(main)
