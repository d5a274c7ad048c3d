"""A scan finds what the matrices find: for every pair, at any prices."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.words import Role
from services.matching.rules.crowd.rows import CrowdRows
from tests.matching.crowd_worlds import crowd_and_pool, dense, world

seeds = st.integers(0, 2**32)
sizes = st.sampled_from([0, 1, 2, 5, 13, 30])


@settings(max_examples=200, deadline=None)
@given(seeds, sizes, sizes, st.sampled_from(Role))
def test_every_feasible_pair_and_its_score_is_found(seed: int, mentors: int, mentees: int, role: Role) -> None:
    crowd, pool = crowd_and_pool(world(seed, mentors, mentees))
    scores = dense(pool, role)
    rows = CrowdRows(crowd, role)

    found = rows.best(
        np.arange(scores.shape[0]), np.zeros(scores.shape[1], dtype=np.int64), np.full(scores.shape[0], -1), 99
    )

    matrix = np.full(scores.shape, -1)
    matrix[np.repeat(np.arange(len(scores)), np.diff(found.starts)), found.columns] = found.scores
    assert (matrix == scores).all()
    assert (found.rest == -1).all()


@settings(max_examples=200, deadline=None)
@given(seeds, sizes, sizes, st.integers(1, 12), st.sampled_from([0, 10, 300_000, 1_500_000]), st.data())
def test_the_best_few_at_any_prices_are_found(
    seed: int, mentors: int, mentees: int, count: int, dearest: int, data: st.DataObject
) -> None:
    crowd, pool = crowd_and_pool(world(seed, mentors, mentees))
    role = data.draw(st.sampled_from(Role))
    scores, chance = dense(pool, role), np.random.default_rng(seed)
    prices = chance.integers(-dearest // 5, dearest, scores.shape[1], endpoint=True)
    asked = chance.permutation(scores.shape[0])
    floors = chance.integers(-10, 400_000, scores.shape[0])

    found = CrowdRows(crowd, role).best(asked, prices, floors, count)

    for place, row in enumerate(asked):
        span = slice(found.starts[place], found.starts[place + 1])
        columns, utilities = found.columns[span], (found.scores - prices[found.columns])[span]
        every = np.sort(np.where(scores[row] >= 0, scores[row] - prices, -(10**9)))[::-1]
        wanted = every[every > floors[place]]
        assert (found.scores[span] == scores[row, columns]).all()
        assert len(set(columns.tolist())) == len(columns)
        assert utilities.tolist() == wanted[:count].tolist()
        assert found.rest[place] == (wanted[count - 1] if len(wanted) >= count else floors[place])
