"""Every mentor of a pool with every mentee: judged in matrices where these are few, by scans where they are many."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from libs.contracts.words import Objective, Role
from services.matching.rules.assignment import BestPairs, best_pairs
from services.matching.rules.edges import Integers
from services.matching.rules.feasibility import Pool, feasibility_of
from services.matching.rules.pairing import Rule
from services.matching.rules.score import parts_of, weighed

# Mentors x mentees. Matrices of so many take a second and some 300 MB, and need nothing compiled
FEW = 4_000_000


class Candidates(Protocol):
    """People are told by their index in the pool, scores and parts in millionths."""

    def best_pairs(self, objective: Objective, time_limit: float | None) -> BestPairs:
        """See `assignment.best_pairs`."""

    def parts(self, mentors: Integers, mentees: Integers) -> tuple[Integers, Integers]:
        """Of each of these pairs, feasible or not, the parts (pairs x parts, as `Parts` has them) and the score."""

    def refused_to(self, role: Role) -> Mapping[Rule, Integers]:
        """Per person of the role, how many others each rule refuses; who breaks several counts under each."""

    def feasible_for(self, role: Role, people: Integers) -> tuple[Integers, Integers]:
        """How many others break no rule with each of these people, and how many of them score 0."""


def candidates_of(pool: Pool, threads: int) -> Candidates:
    """Both ways come to the same values and counts; among equally good sets of pairs each has its own choice."""
    if len(pool.mentors) * len(pool.mentees) <= FEW:
        return Matrices(pool)
    # loads numba, half a second and 60 MB that a service whose pools are small does without
    from services.matching.rules.scans import Scans

    return Scans(pool, threads)


class Matrices:
    """All pairs at once. Memory: some 60 bytes for each pair of people."""

    def __init__(self, pool: Pool) -> None:
        self._places = pool.free(pool.mentors), pool.free(pool.mentees)
        self._feasibility, self._parts = feasibility_of(pool), parts_of(pool)
        self._micros = weighed(self._parts, pool.program.policy.weights)
        self._scores = np.where(self._feasibility.feasible, self._micros, -1)

    def best_pairs(self, objective: Objective, time_limit: float | None) -> BestPairs:
        return best_pairs(self._scores, *self._places, objective, time_limit=time_limit)

    def parts(self, mentors: Integers, mentees: Integers) -> tuple[Integers, Integers]:
        return self._parts.of(mentors, mentees), self._micros[mentors, mentees]

    def refused_to(self, role: Role) -> Mapping[Rule, Integers]:
        its = self._feasibility
        return its.refused_to_mentors if role is Role.MENTOR else its.refused_to_mentees

    def feasible_for(self, role: Role, people: Integers) -> tuple[Integers, Integers]:
        scores = self._scores[people] if role is Role.MENTOR else self._scores.T[people]
        return (scores >= 0).sum(axis=1), (scores == 0).sum(axis=1)
