"""The scan of a row over all columns: bitmaps leave the feasible ones, postings bound their scores, few are scored.

Columns stand in blocks, so that what a scan needs of one at a time stays in the processor's fastest cache.
"""

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled_in_place
from services.matching.rules.crowd.heap import before, rise, sink, unfold
from services.matching.rules.crowd.judge import FULL, HALF, NOTHING, ONE, know, mark_feasible, ones, parts
from services.matching.rules.crowd.lists import Integers, Short
from services.matching.rules.crowd.tables import Asking, Columns, Scratch

BLOCK_WORDS = 32
BLOCK = 64 * BLOCK_WORDS
COARSE = 26
"""Bounds are summed in units of 2**26 shares x millionths, 64 millionths of a score, so that they fit 16 bits."""
OFFSET = FULL >> (COARSE - 20)
"""Keeps bounds above 0 at any price that a score can reach."""
UNREACHED = (1 << 16) - 1


@compiled_in_place
def mark_bases(prices: Integers, lowest: int, diversity: int, columns: Columns, bases: NDArray[np.uint16]) -> None:
    """What bounds begin with: waiting and full diversity, off which comes what a price exceeds the lowest by."""
    for column in range(len(prices)):
        excess = (prices[column] - lowest) >> (COARSE - 20)
        bases[column] = max(np.int64(columns.bases[column]) - excess, diversity)


@compiled_in_place
def mark_bounds(row: int, block: int, rows: Asking, columns: Columns, bounds: NDArray[np.uint16]) -> None:
    """Add to the bases of the block what the row and each of its columns have in common."""
    for place in range(rows.term_starts[row], rows.term_starts[row + 1]):
        term, factor = block * columns.terms + rows.terms[place], rows.factors[place]
        if columns.table[term] >= 0:
            table = columns.tables[columns.table[term]]
            for offset in range(BLOCK):
                bounds[offset] += table[offset] * factor
        else:
            for posting in range(columns.posting_starts[term], columns.posting_starts[term + 1]):
                bounds[columns.offsets[posting]] += columns.worths[posting] * factor
    for place in range(rows.wish_starts[row], rows.wish_starts[row + 1]):
        offset = rows.wishes[place] - block * BLOCK
        if 0 <= offset < BLOCK:
            bounds[offset] += ((rows.shares[2] * rows.wished[place]) >> COARSE) + 1


@compiled_in_place
def least_bound(least: int, waiting: int, shares: Integers) -> int:
    """The bound below which no utility, over the lowest price, reaches `least` for a row that waits so long."""
    if least > FULL:
        return UNREACHED
    if least < -FULL:
        return 0
    return max(0, OFFSET + int(((least << 20) - HALF - ((shares[4] * waiting + 1) >> 1)) >> COARSE))


@compiled_in_place
def reaches(bounds: NDArray[np.uint16], cut: int) -> bool:
    """Whether one of the bounds does, without a branch for each."""
    least, found = np.uint16(cut), np.uint16(0)
    for offset in range(len(bounds)):
        found = np.uint16(found | np.uint16(bounds[offset] >= least))
    return bool(found != 0)


@compiled_in_place
def scan_block(
    row: int,
    block: int,
    size: int,
    floor: int,
    lowest: int,
    prices: Integers,
    bits: NDArray[np.uint64],
    rows: Asking,
    columns: Columns,
    scratch: Scratch,
    utilities: Integers,
    scores: Integers,
    found: Short,
) -> int:
    """Put the columns of a block that are among the best so far into the heap of the row, and say how many it holds."""
    bounds, waiting, known = scratch.bounds, rows.profiles.waiting[row], False
    cut = least_bound((utilities[0] if size == len(found) else floor + 1) + lowest, waiting, rows.shares)
    if cut == UNREACHED or not bits.any():
        return size
    for offset in range(BLOCK):
        bounds[offset] = scratch.bases[block * BLOCK + offset]
    mark_bounds(row, block, rows, columns, bounds)
    for word in range(len(bits)):
        rest = bits[word]
        if rest == NOTHING or not reaches(bounds[word << 6 : (word + 1) << 6], cut):
            continue
        while rest != NOTHING:
            offset = (word << 6) + ones((rest & (~rest + ONE)) - ONE)
            rest &= rest - ONE
            if np.int64(bounds[offset]) < cut:
                continue
            if not known:
                know(row, rows.profiles, scratch.goals, scratch.skills, True)
                known = True
            column = block * BLOCK + offset
            score = parts(row, column, rows, columns, scratch.goals, scratch.skills, scratch.parts)
            utility = score - prices[column]
            if size < len(found):
                if utility <= floor:
                    continue
                utilities[size], scores[size], found[size] = utility, score, column
                rise(size, row, utilities, scores, found)
                size += 1
            elif utility > utilities[0] or (utility == utilities[0] and before(column, found[0], row)):
                utilities[0], scores[0], found[0] = utility, score, column
                sink(size, row, utilities, scores, found)
            if size == len(found):
                cut = least_bound(utilities[0] + lowest, waiting, rows.shares)
    if known:
        know(row, rows.profiles, scratch.goals, scratch.skills, False)
    return size


@compiled_in_place
def scan(
    asked: Integers,
    floors: Integers,
    prices: Integers,
    lowest: int,
    rows: Asking,
    columns: Columns,
    scratch: Scratch,
    utilities: Integers,
    found: NDArray[np.int32],
    scores: Integers,
    sizes: Integers,
) -> None:
    """Scan each asked row into a row of `found` and `scores`, best first. `lowest` is the lowest price.

    Rows go through a block together, while its tables are in the cache.
    """
    together, words = scratch.bits.shape
    for first in range(0, len(asked), together):
        last = min(first + together, len(asked))
        for place in range(first, last):
            mark_feasible(asked[place], rows, columns, scratch.bits[place - first])
        for block in range(-(-words // BLOCK_WORDS)):
            begin, end = block * BLOCK_WORDS, min((block + 1) * BLOCK_WORDS, words)
            for place in range(first, last):
                sizes[place] = scan_block(
                    asked[place],
                    block,
                    sizes[place],
                    floors[place],
                    lowest,
                    prices,
                    scratch.bits[place - first, begin:end],
                    rows,
                    columns,
                    scratch,
                    utilities[place],
                    scores[place],
                    found[place],
                )
    for place in range(len(asked)):
        unfold(sizes[place], asked[place], utilities[place], scores[place], found[place])
