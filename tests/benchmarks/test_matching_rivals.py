"""The rivals are asked the right question: where they are exact they find the round's own optimum."""

import numpy as np
import pytest

from benchmarks.matching.blocks import Blocks
from benchmarks.matching.clock import Clock
from benchmarks.matching.generator import Variant, generate
from benchmarks.matching.pool import pool_of
from benchmarks.matching.rivals import RIVALS, Unfit
from tests.matching.generated import planned_in

EXACT = sorted(RIVALS.keys() - {"top_50"})


def planned(people: int, variant: Variant) -> tuple[int, float]:
    plan = planned_in(generate(people, variant))
    return len(plan.pairs), round(plan.value * 1e6)


def reached(rival: str, people: int, variant: Variant) -> tuple[int, float]:
    blocks = Blocks(pool_of(generate(people, variant)))
    rows, columns = RIVALS[rival](blocks, Clock())
    assert blocks.feasible(slice(0, len(blocks.rows)))[rows, columns].all()
    assert (np.bincount(rows, minlength=len(blocks.rows)) <= blocks.rows.places).all()
    assert (np.bincount(columns, minlength=len(blocks.columns)) <= blocks.columns.places).all()
    return len(rows), int(blocks.scores_of(rows, columns).sum())


@pytest.mark.parametrize("rival", EXACT)
@pytest.mark.parametrize("variant", [Variant.LOPSIDED, Variant.BALANCED, Variant.HUB])
def test_exact_rivals_find_the_optimum_of_the_round(rival: str, variant: Variant) -> None:
    assert reached(rival, 100, variant) == planned(100, variant)


@pytest.mark.parametrize("variant", [Variant.EXECUTIVES, Variant.CAPACITIES])
def test_only_flows_can_say_that_people_have_several_places(variant: Variant) -> None:
    assert reached("ortools_all_pairs", 200, variant) == planned(200, variant)
    with pytest.raises(Unfit):
        reached("scipy_dense", 200, variant)


def test_the_fifty_best_hold_the_optimum_of_a_small_pool_and_not_of_a_crowded_one() -> None:
    assert reached("top_50", 60, Variant.LOPSIDED) == planned(60, Variant.LOPSIDED)
    pairs, _ = planned(1_000, Variant.BALANCED)
    assert 0.9 * pairs <= reached("top_50", 1_000, Variant.BALANCED)[0] <= pairs
