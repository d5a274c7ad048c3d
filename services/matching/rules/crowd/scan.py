"""The scan of a row over all columns: bitmaps leave the feasible ones, postings bound their scores, few are scored.

Columns stand in blocks, so that what a scan needs of one at a time stays in the processor's fastest cache.
"""

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled
from services.matching.rules.crowd.heap import rise, sink, swap
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


@compiled
def mark_bases(prices: Integers, lowest: int, shares: Integers, columns: Columns, bases: NDArray[np.uint16]) -> None:
    """What bounds begin with: waiting, full diversity, and off it what a price exceeds the lowest by."""
    diversity = ((shares[3] * FULL) >> COARSE) + 1
    for column in range(len(prices)):
        waiting = ((shares[4] * columns.profiles.waiting[column]) >> (COARSE + 1)) + 1
        base = OFFSET + waiting + diversity - ((prices[column] - lowest) >> (COARSE - 20))
        bases[column] = max(base, diversity)


@compiled
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


@compiled
def least_bound(least: int, waiting: int, shares: Integers) -> int:
    """The bound below which no utility, over the lowest price, reaches `least` for a row that waits so long."""
    if least > FULL:
        return UNREACHED
    if least < -FULL:
        return 0
    return max(0, OFFSET + int(((least << 20) - HALF - ((shares[4] * waiting + 1) >> 1)) >> COARSE))


@compiled
def scan_row(
    row: int,
    floor: int,
    lowest: int,
    prices: Integers,
    rows: Asking,
    columns: Columns,
    scratch: Scratch,
    utilities: Integers,
    scores: Integers,
    found: Short,
) -> tuple[int, int]:
    """Fill the heap with the best columns of one row; how many there are, and the utility that no other exceeds."""
    bits, bounds, waiting = scratch.bits, scratch.bounds, rows.profiles.waiting[row]
    count, size, words = len(found), 0, len(scratch.bits)
    mark_feasible(row, rows, columns, bits)
    know(row, rows.profiles, scratch.goals, scratch.skills, True)
    cut = least_bound(floor + 1 + lowest, waiting, rows.shares)
    # each row begins elsewhere, or all rows would be told of the same few of many equal columns
    first = row * 2654435761 % (-(-words // BLOCK_WORDS) * BLOCK_WORDS)
    for turn in range(-(-words // BLOCK_WORDS)):
        block = (first // BLOCK_WORDS + turn) % -(-words // BLOCK_WORDS)
        begin = block * BLOCK_WORDS
        end = min(begin + BLOCK_WORDS, words)
        if cut == UNREACHED or not bits[begin:end].any():
            continue
        bounds[:] = scratch.bases[block * BLOCK : (block + 1) * BLOCK]
        mark_bounds(row, block, rows, columns, bounds)
        for step in range(end - begin):
            word = begin + (first + step) % (end - begin)
            rest = bits[word]
            first_offset = (word - begin) << 6
            if rest == NOTHING or not reaches(bounds[first_offset : first_offset + 64], cut):
                continue
            while rest != NOTHING:
                column = (word << 6) + ones((rest & (~rest + ONE)) - ONE)
                rest &= rest - ONE
                if np.int64(bounds[column - block * BLOCK]) < cut:
                    continue
                score = parts(row, column, rows, columns, scratch.goals, scratch.skills, scratch.parts)
                utility = score - prices[column]
                if utility <= floor:
                    continue
                place = size if size < count else 0
                utilities[place], scores[place], found[place] = utility, score, column
                if size < count:
                    rise(size, utilities, scores, found)
                    size += 1
                else:
                    sink(0, size, utilities, scores, found)
                if size == count:
                    floor = utilities[0]
                    cut = least_bound(floor + 1 + lowest, waiting, rows.shares)
    know(row, rows.profiles, scratch.goals, scratch.skills, False)
    return size, floor


@compiled
def reaches(bounds: NDArray[np.uint16], cut: int) -> bool:
    """Whether one of the bounds does, without a branch for each."""
    least, found = np.uint16(cut), np.uint16(0)
    for offset in range(len(bounds)):
        found = np.uint16(found | np.uint16(bounds[offset] >= least))
    return bool(found != 0)


@compiled
def scan(
    asked: Integers,
    floors: Integers,
    prices: Integers,
    lowest: int,
    rows: Asking,
    columns: Columns,
    scratch: Scratch,
    found: NDArray[np.int32],
    scores: Integers,
    sizes: Integers,
    rest: Integers,
) -> None:
    """Scan each asked row into a row of `found` and `scores`, best first. `lowest` is the lowest price."""
    utilities = np.empty(found.shape[1], dtype=np.int64)
    for place in range(len(asked)):
        size, rest[place] = scan_row(
            asked[place], floors[place], lowest, prices, rows, columns, scratch, utilities, scores[place], found[place]
        )
        sizes[place] = size
        for last in range(size - 1, 0, -1):
            swap(0, last, utilities, scores[place], found[place])
            sink(0, last, utilities, scores[place], found[place])
