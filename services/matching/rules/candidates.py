"""Every mentor of a pool with every mentee: judged in matrices where these are few, by scans where they are many."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from libs.contracts.words import Objective, Role
from services.matching.rules.assignment import BestPairs, best_pairs
from services.matching.rules.crowd.counts import refused_to
from services.matching.rules.crowd.crowd import crowd_of, opposite
from services.matching.rules.crowd.rows import CrowdRows
from services.matching.rules.deadline import after
from services.matching.rules.edges import Integers
from services.matching.rules.feasibility import Pool, feasibility_of, places
from services.matching.rules.market.optimum import optimum
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
    return Matrices(pool) if len(pool.mentors) * len(pool.mentees) <= FEW else Scans(pool, threads)


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


class Scans:
    """The smaller side asks an index over the larger one. Memory: about a kilobyte for each person."""

    def __init__(self, pool: Pool, threads: int) -> None:
        self._crowd, self._threads = crowd_of(pool.program, pool.mentors, pool.mentees, pool.standing), threads
        self._role = Role.MENTEE if len(pool.mentees) <= len(pool.mentors) else Role.MENTOR
        self._rows = CrowdRows(self._crowd, self._role, threads)
        mentors, mentees = places(pool.mentors), places(pool.mentees)
        # the index in the pool of each person of the crowd, and the other way round
        self._indices = {
            Role.MENTOR: np.array([mentors[name] for name in self._crowd.mentor_ids], dtype=np.int64),
            Role.MENTEE: np.array([mentees[name] for name in self._crowd.mentee_ids], dtype=np.int64),
        }
        self._crowded = {role: np.argsort(indices) for role, indices in self._indices.items()}

    def best_pairs(self, objective: Objective, time_limit: float | None) -> BestPairs:
        best = optimum(self._rows, objective, out_of_time=after(time_limit))
        sides = {self._role: best.rows, opposite(self._role): best.columns}
        mentors, mentees = (self._indices[role][sides[role]] for role in (Role.MENTOR, Role.MENTEE))
        order = np.lexsort((mentees, mentors))
        return BestPairs(mentors[order], mentees[order], best.value, best.upper_bound)

    def parts(self, mentors: Integers, mentees: Integers) -> tuple[Integers, Integers]:
        sides = self._crowded[Role.MENTOR][mentors], self._crowded[Role.MENTEE][mentees]
        return self._rows.parts(*(sides if self._role is Role.MENTOR else sides[::-1]))

    def refused_to(self, role: Role) -> Mapping[Rule, Integers]:
        return {rule: counts[self._crowded[role]] for rule, counts in refused_to(self._crowd, role).items()}

    def feasible_for(self, role: Role, people: Integers) -> tuple[Integers, Integers]:
        # of the side that is indexed another index over the rows is made, which is small, and let go again
        rows = self._rows if role is self._role else CrowdRows(self._crowd, role, self._threads)
        return rows.feasible(self._crowded[role][people])
