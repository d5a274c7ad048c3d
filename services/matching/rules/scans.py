"""Every mentor of a large pool with every mentee, by scans: no matrix is ever made."""

from collections.abc import Mapping

import numpy as np

from libs.contracts.words import Objective, Role
from services.matching.rules.assignment import BestPairs
from services.matching.rules.crowd.counts import refused_to
from services.matching.rules.crowd.crowd import crowd_of, opposite
from services.matching.rules.crowd.rows import CrowdRows
from services.matching.rules.deadline import after
from services.matching.rules.edges import Integers
from services.matching.rules.feasibility import Pool, places
from services.matching.rules.market.optimum import optimum
from services.matching.rules.pairing import Rule


class Scans:
    """`Candidates` of which the smaller side asks an index over the larger one. Memory: two kilobytes a person."""

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
