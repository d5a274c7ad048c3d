"""What is told of a pair or counted for a person is what the rules say of each pair alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.words import Role
from services.matching.rules.crowd.counts import refused_to
from services.matching.rules.crowd.rows import CrowdRows
from services.matching.rules.feasibility import feasibility_of
from services.matching.rules.pairing import Rule, refusals
from services.matching.rules.score import parts_of
from tests.matching.crowd_worlds import crowd_and_pool, dense, world

seeds = st.integers(0, 2**32)
sizes = st.sampled_from([0, 1, 2, 5, 13, 30])


@settings(max_examples=150, deadline=None)
@given(seeds, sizes, sizes)
def test_each_rule_refuses_as_many_candidates_as_by_the_matrices(seed: int, mentors: int, mentees: int) -> None:
    crowd, pool = crowd_and_pool(world(seed, mentors, mentees))
    wanted = feasibility_of(pool)
    for role, by_matrices in ((Role.MENTOR, wanted.refused_to_mentors), (Role.MENTEE, wanted.refused_to_mentees)):
        found = refused_to(crowd, role)
        assert {rule: counts.tolist() for rule, counts in found.items()} == {
            rule: counts.tolist() for rule, counts in by_matrices.items()
        }


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_each_rule_refuses_as_many_candidates_as_pair_by_pair(seed: int) -> None:
    crowd, pool = crowd_and_pool(world(seed, 9, 11))
    alone = [[refusals(pool.program, one, other, pool.standing) for other in pool.mentees] for one in pool.mentors]
    to_mentors, to_mentees = refused_to(crowd, Role.MENTOR), refused_to(crowd, Role.MENTEE)
    for rule in Rule:
        broken = np.array([[rule in rules for rules in row] for row in alone])
        assert to_mentors[rule].tolist() == broken.sum(axis=1).tolist()
        assert to_mentees[rule].tolist() == broken.sum(axis=0).tolist()


@settings(max_examples=150, deadline=None)
@given(seeds, sizes, sizes, st.sampled_from(Role), st.booleans())
def test_feasible_candidates_are_counted_and_those_that_add_no_value(
    seed: int, mentors: int, mentees: int, role: Role, nobody_waits: bool
) -> None:
    policy = {"weights": {"learning": 1, "reciprocal": 2, "preference": 1, "diversity": 0, "waiting": 0}}
    crowd, pool = crowd_and_pool(world(seed, mentors, mentees, **(policy if nobody_waits else {})))
    scores = dense(pool, role)
    feasible, worthless = CrowdRows(crowd, role, threads=2).feasible(np.arange(len(scores)))
    assert feasible.tolist() == (scores >= 0).sum(axis=1).tolist()
    assert worthless.tolist() == (scores == 0).sum(axis=1).tolist()


@settings(max_examples=100, deadline=None)
@given(seeds, sizes, sizes, st.sampled_from(Role))
def test_the_parts_of_named_pairs_are_those_of_the_matrices(seed: int, mentors: int, mentees: int, role: Role) -> None:
    crowd, pool = crowd_and_pool(world(seed, mentors, mentees))
    wanted, size = parts_of(pool), (len(pool.mentors), len(pool.mentees))
    one, other = (places.ravel() for places in np.indices(size))

    parts, _ = CrowdRows(crowd, role).parts(*((one, other) if role is Role.MENTOR else (other, one)))

    names = ("learning", "reciprocal", "preference", "diversity", "waiting")
    for name, column in zip(names, parts.T, strict=True):
        assert column.reshape(size).tolist() == getattr(wanted, name).tolist()
