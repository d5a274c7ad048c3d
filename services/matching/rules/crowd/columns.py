"""The index over one side of a crowd: sets of its people by what keeps apart or together, and postings by topic."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.contracts.words import Difference, Role
from services.matching.rules.crowd.crowd import Crowd, opposite
from services.matching.rules.crowd.lists import Integers, Short
from services.matching.rules.crowd.scan import BLOCK, COARSE
from services.matching.rules.crowd.sets import Sets, packed
from services.matching.rules.crowd.sides import NOBODY, STARS, Side
from services.matching.rules.crowd.tables import Columns, Profiles
from services.matching.rules.score import FULL, shares


class Names(NamedTuple):
    """The numbers of the sets of columns that have a language, manager, unit or function in common, in its order."""

    languages: range
    managers: range
    units: range
    functions: range


def columns_of(crowd: Crowd, role: Role) -> tuple[Columns, Names]:
    """Index the other side for the people of the role."""
    columns, weights = crowd.side(opposite(role)), shares_of(crowd, role)
    sets = Sets(len(columns))
    names = Names(
        sets.add(columns.languages.values, columns.languages.owners(), crowd.languages),
        _alike(sets, columns.manager),
        _alike(sets, columns.unit),
        _alike(sets, columns.function),
    )
    return _columns(crowd, columns, sets, weights), names


def _alike(sets: Sets, values: Short) -> range:
    known = np.flatnonzero(values != NOBODY)
    return sets.add(values[known], known, int(values.max(initial=NOBODY)) + 1)


def _columns(crowd: Crowd, columns: Side, sets: Sets, weights: Integers) -> Columns:
    blocks = -(-len(columns) // BLOCK)
    starts, offsets, worths = _postings(columns, crowd.topics, weights, blocks)
    waiting = np.zeros(blocks * BLOCK, dtype=np.int64)
    waiting[: len(columns)] = columns.waiting
    return Columns(
        open=packed(columns.takes_part & (columns.places > 0)),
        bitmaps=sets.bitmaps(),
        dense=sets.dense(),
        starts=sets.starts(),
        members=sets.members(),
        posting_starts=starts,
        offsets=offsets,
        worths=worths,
        longest=waiting.reshape(blocks, BLOCK).max(axis=1, initial=0),
        shortest=int(columns.waiting.min(initial=FULL)),
        topics=crowd.topics,
        profiles=profiles_of(crowd, columns),
    )


def profiles_of(crowd: Crowd, side: Side) -> Profiles:
    """What the score needs to know of the people of a side."""
    policy, traits = crowd.program.policy, [side.location]
    if policy.different_unit is Difference.PREFERRED:
        traits.append(side.unit)
    if policy.different_function is Difference.PREFERRED:
        traits.append(side.function)
    return Profiles(
        side.skills.starts,
        side.skills.values,
        side.goals.starts,
        side.goals.values,
        side.wanted,
        side.waiting,
        np.ascontiguousarray(np.stack(traits, axis=1)),
    )


def shares_of(crowd: Crowd, role: Role) -> Integers:
    """What the parts count: what the role learns, what the other learns, preference, diversity, waiting."""
    given = shares(crowd.program.policy.weights)
    learning = ["learning", "reciprocal"] if role is Role.MENTEE else ["reciprocal", "learning"]
    return np.array([given[name] for name in (*learning, "preference", "diversity", "waiting")], dtype=np.int64)


def _postings(columns: Side, topics: int, weights: Integers, blocks: int) -> tuple[Integers, NDArray[np.uint16], Short]:
    """By block and term the columns that teach a topic, with their level, or want to learn it, with their bound."""
    stars = (1 << STARS) - 1
    owners = np.concatenate((columns.skills.owners(), columns.goals.owners()))
    terms = np.concatenate((columns.skills.values >> STARS, (columns.goals.values >> STARS) + topics))
    priorities, learners = columns.goals.values & stars, columns.goals.owners()
    worths = np.concatenate(
        (
            columns.skills.values & stars,
            coarse(weights[1] * FULL * priorities, np.maximum(columns.wanted, 1)[learners]),
        )
    )
    keys = owners // BLOCK * (2 * topics) + terms
    order = np.argsort(keys, kind="stable")
    starts = np.searchsorted(keys[order], np.arange(blocks * 2 * topics + 1))
    return starts.astype(np.int64), (owners[order] % BLOCK).astype(np.uint16), worths[order].astype(np.int32)


def coarse(value: Integers, divisor: Integers) -> Integers:
    """The quotient in coarse units, rounded up."""
    return -(-value // (divisor << COARSE))
