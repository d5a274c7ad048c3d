"""Breadth first through all states; then backwards from the finished ones."""

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass

from tests.model.promise import broken, finished
from tests.model.protocol import canonical, moves, tell
from tests.model.world import Rules, World

Progress = Callable[[int, int], None]
_TOLD_EVERY = 5_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `broken` is empty if the promise holds; else `trace` tells the shortest way to its breach."""

    states: int
    moves: int
    depth: int
    seconds: float
    broken: str
    trace: tuple[str, ...]


class Search:
    """States are numbered as they are found; a state's parent has a lower number."""

    def __init__(self, rules: Rules, progress: Progress) -> None:
        self.rules = rules
        self.progress = progress
        self.begun = time.monotonic()
        self.numbers: dict[World, int] = {}
        self.parents = array("l")
        self.depths = array("i")
        self.edges = array("l")
        self.starts = array("l", [0])
        self.good = bytearray()

    def run(self) -> Verdict:
        """Visit everything, or stop at the first breach."""
        queue = [canonical(self.rules.start())]
        self._found(queue[0], -1)
        for number, state in enumerate(queue):
            if number % _TOLD_EVERY == 0:
                self.progress(len(queue), self.depths[number])
            if why := broken(self.rules, state):
                return self._verdict(why, number)
            for _, after in moves(self.rules, state):
                after = canonical(after)
                known = self.numbers.get(after)
                if known is None:
                    known = self._found(after, number)
                    queue.append(after)
                self.edges.append(known)
            self.starts.append(len(self.edges))
        stuck = self._stuck()
        return self._verdict("from here on nothing leads to a finished state" if stuck is not None else "", stuck)

    def _found(self, state: World, parent: int) -> int:
        number = self.numbers[state] = len(self.numbers)
        self.parents.append(parent)
        self.depths.append(self.depths[parent] + 1 if parent >= 0 else 0)
        self.good.append(finished(self.rules, state))
        return number

    def _stuck(self) -> int | None:
        """The first state that no finished one can be reached from. Later states are mostly nearer to the end, so going
        backwards takes few rounds."""
        good, edges, starts = self.good, self.edges, self.starts
        waiting = [number for number in range(len(good) - 1, -1, -1) if not good[number]]
        while True:
            left = []
            for number in waiting:
                if any(good[after] for after in edges[starts[number] : starts[number + 1]]):
                    good[number] = 1
                else:
                    left.append(number)
            if len(left) == len(waiting):
                return left[-1] if left else None
            waiting = left

    def _verdict(self, why: str, number: int | None) -> Verdict:
        trace: tuple[str, ...] = ()
        if number is not None:
            trace = tuple(tell(self.rules, self._path(number)))
        seconds = time.monotonic() - self.begun
        return Verdict(len(self.numbers), len(self.edges), max(self.depths), seconds, why, trace)

    def _path(self, number: int) -> list[World]:
        states = list(self.numbers)
        path = []
        while number >= 0:
            path.append(states[number])
            number = self.parents[number]
        return path[::-1]


def explore(rules: Rules, progress: Progress = lambda states, depth: None) -> Verdict:
    """The verdict on one bound; `progress` hears the states found and their depth from time to time."""
    return Search(rules, progress).run()
