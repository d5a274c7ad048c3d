"""A run as a picture: throughput, what waits, and memory, with the faults marked."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot  # the canvas is chosen first

from tests.faults.driver.timeline import Kind, Line, read

MINUTE = 60.0
SMOOTH = 5
NAMES = ("red", "orange", "purple", "brown", "pink", "cyan", "olive", "blue", "green", "gray")
INKS = tuple(f"tab:{name}" for name in NAMES)


def draw(folder: Path, file: Path) -> None:
    """From a run's timeline into an SVG file."""
    lines = list(read(folder))
    samples = [line for line in lines if line.kind is Kind.SAMPLE]
    figure, (speed, behind, memory) = pyplot.subplots(3, 1, figsize=(14, 10), sharex=True)
    times = [line.at / MINUTE for line in samples]
    speed.plot(times[1:], _rates(samples), linewidth=0.8, color="tab:blue")
    speed.set_ylabel("facts a second")
    for what, ink in (("lag", "tab:blue"), ("due", "tab:green"), ("pages", "tab:gray")):
        known = [
            (time, line.what[what]) for time, line in zip(times, samples, strict=True) if line.what[what] is not None
        ]
        behind.plot(*zip(*known, strict=True), linewidth=0.8, color=ink, label=what)
    behind.set_ylabel("records, work and pages that wait")
    behind.legend(loc="upper right")
    for name, course in _memory(samples).items():
        memory.plot(*zip(*course, strict=True), linewidth=0.8, label=name)
    memory.set_ylabel("memory, MB")
    memory.set_xlabel("minutes")
    memory.legend(loc="upper right", ncols=3, fontsize="small")
    _mark(lines, (speed, behind))
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
    pyplot.close(figure)


def _rates(samples: Sequence[Line]) -> list[float]:
    steps = [(b.what["facts"] - a.what["facts"]) / max(0.1, b.at - a.at) for a, b in pairwise(samples)]
    return [sum(part) / len(part) for part in (steps[max(0, n - SMOOTH + 1) : n + 1] for n in range(len(steps)))]


def _memory(samples: Sequence[Line]) -> dict[str, list[tuple[float, float]]]:
    courses: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for line in samples:
        for name, size in line.what["memory_mb"].items():
            courses[name].append((line.at / MINUTE, size))
    return dict(courses)


def _mark(lines: Sequence[Line], plots: Sequence[pyplot.Axes]) -> None:
    """A line where a fault began, coloured by its first word."""
    words = sorted({line.what["fault"].split()[0] for line in lines if line.kind is Kind.STRIKE})
    inks = {word: INKS[number % len(INKS)] for number, word in enumerate(words)}
    for number, line in enumerate(line for line in lines if line.kind is Kind.STRIKE):
        ink = inks[line.what["fault"].split()[0]]
        for name, plot in zip(("speed", "behind"), plots, strict=True):
            plot.axvline(line.at / MINUTE, color=ink, linewidth=0.4, alpha=0.7, gid=f"fault-{number}-{name}")
    handles = [pyplot.Line2D([], [], color=ink, label=word) for word, ink in inks.items()]
    if handles:
        plots[0].legend(handles=handles, loc="upper right", ncols=len(handles), fontsize="small")
