"""Wall time and memory of the parts of a run, in the process that does the work."""

import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

PARTS = ("loading", "scoring", "solving", "certificate", "rationale")


class Clock:
    """Seconds by part, in the order of `PARTS`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._paused = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        start, paused = time.perf_counter(), self._paused
        yield
        spent = time.perf_counter() - start - (self._paused - paused)
        self.seconds[name] = self.seconds.get(name, 0) + spent

    def unmeasured(self, things: Iterable[T]) -> Iterator[T]:
        """The things, without the time that making them takes."""
        source = iter(things)
        while True:
            start = time.perf_counter()
            try:
                thing = next(source)
            except StopIteration:
                return
            finally:
                self._paused += time.perf_counter() - start
            yield thing


def peak_megabytes() -> float:
    """The most memory that this process has had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
