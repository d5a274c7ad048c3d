"""The waiting pool in memory: as good as a new one after every change, and never a pair that breaks a rule."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Objective, Role
from services.matching.rules.assignment import best_pairs
from services.matching.rules.feasibility import Pool, feasibility_of
from services.matching.rules.pairing import Standing, refusals
from services.matching.rules.rolling.fitting import fitting
from services.matching.rules.rolling.pool import KeptPool, Member, Ties
from services.matching.rules.score import parts_of, weighed
from services.matching.rules.working_hours import reference_week
from tests.matching.crowd_worlds import anybody, random_policy
from tests.matching.rules_people import NOW, program

NAMES = [*(f"ada{n}" for n in range(12)), *(f"grace{n}" for n in range(12))]


class World:
    """Who waits, as a plain list, beside the pool that is kept."""

    def __init__(self, seed: int, **policy: Any) -> None:
        self.chance = Random(seed)
        self.program: ProgramPublished = program(**(random_policy(self.chance) | policy))
        self.members: dict[str, Member] = {}
        self.now = NOW
        self.kept = KeptPool.empty(self.program, NOW)

    def person(self, name: str) -> Member:
        """Somebody of this name, who knows others now and then."""
        role = "mentor" if name.startswith("ada") else "mentee"
        return Member(anybody(self.chance, role, name, NAMES), self.ties(name))

    def ties(self, name: str) -> Ties:
        others = [other for other in NAMES if other != name]

        def some() -> frozenset[str]:
            return frozenset(self.chance.sample(others, self.chance.choice([0, 0, 0, 1, 3])))

        ended = {other: self.now - timedelta(days=self.chance.randint(0, 400)) for other in some()}
        partners = frozenset(self.chance.sample(others, self.chance.choice([0, 0, 0, 0, 1])))
        return Ties(partners=partners, excluded=some(), former=ended)

    def change(self) -> list[str]:
        """Some arrive or change, some leave; who arrived."""
        come = self.chance.sample(NAMES, self.chance.randint(0, 5))
        left = [name for name in self.members if name not in come and self.chance.random() < 0.15]
        arrived = {name: self.person(name) for name in come}
        self.members = {name: it for name, it in self.members.items() if name not in left} | arrived
        self.kept.leave(left)
        self.kept.add(list(arrived.values()), self.now)
        return come

    def anew(self) -> KeptPool:
        pool = KeptPool.empty(self.program, self.now)
        pool.add(list(self.members.values()), self.now)
        return pool

    @property
    def standing(self) -> Standing:
        ties = {name: member.ties for name, member in self.members.items()}
        cooldown = timedelta(days=self.program.policy.cooldown_days)
        return Standing(
            now=self.now,
            week=reference_week(self.now, self.program.policy.time_zone),
            taken={name: len(its.partners) for name, its in ties.items()},
            together=frozenset(frozenset((name, other)) for name, its in ties.items() for other in its.partners),
            cooling=frozenset(
                frozenset((name, other))
                for name, its in ties.items()
                for other, ended in its.former.items()
                if self.now - ended < cooldown
            ),
            excluded=frozenset(frozenset((name, other)) for name, its in ties.items() for other in its.excluded),
        )

    def side(self, role: Role) -> list[ParticipantEnrolled]:
        return [member.profile for member in self.members.values() if member.profile.role is role]

    def scores(self) -> tuple[Pool, np.ndarray[Any, np.dtype[np.int64]]]:
        """By the matrices: mentors x mentees, -1 where a rule refuses."""
        pool = Pool(self.program, self.side(Role.MENTOR), self.side(Role.MENTEE), self.standing)
        scores = weighed(parts_of(pool), self.program.policy.weights)
        return pool, np.where(feasibility_of(pool).feasible, scores, -1)

    def worth(self, pairs: Sequence[tuple[str, str]]) -> tuple[int, int]:
        """How many pairs, and their total score by the matrices; that each keeps all rules is asserted."""
        pool, scores = self.scores()
        mentors, mentees = ([person.participant_id for person in side] for side in (pool.mentors, pool.mentees))
        total, taken = 0, dict(self.standing.taken)
        for mentor, mentee in pairs:
            standing = replace(self.standing, taken=dict(taken))
            two = pool.mentors[mentors.index(mentor)], pool.mentees[mentees.index(mentee)]
            assert not refusals(self.program, *two, standing)
            total += int(scores[mentors.index(mentor), mentees.index(mentee)])
            for person in (mentor, mentee):
                taken[person] = taken.get(person, 0) + 1
        return len(pairs), total

    def best(self, asked: Sequence[str]) -> tuple[int, int]:
        """The most that pairs with one of the asked can reach, by the matrices."""
        pool, scores = self.scores()
        sides = (pool.mentors, pool.mentees)
        mentors, mentees = (np.array([one.participant_id in asked for one in side], dtype=np.bool_) for side in sides)
        concerned = (mentors.reshape(-1, 1) | mentees.reshape(1, -1)) & (scores >= 0)
        row, column = np.nonzero(concerned)
        table = sparse.csr_array((scores[row, column], (row, column)), shape=scores.shape)
        best = best_pairs(table, pool.free(pool.mentors), pool.free(pool.mentees), self.program.policy.objective)
        return len(best.mentors), best.value


@settings(deadline=None)
@given(seed=st.integers(0, 10**9), objective=st.sampled_from(Objective))
def test_after_every_change_the_pairs_keep_all_rules_and_are_the_best_for_who_asks(
    seed: int, objective: Objective
) -> None:
    world = World(seed, objective=objective.value)

    for _ in range(6):
        world.now += timedelta(hours=world.chance.choice([0, 1, 30]))
        asked = world.change()
        if not world.kept.fits(world.program, world.now):
            world.kept = world.anew()
        asked += world.chance.sample(sorted(world.members), min(2, len(world.members)))

        kept, new = (world.worth(pool.best_pairs(asked, world.now)) for pool in (world.kept, world.anew()))

        assert kept == new == world.best(asked)
        assert len(world.kept) == len(world.members)


@settings(deadline=None)
@given(seed=st.integers(0, 10**9))
def test_one_person_against_all_others_fits_and_scores_as_the_matrices_say(seed: int) -> None:
    world = World(seed)
    for _ in range(4):
        world.change()
    pool, scores = world.scores()
    for role, people, others, table in (
        (Role.MENTOR, pool.mentors, pool.mentees, scores),
        (Role.MENTEE, pool.mentees, pool.mentors, scores.T),
    ):
        ids = [other.participant_id for other in others]
        for row, person in enumerate(people):
            (one,) = world.kept.asking(person.participant_id)
            found, said = fitting(one, world.kept.apart(one, world.now), world.now)
            by_id = dict(zip([one.others.ids[place] for place in found.tolist()], said.tolist(), strict=True))
            assert one.role is role
            assert by_id == {ids[column]: score for column, score in enumerate(table[row].tolist()) if score >= 0}


def test_an_empty_pool_has_no_pairs() -> None:
    pool = KeptPool.empty(program(), NOW)

    assert (pool.best_pairs(["ada"], NOW), len(pool), "ada" in pool) == ([], 0, False)


@pytest.mark.parametrize("later", [timedelta(days=1), timedelta(days=7)])
def test_a_pool_is_of_use_until_the_week_for_working_hours_changes(later: timedelta) -> None:
    now: datetime = NOW
    pool = KeptPool.empty(program(), now)

    assert pool.fits(program(), now + later) is (later < timedelta(days=7))
    assert not pool.fits(program(min_grade_gap=1), now)
