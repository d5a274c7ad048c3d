"""The verifier accepts what is optimal, and no certificate that was tampered with."""

from dataclasses import replace
from functools import cache

import pytest

from benchmarks.matching.clock import Clock
from benchmarks.matching.engine import crowd_in, explain, solve
from benchmarks.matching.generator import Instance, Variant, generate
from benchmarks.matching.pool import pool_of
from benchmarks.matching.verify import Claim, verify, verify_some
from tests.matching.generated import planned_in


@cache
def claimed(variant: Variant = Variant.BALANCED) -> tuple[Instance, Claim]:
    instance = generate(300, variant)
    solved = solve(crowd_in(instance, Clock()), Clock())
    return instance, Claim(solved.pairs(), solved.prices(), solved.optimum.market.shift)


@pytest.mark.parametrize("variant", Variant)
def test_the_engines_pairs_and_prices_hold_over_every_pair_of_people(variant: Variant) -> None:
    instance, claim = claimed(variant)
    verdict = verify(pool_of(instance), claim)
    assert verdict.holds, verdict
    assert verdict.looked_at > verdict.feasible > 1_000


def test_every_pair_of_the_engine_is_explained_with_its_own_parts() -> None:
    instance = generate(300)
    solved, clock = solve(crowd_in(instance, Clock()), Clock()), Clock()
    explained = dict(zip(solved.pairs(), explain(instance, solved, clock), strict=True))
    planned = planned_in(instance)
    assert explained == {(pair.mentor_id, pair.mentee_id): pair.rationale for pair in planned.pairs}
    assert clock.seconds["rationale"] > 0


def test_a_sample_of_mentees_is_judged_alike() -> None:
    instance, claim = claimed()
    some = verify_some(pool_of(instance), claim, 50)
    assert some.holds
    assert some.looked_at == 50 * 150
    cheap = replace(claim, prices=dict.fromkeys(claim.prices, 0))
    assert verify_some(pool_of(instance), cheap, 50).broken


def broken(claim: Claim) -> set[str]:
    verdict = verify(pool_of(claimed()[0]), claim)
    assert not verdict.holds
    return set(verdict.broken)


def test_a_pair_too_few_is_no_optimum() -> None:
    _, claim = claimed()
    verdict = verify(pool_of(claimed()[0]), replace(claim, pairs=claim.pairs[1:]))
    assert verdict.primal < verdict.dual


def test_a_price_too_low_leaves_pairs_that_would_add_value() -> None:
    _, claim = claimed()
    _, mentee = claim.pairs[0]
    assert "not made, and above its prices" in broken(replace(claim, prices={**claim.prices, mentee: 0}))


def test_a_price_too_high_makes_the_bound_loose() -> None:
    _, claim = claimed()
    _, mentee = claim.pairs[0]
    dearer = {**claim.prices, mentee: claim.prices[mentee] + 10 * claim.shift}
    assert "made, and below its prices" in broken(replace(claim, prices=dearer))


def test_somebody_paired_twice_or_with_a_stranger_to_the_rules_is_seen() -> None:
    instance, claim = claimed()
    mentor, mentee = claim.pairs[0]
    assert "made twice" in broken(replace(claim, pairs=[*claim.pairs, claim.pairs[0]]))
    other = next(one for one, _ in claim.pairs if one != mentor)
    assert "more pairs than places" in broken(replace(claim, pairs=[*claim.pairs, (other, mentee)]))
    excluded, by = next(iter(instance.exclusions()))
    assert {"made, and refused", "made, and refused one by one"} <= broken(
        replace(claim, pairs=[*claim.pairs, (excluded, by)])
    )
