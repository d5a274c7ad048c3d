"""Which columns break no rule with a row, and what the parts of a pair's score are."""

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.compiled import compiled
from services.matching.rules.crowd.lists import Integers, Short
from services.matching.rules.crowd.tables import Asking, Columns, Profiles, Scratch

STARS = 3
FULL = 1_000_000
HALF = 1 << 19
NOTHING = np.uint64(0)
ONE = np.uint64(1)


@compiled
def ones(word: np.uint64) -> int:
    """How many bits are set."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    # of an unsigned number int() is unsigned to the compiler, which turns sums with it into floats
    return int(np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56)))


@compiled
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
                bits |= columns.bitmaps[columns.dense[name]]
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
            bits &= ~columns.bitmaps[columns.dense[name]]
        for member in range(columns.starts[name], columns.starts[name + 1]):
            column = columns.members[member]
            bits[column >> 6] &= ~(ONE << np.uint64(column & 63))
    for place in range(rows.named_starts[row], rows.named_starts[row + 1]):
        column = rows.named[place]
        bits[column >> 6] &= ~(ONE << np.uint64(column & 63))


@compiled
def taught(skills: Short, first: int, last: int, goals: Short) -> int:
    """Level times priority over the listed skills, where `goals` has priorities by topic; or the other way round."""
    gained = 0
    for place in range(first, last):
        gained += (skills[place] & 7) * goals[skills[place] >> STARS]
    return int(gained)


@compiled
def differing(row: int, column: int, rows: Profiles, columns: Profiles) -> int:
    """The diversity part."""
    count = 0
    for trait in range(rows.traits.shape[1]):
        if rows.traits[row, trait] != columns.traits[column, trait]:
            count += 1
    return int(count * FULL // rows.traits.shape[1])


@compiled
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


@compiled
def parts(row: int, column: int, rows: Asking, columns: Columns, goals: Short, skills: Short, found: Integers) -> int:
    """Write the five parts in the order of the shares; the score. `goals` and `skills` are the row's, by topic."""
    its, other = rows.profiles, columns.profiles
    learns = taught(other.skills, other.skill_starts[column], other.skill_starts[column + 1], goals)
    teaches = taught(other.goals, other.goal_starts[column], other.goal_starts[column + 1], skills)
    found[0] = learns * FULL // max(its.wanted[row], 1)
    found[1] = teaches * FULL // max(other.wanted[column], 1)
    found[2] = preference(row, column, rows)
    found[3] = differing(row, column, its, other)
    found[4] = (its.waiting[row] + other.waiting[column]) >> 1
    total = HALF
    for part in range(5):
        total += rows.shares[part] * found[part]
    return int(total >> 20)


@compiled
def know(row: int, profiles: Profiles, goals: Short, skills: Short, known: bool) -> None:
    """Lay out the row's priorities and levels by topic, or take them away."""
    for place in range(profiles.goal_starts[row], profiles.goal_starts[row + 1]):
        goals[profiles.goals[place] >> STARS] = profiles.goals[place] & 7 if known else 0
    for place in range(profiles.skill_starts[row], profiles.skill_starts[row + 1]):
        skills[profiles.skills[place] >> STARS] = profiles.skills[place] & 7 if known else 0


@compiled
def count_feasible(asked: Integers, rows: Asking, columns: Columns, scratch: Scratch, counts: Integers) -> None:
    """How many columns break no rule with each asked row, and how many of these score 0."""
    for place in range(len(asked)):
        row = asked[place]
        mark_feasible(row, rows, columns, scratch.bits)
        counts[place, :] = 0
        for word in scratch.bits:
            counts[place, 0] += ones(word)
        if rows.shares[4] * ((rows.profiles.waiting[row] + columns.shortest) >> 1) < HALF:
            counts[place, 1] = count_worthless(row, rows, columns, scratch)


@compiled
def count_worthless(row: int, rows: Asking, columns: Columns, scratch: Scratch) -> int:
    """How many of the marked columns score 0."""
    count = 0
    know(row, rows.profiles, scratch.goals, scratch.skills, True)
    for word in range(len(scratch.bits)):
        rest = scratch.bits[word]
        while rest != NOTHING:
            column = (word << 6) + ones((rest & (~rest + ONE)) - ONE)
            rest &= rest - ONE
            if parts(row, column, rows, columns, scratch.goals, scratch.skills, scratch.parts) == 0:
                count += 1
    know(row, rows.profiles, scratch.goals, scratch.skills, False)
    return count


@compiled
def parts_of_pairs(
    asked: Integers, others: Integers, rows: Asking, columns: Columns, scratch: Scratch, found: Integers
) -> None:
    """Write the five parts of each pair into a row of `found`, and its score behind them."""
    for place in range(len(asked)):
        know(asked[place], rows.profiles, scratch.goals, scratch.skills, True)
        score = parts(asked[place], others[place], rows, columns, scratch.goals, scratch.skills, found[place])
        know(asked[place], rows.profiles, scratch.goals, scratch.skills, False)
        found[place, 5] = score
