"""What happened in a run, one JSON line each: faults, orders, samples, violations."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any, TextIO

FILE = "timeline.jsonl"


class Kind(StrEnum):
    """What a line tells of."""

    RUN = "run"  # how the run began and ended
    STRIKE = "strike"  # a fault begins
    END = "end"  # a fault is over
    RECOVERED = "recovered"  # a fact went the whole way again
    ORDER = "order"  # what the generator asked for, and what was answered
    SAMPLE = "sample"
    RESTART = "restart"  # a process had ended by itself and was started again
    VIOLATION = "violation"


@dataclass(frozen=True, slots=True)
class Line:
    """`at` is in seconds since the run began."""

    at: float
    kind: Kind
    what: Mapping[str, Any]

    def __str__(self) -> str:
        words = " ".join(f"{name}={value}" for name, value in self.what.items() if value not in (None, "", ()))
        return f"{self.at:8.1f} s  {self.kind:<9}  {words}"


@dataclass(slots=True)
class Timeline:
    """Written by many threads; a line is in the file once `note` returns."""

    folder: Path
    clock: Callable[[], float] = time.monotonic
    _began: float = field(init=False)
    _file: TextIO = field(init=False)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._began = self.clock()
        self._file = (self.folder / FILE).open("w", encoding="utf-8", buffering=1)

    @property
    def now(self) -> float:
        return self.clock() - self._began

    def note(self, kind: Kind, **what: Any) -> None:
        line = json.dumps({"at": round(self.now, 3), "kind": kind} | what, default=str)
        with self._lock:
            self._file.write(line + "\n")

    def close(self) -> None:
        self._file.close()


def read(folder: Path) -> Iterator[Line]:
    """The lines of a run's folder."""
    with (folder / FILE).open(encoding="utf-8") as lines:
        for text in lines:
            what = json.loads(text)
            yield Line(what.pop("at"), Kind(what.pop("kind")), what)
