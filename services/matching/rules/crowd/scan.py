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
COARSE = 10
"""Bounds are summed in units of 2**10 shares x millionths, so that they fit 32 bits."""
UNREACHED = 1 << 40


@compiled
def mark_bounds(row: int, block: int, rows: Asking, columns: Columns, bounds: Short) -> None:
    """What the weighted teaching and preference parts cannot exceed, for each column of the block."""
    bounds[:] = 0
    for place in range(rows.term_starts[row], rows.term_starts[row + 1]):
        term, factor = block * 2 * columns.topics + rows.terms[place], rows.factors[place]
        for posting in range(columns.posting_starts[term], columns.posting_starts[term + 1]):
            bounds[columns.offsets[posting]] += columns.worths[posting] * factor
    for place in range(rows.wish_starts[row], rows.wish_starts[row + 1]):
        offset = rows.wishes[place] - block * BLOCK
        if 0 <= offset < BLOCK:
            bounds[offset] += ((rows.shares[2] * rows.wished[place]) >> COARSE) + 1


@compiled
def least_bound(least: int, waiting: int, shares: Integers) -> int:
    """The bound below which no score reaches `least`, at this waiting part and full diversity."""
    if least <= 0:
        return -1
    if least > FULL:
        return UNREACHED
    return int(((least << 20) - HALF - shares[3] * FULL - shares[4] * waiting) >> COARSE)


@compiled
def scan_row(
    row: int,
    floor: int,
    prices: Integers,
    cheapest: Integers,
    rows: Asking,
    columns: Columns,
    scratch: Scratch,
    utilities: Integers,
    scores: Integers,
    found: Short,
) -> tuple[int, int]:
    """Fill the heap with the best columns of one row; how many there are, and the utility that no other exceeds."""
    bits, bounds = scratch.bits, scratch.bounds
    count, size, blocks = len(found), 0, len(columns.longest)
    mark_feasible(row, rows, columns, bits)
    know(row, rows.profiles, scratch.goals, scratch.skills, True)
    # each row begins elsewhere, or all rows would be told of the same few of many equal columns
    first = row * 2654435761 % (blocks * BLOCK_WORDS)
    for turn in range(blocks):
        block = (first // BLOCK_WORDS + turn) % blocks
        least = floor + 1 + cheapest[block]
        begin = block * BLOCK_WORDS
        end = min(begin + BLOCK_WORDS, len(bits))
        if least > FULL or not bits[begin:end].any():
            continue
        mark_bounds(row, block, rows, columns, bounds)
        longest = (rows.profiles.waiting[row] + columns.longest[block]) >> 1
        cut = least_bound(least, longest, rows.shares)
        for step in range(end - begin):
            word = begin + (first + step) % (end - begin)
            rest = bits[word]
            while rest != NOTHING:
                bit = ones((rest & (~rest + ONE)) - ONE)
                rest &= rest - ONE
                column = (word << 6) + bit
                bound = np.int64(bounds[column - block * BLOCK])
                if bound < cut:
                    continue
                waiting = (rows.profiles.waiting[row] + columns.profiles.waiting[column]) >> 1
                if bound < least_bound(floor + 1 + prices[column], waiting, rows.shares):
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
                    cut = least_bound(floor + 1 + cheapest[block], longest, rows.shares)
    know(row, rows.profiles, scratch.goals, scratch.skills, False)
    return size, floor


@compiled
def scan(
    asked: Integers,
    floors: Integers,
    prices: Integers,
    cheapest: Integers,
    rows: Asking,
    columns: Columns,
    scratch: Scratch,
    found: NDArray[np.int32],
    scores: Integers,
    sizes: Integers,
    rest: Integers,
) -> None:
    """Scan each asked row into a row of `found` and `scores`, best first."""
    utilities = np.empty(found.shape[1], dtype=np.int64)
    for place in range(len(asked)):
        size, rest[place] = scan_row(
            asked[place],
            floors[place],
            prices,
            cheapest,
            rows,
            columns,
            scratch,
            utilities,
            scores[place],
            found[place],
        )
        sizes[place] = size
        for last in range(size - 1, 0, -1):
            swap(0, last, utilities, scores[place], found[place])
            sink(0, last, utilities, scores[place], found[place])
