"""The index over one side of a crowd: sets of its people by what keeps apart or together, and postings by topic."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.contracts.words import Difference, Role
from services.matching.rules.crowd.crowd import Crowd, opposite
from services.matching.rules.crowd.judge import SKILLS, TRAITS, WAITING, WANTED
from services.matching.rules.crowd.lists import Integers, Short
from services.matching.rules.crowd.scan import BLOCK, COARSE, OFFSET
from services.matching.rules.crowd.sets import Sets, packed
from services.matching.rules.crowd.sides import NOBODY, STARS, Side
from services.matching.rules.crowd.tables import Columns, Profiles
from services.matching.rules.score import FULL, HIGHEST_LEVEL, shares

MANY = BLOCK // 32


class Names(NamedTuple):
    """What the sets of columns that have something in common are numbered by, and the terms, in the order of codes."""

    languages: range
    managers: range
    units: range
    functions: range
    taught: range
    """Topics as terms."""
    wanted: range
    traits: tuple[range, ...]


def columns_of(crowd: Crowd, role: Role) -> tuple[Columns, Names]:
    """Index the other side for the people of the role."""
    columns = crowd.side(opposite(role))
    sets, traits = Sets(len(columns)), traits_of(crowd, columns)
    ends = np.cumsum([2 * crowd.topics, *(traits.max(axis=0, initial=NOBODY) + 1)]).tolist()
    names = Names(
        languages=sets.add(columns.languages.values, columns.languages.owners(), crowd.languages),
        managers=_alike(sets, columns.manager),
        units=_alike(sets, columns.unit),
        functions=_alike(sets, columns.function),
        taught=range(crowd.topics),
        wanted=range(crowd.topics, 2 * crowd.topics),
        traits=tuple(range(*span) for span in pairwise(ends)),
    )
    return _columns(crowd, role, sets, names), names


def _alike(sets: Sets, values: Short) -> range:
    known = np.flatnonzero(values != NOBODY)
    return sets.add(values[known], known, int(values.max(initial=NOBODY)) + 1)


def _columns(crowd: Crowd, role: Role, sets: Sets, names: Names) -> Columns:
    columns = crowd.side(opposite(role))
    blocks, terms = -(-len(columns) // BLOCK), names.traits[-1].stop
    weights = shares_of(crowd, role)
    share, _ = scale(int(weights[1]))
    keys, owners, worths = _postings(columns, traits_of(crowd, columns), share, names)
    table, tables, listed = _tables(keys, owners, worths, blocks * terms)
    return Columns(
        open=packed(columns.takes_part & (columns.places > 0)),
        bitmaps=sets.bitmaps(),
        dense=sets.dense(),
        starts=sets.starts(),
        members=sets.members(),
        posting_starts=np.searchsorted(keys[listed], np.arange(len(table) + 1)).astype(np.int64),
        offsets=(owners[listed] % BLOCK).astype(np.uint16),
        worths=worths[listed].astype(np.uint8),
        table=table,
        tables=tables,
        bases=(OFFSET + full_diversity(weights) + ((weights[4] * columns.waiting) >> (COARSE + 1)) + 1).astype(
            np.uint16
        ),
        shortest=int(columns.waiting.min(initial=FULL)),
        topics=crowd.topics,
        terms=terms,
        profiles=profiles_of(crowd, columns),
    )


def traits_of(crowd: Crowd, side: Side) -> Short:
    """People x what counts as diversity where it differs."""
    policy, traits = crowd.program.policy, [side.location]
    if policy.different_unit is Difference.PREFERRED:
        traits.append(side.unit)
    if policy.different_function is Difference.PREFERRED:
        traits.append(side.function)
    return np.stack(traits, axis=1)


def profiles_of(crowd: Crowd, side: Side) -> Profiles:
    """What the score needs to know of the people of a side."""
    traits, (skills, goals) = traits_of(crowd, side), (np.diff(topics.starts) for topics in (side.skills, side.goals))
    listed = TRAITS + traits.shape[1]
    starts = np.concatenate(([0], np.cumsum(listed + skills + goals)))
    records, firsts = np.zeros(starts[-1], dtype=np.int32), starts[:-1]
    records[firsts + WANTED], records[firsts + WAITING], records[firsts + SKILLS] = side.wanted, side.waiting, skills
    for trait, values in enumerate(traits.T):
        records[firsts + TRAITS + trait] = values
    for topics, begins in ((side.skills, firsts + listed), (side.goals, firsts + listed + skills)):
        records[np.arange(len(topics.values)) + np.repeat(begins - topics.starts[:-1], np.diff(topics.starts))] = (
            topics.values
        )
    return Profiles(starts, records, side.waiting, traits.shape[1])


def shares_of(crowd: Crowd, role: Role) -> Integers:
    """What the parts count: what the role learns, what the other learns, preference, diversity, waiting."""
    given = shares(crowd.program.policy.weights)
    learning = ["learning", "reciprocal"] if role is Role.MENTEE else ["reciprocal", "learning"]
    return np.array([given[name] for name in (*learning, "preference", "diversity", "waiting")], dtype=np.int64)


def full_diversity(weights: Integers) -> int:
    """What bounds begin with, for two people who differ in everything."""
    return ((int(weights[3]) * FULL) >> COARSE) + 1


def scale(weight: int) -> tuple[int, int]:
    """What all that a column wants is worth, in 8 bits, and what each level of a row multiplies it by for a bound."""
    units = -(-weight * FULL // (HIGHEST_LEVEL << COARSE))
    factor = max(1, -(-units // 255))
    return -(-units // factor), factor


def _postings(columns: Side, traits: Short, share: int, names: Names) -> tuple[Integers, Integers, Integers]:
    """The keys of the postings, block x term, in their order, with their columns and worths."""
    stars, learners = (1 << STARS) - 1, columns.goals.owners()
    wishes = HIGHEST_LEVEL * share * (columns.goals.values & stars)
    everybody = np.arange(len(columns))
    postings = [
        (columns.skills.owners(), (columns.skills.values >> STARS) + names.taught.start, columns.skills.values & stars),
        (learners, (columns.goals.values >> STARS) + names.wanted.start, -(-wishes // columns.wanted[learners])),
        *(
            (everybody, trait + terms.start, everybody * 0 + 1)
            for trait, terms in zip(traits.T, names.traits, strict=True)
        ),
    ]
    owners, terms, worths = (np.concatenate(values) for values in zip(*postings, strict=True))
    keys = owners // BLOCK * names.traits[-1].stop + terms
    order = np.argsort(keys, kind="stable")
    return keys[order], owners[order], worths[order]


def _tables(
    keys: Integers, owners: Integers, worths: Integers, terms: int
) -> tuple[Short, NDArray[np.uint8], NDArray[np.bool_]]:
    """Tables for the terms that many columns of a block have, and which postings are not in them."""
    sizes = np.bincount(keys, minlength=terms)
    many = sizes >= MANY
    table = np.where(many, np.cumsum(many) - 1, -1).astype(np.int32)
    tables, inside = np.zeros((int(many.sum()), BLOCK), dtype=np.uint8), many[keys]
    tables[table[keys[inside]], owners[inside] % BLOCK] = worths[inside]
    return table, tables, ~inside
