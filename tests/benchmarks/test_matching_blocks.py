"""The scores that the rivals get and the verifier judges by are the rules' own, for every pair."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.matching.blocks import Blocks
from benchmarks.matching.generator import Variant, generate
from benchmarks.matching.pool import pool_of
from services.matching.rules.feasibility import Pool, feasibility_of
from services.matching.rules.score import parts_of, weighed


def agree(pool: Pool) -> None:
    blocks = Blocks(pool)
    feasible, scores = feasibility_of(pool).feasible, weighed(parts_of(pool), pool.program.policy.weights)
    if blocks.rows_are_mentees:
        feasible, scores = feasible.T, scores.T
    assert blocks.shape == feasible.shape
    everybody = slice(0, len(blocks.rows))
    assert np.array_equal(blocks.feasible(everybody), feasible)
    assert np.array_equal(blocks.scores(everybody), scores)
    rows, columns = np.nonzero(feasible)
    assert len(rows) > 100
    assert np.array_equal(blocks.scores_of(rows, columns), scores[rows, columns])


@pytest.mark.parametrize("variant", Variant)
def test_every_pair_of_a_company_gets_the_marks_and_scores_of_the_rules(variant: Variant) -> None:
    agree(pool_of(generate(600, variant)))


@pytest.mark.parametrize(
    "policy",
    [
        {"different_function": "required", "different_unit": "preferred"},
        {"different_function": "ignored", "different_unit": "ignored", "max_grade_gap": None},
        {"require_shared_language": False, "min_overlap_minutes_per_week": 0},
    ],
)
def test_other_policies_are_judged_alike(policy: dict[str, object]) -> None:
    pool = pool_of(generate(600, Variant.EXECUTIVES, seed=2))
    program = pool.program.model_validate(
        pool.program.model_dump() | {"policy": pool.program.policy.model_dump() | policy}
    )
    agree(replace(pool, program=program))
