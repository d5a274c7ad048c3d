"""Which columns break no rule with a row, and what the parts of a pair's score are."""

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled_in_place
from services.matching.rules.crowd.lists import Integers, Short
from services.matching.rules.crowd.tables import Asking, Columns, Profiles, Scratch

STARS = 3
WANTED, WAITING, SKILLS, TRAITS = range(4)
FULL = 1_000_000
HALF = 1 << 19
NOTHING = np.uint64(0)
ONE = np.uint64(1)


@compiled_in_place
def ones(word: np.uint64) -> int:
    """How many bits are set."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    # of an unsigned number int() is unsigned to the compiler, which turns sums with it into floats
    return int(np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56)))


@compiled_in_place
def mark_feasible(row: int, rows: Asking, columns: Columns, bits: NDArray[np.uint64]) -> None:
    """Leave in `bits` the columns that break no rule with the row."""
    if not rows.open[row]:
        bits[:] = NOTHING
        return
    grade, hours = rows.bitmaps[rows.grades[row]], rows.bitmaps[rows.hours[row]]
    if rows.needs_language:
        bits[:] = NOTHING
        for place in range(rows.language_starts[row], rows.language_starts[row + 1]):
            name = rows.languages[place]
            if columns.dense[name] >= 0:
                speakers = columns.bitmaps[columns.dense[name]]
                for word in range(len(bits)):
                    bits[word] |= speakers[word]
            for member in range(columns.starts[name], columns.starts[name + 1]):
                column = columns.members[member]
                bits[column >> 6] |= ONE << np.uint64(column & 63)
        for word in range(len(bits)):
            bits[word] &= columns.open[word] & grade[word] & hours[word]
    else:
        for word in range(len(bits)):
            bits[word] = columns.open[word] & grade[word] & hours[word]
    for place in range(rows.apart_starts[row], rows.apart_starts[row + 1]):
        name = rows.apart[place]
        if columns.dense[name] >= 0:
            met = columns.bitmaps[columns.dense[name]]
            for word in range(len(bits)):
                bits[word] &= ~met[word]
        for member in range(columns.starts[name], columns.starts[name + 1]):
            column = columns.members[member]
            bits[column >> 6] &= ~(ONE << np.uint64(column & 63))
    for place in range(rows.named_starts[row], rows.named_starts[row + 1]):
        column = rows.named[place]
        bits[column >> 6] &= ~(ONE << np.uint64(column & 63))


@compiled_in_place
def taught(records: Short, first: int, last: int, other: Short) -> int:
    """Level times priority over the listed topics, of which `other` has the stars of the other person by topic."""
    gained = 0
    for place in range(first, last):
        gained += (records[place] & 7) * other[records[place] >> STARS]
    return int(gained)


@compiled_in_place
def differing(one: int, other: int, rows: Profiles, columns: Profiles) -> int:
    """The diversity part, where the traits of the two begin there."""
    count = 0
    for trait in range(rows.traits):
        if rows.records[one + trait] != columns.records[other + trait]:
            count += 1
    return int(count * FULL // rows.traits)


@compiled_in_place
def preference(row: int, column: int, rows: Asking) -> int:
    """The preference part, by bisection."""
    low, high = rows.wish_starts[row], rows.wish_starts[row + 1]
    end = high
    while low < high:
        middle = (low + high) >> 1
        if rows.wishes[middle] < column:
            low = middle + 1
        else:
            high = middle
    return rows.wished[low] if low < end and rows.wishes[low] == column else 0


@compiled_in_place
def parts(row: int, column: int, rows: Asking, columns: Columns, goals: Short, skills: Short, found: Integers) -> int:
    """Write the five parts in the order of the shares; the score. `goals` and `skills` are the row's, by topic."""
    one, other = rows.profiles.starts[row], columns.profiles.starts[column]
    its, others = rows.profiles.records, columns.profiles.records
    listed = other + TRAITS + columns.profiles.traits
    turn = listed + others[other + SKILLS]
    learns = taught(others, listed, turn, goals)
    teaches = taught(others, turn, columns.profiles.starts[column + 1], skills)
    found[0] = learns * FULL // max(its[one + WANTED], 1)
    found[1] = teaches * FULL // max(others[other + WANTED], 1)
    found[2] = preference(row, column, rows)
    found[3] = differing(one + TRAITS, other + TRAITS, rows.profiles, columns.profiles)
    found[4] = (its[one + WAITING] + others[other + WAITING]) >> 1
    total = HALF
    for part in range(5):
        total += rows.shares[part] * found[part]
    return int(total >> 20)


@compiled_in_place
def know(row: int, profiles: Profiles, goals: Short, skills: Short, known: bool) -> None:
    """Lay out the row's priorities and levels by topic, or take them away."""
    listed = profiles.starts[row] + TRAITS + profiles.traits
    turn, end = listed + profiles.records[profiles.starts[row] + SKILLS], profiles.starts[row + 1]
    for place in range(listed, end):
        stars = profiles.records[place] & 7 if known else 0
        if place < turn:
            skills[profiles.records[place] >> STARS] = stars
        else:
            goals[profiles.records[place] >> STARS] = stars


@compiled_in_place
def count_feasible(asked: Integers, rows: Asking, columns: Columns, scratch: Scratch, counts: Integers) -> None:
    """How many columns break no rule with each asked row, and how many of these score 0."""
    for place in range(len(asked)):
        row = asked[place]
        mark_feasible(row, rows, columns, scratch.bits[0])
        counts[place, :] = 0
        for word in scratch.bits[0]:
            counts[place, 0] += ones(word)
        if rows.shares[4] * ((rows.profiles.waiting[row] + columns.shortest) >> 1) < HALF:
            counts[place, 1] = count_worthless(row, rows, columns, scratch)


@compiled_in_place
def count_worthless(row: int, rows: Asking, columns: Columns, scratch: Scratch) -> int:
    """How many of the marked columns score 0."""
    count = 0
    know(row, rows.profiles, scratch.goals, scratch.skills, True)
    for word in range(scratch.bits.shape[1]):
        rest = scratch.bits[0, word]
        while rest != NOTHING:
            column = (word << 6) + ones((rest & (~rest + ONE)) - ONE)
            rest &= rest - ONE
            if parts(row, column, rows, columns, scratch.goals, scratch.skills, scratch.parts) == 0:
                count += 1
    know(row, rows.profiles, scratch.goals, scratch.skills, False)
    return count


@compiled_in_place
def parts_of_pairs(
    asked: Integers, others: Integers, rows: Asking, columns: Columns, scratch: Scratch, found: Integers
) -> None:
    """Write the five parts of each pair into a row of `found`, and its score behind them."""
    for place in range(len(asked)):
        know(asked[place], rows.profiles, scratch.goals, scratch.skills, True)
        score = parts(asked[place], others[place], rows, columns, scratch.goals, scratch.skills, found[place])
        know(asked[place], rows.profiles, scratch.goals, scratch.skills, False)
        found[place, 5] = score
