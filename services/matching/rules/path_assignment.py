"""Assignment by best augmenting paths on Python's whole numbers, for scores that float64 cannot add up exactly.

Slow (paths x edges x people at worst) and without a limit on the size of scores.
"""

from dataclasses import dataclass, field

import numpy as np

from services.matching.rules.edges import Edges, Integers


@dataclass(slots=True)
class _Flow:
    """The pairs taken so far and the places still free."""

    mentor: list[int]
    mentee: list[int]
    score: list[int]
    free_mentor: list[int]
    free_mentee: list[int]
    taken: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Reach:
    """The best gain with which a path reaches each person, and the edge by which it came."""

    mentor_gain: dict[int, int]
    mentee_gain: dict[int, int]
    mentor_from: dict[int, int]
    mentee_from: dict[int, int]


def solve_by_paths(edges: Edges, most: bool) -> Integers:
    """Positions of the chosen edges. After each path the pairs are the best of their number, and gains only fall."""
    flow = _Flow(
        edges.mentor.tolist(),
        edges.mentee.tolist(),
        edges.score.tolist(),
        edges.mentor_capacity.tolist(),
        edges.mentee_capacity.tolist(),
    )
    while (end := _best_end(flow, reach := _reach(flow))) is not None and (most or reach.mentee_gain[end] > 0):
        _augment(flow, reach, end)
    return np.array(sorted(flow.taken), dtype=np.int64)


def _reach(flow: _Flow) -> _Reach:
    reach = _Reach({person: 0 for person, free in enumerate(flow.free_mentor) if free}, {}, {}, {})
    changed = True
    while changed:
        changed = sum(_relax(flow, reach, edge) for edge in range(len(flow.score))) > 0
    return reach


def _relax(flow: _Flow, reach: _Reach, edge: int) -> bool:
    """A taken edge is given back (from mentee to mentor), any other is taken."""
    mentor, mentee, score = flow.mentor[edge], flow.mentee[edge], flow.score[edge]
    if edge in flow.taken:
        return _improve(reach.mentee_gain.get(mentee), -score, reach.mentor_gain, reach.mentor_from, mentor, edge)
    return _improve(reach.mentor_gain.get(mentor), score, reach.mentee_gain, reach.mentee_from, mentee, edge)


def _improve(
    start: int | None, step: int, gain: dict[int, int], came_from: dict[int, int], person: int, edge: int
) -> bool:
    if start is None or (person in gain and gain[person] >= start + step):
        return False
    gain[person], came_from[person] = start + step, edge
    return True


def _best_end(flow: _Flow, reach: _Reach) -> int | None:
    ends = [person for person in reach.mentee_gain if flow.free_mentee[person]]
    return min(ends, key=lambda person: (-reach.mentee_gain[person], person), default=None)


def _augment(flow: _Flow, reach: _Reach, end: int) -> None:
    flow.free_mentee[end] -= 1
    mentee = end
    while True:
        edge = reach.mentee_from[mentee]
        flow.taken.add(edge)
        mentor = flow.mentor[edge]
        if mentor not in reach.mentor_from:
            flow.free_mentor[mentor] -= 1
            return
        given_back = reach.mentor_from[mentor]
        flow.taken.remove(given_back)
        mentee = flow.mentee[given_back]
