"""`python -m tests.model` explores the full bounds, then every sabotage; `--sabotage NAME` tells one counterexample."""

import argparse
import sys

from rich.console import Console
from rich.table import Table

from tests.model.bounds import FULL, SMALL, shown_by
from tests.model.explore import Verdict, explore
from tests.model.sabotage import Sabotage
from tests.model.world import Rules


def main() -> int:
    """The exit code: 0 if the promise holds and every sabotage costs it."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--sabotage", choices=[each.name.lower() for each in Sabotage], help="tell its counterexample")
    parser.add_argument("--small", action="store_true", help="the bounds that the tests explore")
    chosen = parser.parse_args()
    console = Console()
    if chosen.sabotage:
        return _told(console, Sabotage[chosen.sabotage.upper()])
    held = _bounds(console, SMALL if chosen.small else FULL)
    return 0 if _sabotages(console) and held else 1


def _told(console: Console, sabotage: Sabotage) -> int:
    verdict = explore(shown_by(sabotage))
    console.print(f"[bold]{sabotage}[/]: {verdict.broken or 'the promise holds all the same'}\n")
    for number, sentence in enumerate(verdict.trace, 1):
        console.print(f"{number:3}  {sentence}", highlight=False, soft_wrap=True)
    return 0 if verdict.broken else 1


def _bounds(console: Console, bounds: dict[str, Rules]) -> bool:
    table = Table("bound", "states", "moves", "depth", "seconds", "verdict", title="The protocol as it is")
    verdicts = [(name, _watched(console, name, rules)) for name, rules in bounds.items()]
    for name, found in verdicts:
        table.add_row(name, *_figures(found), found.broken or "holds, and can always finish")
    console.print(table)
    for _, found in verdicts:
        for sentence in found.trace:
            console.print(f"  {sentence}", highlight=False, soft_wrap=True)
    return not any(found.broken for _, found in verdicts)


def _sabotages(console: Console) -> bool:
    table = Table("sabotage", "states", "steps", "what it costs", title="With one guard off")
    verdicts = {sabotage: _watched(console, sabotage, shown_by(sabotage)) for sabotage in Sabotage}
    for sabotage, found in verdicts.items():
        steps = str(len(found.trace)) if found.broken else "none"
        table.add_row(sabotage.name.lower(), f"{found.states:,}", steps, found.broken or "NOTHING: not caught")
    console.print(table)
    return all(found.broken for found in verdicts.values())


def _watched(console: Console, name: str, rules: Rules) -> Verdict:
    with console.status(name) as status:
        return explore(rules, lambda states, depth: status.update(f"{name}: {states:,} states, depth {depth}"))


def _figures(found: Verdict) -> tuple[str, str, str, str]:
    return f"{found.states:,}", f"{found.moves:,}", str(found.depth), f"{found.seconds:.0f}"


if __name__ == "__main__":
    sys.exit(main())
