"""Wall time and memory of the parts of a run, in the process that does the work."""

import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Clock:
    """Seconds by part. A part within a part counts for itself alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._elsewhere = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        start, elsewhere = time.perf_counter(), self._elsewhere
        yield
        passed = time.perf_counter() - start
        self.seconds[name] = self.seconds.get(name, 0) + passed - (self._elsewhere - elsewhere)
        self._elsewhere = elsewhere + passed

    def unmeasured(self, things: Iterable[T]) -> Iterator[T]:
        """The things, without the time that making them takes."""
        source = iter(things)
        while True:
            start = time.perf_counter()
            thing = next(source, None)
            self._elsewhere += time.perf_counter() - start
            if thing is None:
                return
            yield thing


def peak_megabytes() -> float:
    """The most memory that this process has had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
