"""The engine beside other libraries on generated pools.

The engine and the pipeline that comes nearest take turns; every other library has one try, and where it missed a
smaller pool none at a larger one.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Column, Table

from deploy.local import stack
from services.matching.rules.score import FULL

from .contest import ENGINE, Done, Match, contest
from .generator import Variant, generate
from .rivals import RIVALS
from .rounds import whole_round

console = Console()
Figures = dict[str, dict[str, Any]]

NEAREST: Final = "top_50"
ALL: Final = tuple(RIVALS)
_USUAL: Final = 100_000
_CONTESTS: Final = (
    (1_000, Variant.LOPSIDED, ALL),
    (10_000, Variant.LOPSIDED, ALL),
    (_USUAL, Variant.LOPSIDED, ALL),
    (20_000, Variant.BALANCED, ALL),
    (_USUAL, Variant.HUB, (NEAREST,)),
    (_USUAL, Variant.EXECUTIVES, (NEAREST,)),
    (_USUAL, Variant.CAPACITIES, (NEAREST,)),
    (1_000_000, Variant.LOPSIDED, ()),
)
_PARTS: Final = ("loading", "scoring", "solving", "certificate", "rationale")


def measure(
    match: Match, names: tuple[str, ...], rounds: int, limit: float, missed: dict[str, str]
) -> Iterator[tuple[str, Done]]:
    """Every try of the engine, of the nearest rival and of the others."""
    for number in range(rounds):
        yield ENGINE, contest(ENGINE, match, 10 * limit, *(_judged(match) if number == 0 else []))
        if NEAREST in names:
            yield NEAREST, contest(NEAREST, match, limit)
    for name in names:
        if name in missed:
            yield name, Done(missed=f"not tried: {missed[name]} at a smaller pool")
        elif name != NEAREST:
            yield name, contest(name, match, limit)


def _judged(match: Match) -> list[str]:
    return ["--verified"] if match.people <= _USUAL else ["--mentees", "500"]


def figures_of(match: Match, tries: list[tuple[str, Done]]) -> Figures:
    """One figure per contestant that finished, and the nearest rival's ratio to the engine, taken try by try."""
    figures: Figures = {}
    done: dict[str, list[Done]] = {}
    missed = {name: one.missed for name, one in tries if one.missed}
    if ENGINE in missed:
        raise RuntimeError(f"the engine did not finish {match.name}: {missed[ENGINE]}")
    for name, one in tries:
        if name not in missed:
            done.setdefault(name, []).append(one)
    for name, finished in done.items():
        figures[f"{match.name}_{name}"] = _figure(finished)
    if missed:
        figures[f"{match.name}_{ENGINE}"]["did_not_finish"] = missed
    if NEAREST in done:
        pairs = zip(done[NEAREST], done[ENGINE], strict=False)
        ratios = [rival.matching / engine.matching for rival, engine in pairs]
        sides = {name: median(one.matching for one in done[name]) for name in (NEAREST, ENGINE)}
        figures[f"{match.name}_{NEAREST}_to_{ENGINE}"] = _spread("ratio", ratios) | {"sides": sides}
    return figures


def _figure(tries: list[Done]) -> dict[str, Any]:
    middle = sorted(tries, key=lambda done: done.matching)[len(tries) // 2]
    figure = _spread("s", [done.matching for done in tries])
    figure |= {"parts": middle.seconds, "memory_mb": max(done.memory for done in tries)}
    figure |= {"pairs": middle.pairs, "value": middle.value}
    if middle.upper_bound is not None:
        figure |= {"upper_bound": middle.upper_bound, "gap": 1 - middle.value / max(1, middle.upper_bound)}
    if verdicts := [done.verdict for done in tries if done.verdict]:
        figure["verifier"] = verdicts[0]
    return figure


def _spread(unit: str, values: list[float]) -> dict[str, Any]:
    return {"unit": unit, "median": median(values), "min": min(values), "max": max(values)}


def arrivals() -> Figures:
    """Of one person in a pool of 100,000, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.matching.arrivals", str(_USUAL)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return {f"matching_{_USUAL}_{name}": figure for name, figure in json.loads(ended.stdout).items()}


def matching(rounds: int, limit: float, seed: int, largest: int) -> Figures:
    """The pools of at most so many people, small ones first, arrivals, and a whole round on real servers.

    rounds: tries of the engine and of the nearest rival. limit: seconds that a rival has, with reading the people.
    """
    figures: Figures = {}
    missed: dict[str, str] = {}
    for people, variant, names in _CONTESTS:
        if people > largest:
            continue
        match = Match(people, variant, seed)
        tries = []
        for name, done in measure(match, names, rounds, limit, missed):
            tries.append((name, done))
            if done.missed:
                missed.setdefault(name, done.missed)
            console.print(f"{match.name:<28}{name:<20}{done.missed or f'{done.matching:,.3f} s'}")
        figures |= figures_of(match, tries)
    if largest >= _USUAL:
        figures |= arrivals()
        figures[f"matching_round_{_USUAL}"] = whole_round(stack.start(), generate(_USUAL, seed=seed))
    return figures


def table(figures: Figures) -> Table:
    """Seconds by part, memory, and what the pairs are worth, in a row per contestant."""
    shown = Table(Column("pool and contestant", no_wrap=True), "median", *_PARTS, "MB", "pairs", "value")
    for name, figure in figures.items():
        parts = (figure.get("parts", {}).get(part, "") for part in _PARTS)
        sizes = (figure.get("memory_mb", ""), figure.get("pairs", ""), figure.get("value", 0) / FULL or "")
        cells = (cell if isinstance(cell, str) else f"{cell:,.3f}" for cell in (figure["median"], *parts, *sizes))
        shown.add_row(name, *cells)
        for missed, why in figure.get("did_not_finish", {}).items():
            shown.add_row(name.removesuffix(ENGINE) + missed, why)
    return shown
