"""Whether prices prove that pairs are the best, judged over every pair of people with other code than the engine's.

By the duality of linear programming no set of pairs can score more than all places at their prices, plus what made
pairs score above the prices of their two people, as long as no other feasible pair scores above its two prices. Where
that bound equals the score of the pairs, they are the best.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from services.matching.rules.feasibility import Pool
from services.matching.rules.pairing import refusals

from .blocks import Blocks, Floats
from .draw import Integers
from .encoded import Side

THREADS: Final = 2
# float64 holds whole numbers up to here; people without places may be dearer, and are never asked for
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Claim:
    """Pairs as (mentor, mentee) by id, and what a place of each person costs in scores raised by `shift`."""

    pairs: Sequence[tuple[str, str]]
    prices: Mapping[str, int]
    shift: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many pairs of people were looked at, how often a condition was broken, and totals that must be the same."""

    looked_at: int
    feasible: int
    broken: Mapping[str, int]
    primal: int | None
    dual: int | None
    """None where only a sample was looked at."""

    @property
    def holds(self) -> bool:
        return not any(self.broken.values()) and self.primal == self.dual


class _Judged(NamedTuple):
    """The pairs that are made, by place in the blocks, and prices."""

    blocks: Blocks
    rows: Integers
    columns: Integers
    row_prices: Floats
    column_prices: Floats
    shift: int

    def sides(self) -> tuple[tuple[Side, Integers, Floats], ...]:
        """Each side with its places in the pairs and its prices."""
        rows = self.blocks.rows, self.rows, self.row_prices
        return rows, (self.blocks.columns, self.columns, self.column_prices)


def verify(pool: Pool, claim: Claim) -> Verdict:
    """Look at every pair of people; about ten nanoseconds a pair on each of two threads."""
    judged = _judged(pool, claim)
    broken = _broken(pool, claim, judged)
    height, width = judged.blocks.shape
    return Verdict(height * width, broken.pop("feasible", 0), broken, *_totals(judged))


def verify_some(pool: Pool, claim: Claim, mentees: int) -> Verdict:
    """Look at every pair of about so many of the mentees with all mentors."""
    some = replace(pool, mentees=pool.mentees[:: max(1, len(pool.mentees) // mentees)])
    chosen = {person.participant_id for person in some.mentees}
    theirs = replace(claim, pairs=[pair for pair in claim.pairs if pair[1] in chosen])
    judged = _judged(some, theirs)
    broken = _broken(some, theirs, judged)
    height, width = judged.blocks.shape
    return Verdict(height * width, broken.pop("feasible", 0), broken, None, None)


def _broken(pool: Pool, claim: Claim, judged: _Judged) -> Counter[str]:
    blocks, rows, columns = judged.blocks, judged.rows, judged.columns
    with ThreadPoolExecutor(THREADS) as threads:
        broken = sum(threads.map(lambda block: _look(judged, block), blocks.slices()), Counter[str]())
    broken["made, and refused one by one"] = _refused(pool, claim)
    broken["made twice"] = len(rows) - len(set(zip(rows.tolist(), columns.tolist(), strict=True)))
    for side, made, prices in judged.sides():
        broken["more pairs than places"] += int((np.bincount(made, minlength=len(side)) > side.places).sum())
        broken["price below 0 or beyond float64"] += int(((prices < 0) | (prices > _EXACT))[side.places > 0].sum())
    return +broken


def _totals(judged: _Judged) -> tuple[int, int]:
    """What the pairs score, raised, and what no set of pairs can exceed."""
    rows, columns = judged.rows, judged.columns
    raised = judged.blocks.scores_of(rows, columns) + judged.shift
    surplus = raised - (judged.row_prices[rows] + judged.column_prices[columns]).astype(np.int64)
    dual = int(np.maximum(surplus, 0).sum())
    for side, _, prices in judged.sides():
        dual += int((side.places * np.where(side.places > 0, prices, 0).astype(np.int64)).sum())
    return int(raised.sum()), dual


def _judged(pool: Pool, claim: Claim) -> _Judged:
    blocks = Blocks(pool)
    rows, columns = (
        {str(person.participant_id): index for index, person in enumerate(side.people)}
        for side in (blocks.rows, blocks.columns)
    )
    twos = [(mentee, mentor) if blocks.rows_are_mentees else (mentor, mentee) for mentor, mentee in claim.pairs]
    made = np.array([(rows[one], columns[other]) for one, other in twos], dtype=np.int64).reshape(-1, 2)
    prices = [
        np.array([claim.prices[person.participant_id] for person in side.people], dtype=np.float64)
        for side in (blocks.rows, blocks.columns)
    ]
    return _Judged(blocks, made[:, 0], made[:, 1], prices[0], prices[1], claim.shift)


def _look(judged: _Judged, block: slice) -> Counter[str]:
    """Each pair of some rows with all columns."""
    blocks, feasible = judged.blocks, judged.blocks.feasible(block)
    gains = blocks.scores(block)
    gains += judged.shift - judged.row_prices[block, None]
    gains -= judged.column_prices
    made = np.zeros(feasible.shape, dtype=np.bool_)
    here = (judged.rows >= block.start) & (judged.rows < block.stop)
    made[judged.rows[here] - block.start, judged.columns[here]] = True
    return Counter(
        {
            "feasible": int(feasible.sum()),
            "made, and refused": int((made & ~feasible).sum()),
            "made, and below its prices": int((gains[made] < 0).sum()),
            "not made, and above its prices": int((feasible & ~made & (gains > 0)).sum()),
        }
    )


def _refused(pool: Pool, claim: Claim) -> int:
    """Made pairs that the rules for two people refuse."""
    people = {str(person.participant_id): person for side in (pool.mentors, pool.mentees) for person in side}
    return sum(
        bool(refusals(pool.program, people[mentor], people[mentee], pool.standing)) for mentor, mentee in claim.pairs
    )
