"""Matching as people arrive: how long a look takes in a pool that is kept in memory, and what it costs in value.

People of one role wait, those of the other arrive, so many for each look; a pair that is found is in force at once. The
value of all pairs is compared with the best that one round over the same people reaches.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from statistics import median, quantiles
from typing import Annotated, Any, Final

import numpy as np
import typer

from libs.contracts.words import Role
from services.matching.rules.crowd.rows import CrowdRows
from services.matching.rules.rolling.pool import KeptPool, Member, Ties

from .clock import Clock, peak_megabytes
from .engine import crowd_in, solve
from .generator import Instance, Variant, generate
from .people import NOW

_AT_ONCE: Final = 1_000
_WARM_UP: Final = 20


def members(instance: Instance, role: Role) -> Iterator[Member]:
    """The people of the role, with whom they know."""
    ties: dict[str, Ties] = defaultdict(Ties)
    for who, whom in instance.exclusions():
        ties[who] = replace(ties[who], excluded=ties[who].excluded | {whom})
    for ended in instance.former_pairs():
        for one, other in ((ended.mentor_id, ended.mentee_id), (ended.mentee_id, ended.mentor_id)):
            ties[one] = replace(ties[one], former={**ties[one].former, other: ended.ended_at})
    for made in instance.in_force():
        for one, other in ((made.mentor_id, made.mentee_id), (made.mentee_id, made.mentor_id)):
            ties[one] = replace(ties[one], partners=ties[one].partners | {other})
    for person in instance.side(role):
        yield Member(person, ties.get(person.participant_id, Ties()))


def load(pool: KeptPool, people: list[Member]) -> float:
    """Put them into the pool as they come from a database; the seconds it takes."""
    start = time.perf_counter()
    for first in range(0, len(people), _AT_ONCE):
        pool.add(people[first : first + _AT_ONCE], NOW)
    return time.perf_counter() - start


def pair(pool: KeptPool, known: dict[str, Member], twos: list[tuple[str, str]]) -> None:
    """The pairs are in force; who has no place left goes."""
    for one, other in (each for two in twos for each in (two, two[::-1])):
        ties = known[one].ties
        known[one] = replace(known[one], ties=replace(ties, partners=ties.partners | {other}))
    ids = [id for two in twos for id in two]
    pool.leave(ids)
    if stay := [known[id] for id in ids if room(pool, known[id])]:
        pool.add(stay, NOW)


def room(pool: KeptPool, member: Member) -> bool:
    """Whether the person has a place left."""
    policy = pool.program.policy
    usual = policy.mentor_capacity if member.profile.role is Role.MENTOR else policy.mentee_capacity
    capacity = usual if member.profile.capacity is None else member.profile.capacity
    return capacity > len(member.ties.partners)


def measured(people: int, variant: Variant, seed: int, arrivals: int, at_once: int) -> dict[str, Any]:
    """Milliseconds of a look with the arrivals in it, and the value beside that of the best round."""
    instance = generate(people, variant, seed)
    pool = KeptPool.empty(instance.program(), NOW)
    waiting, coming = list(members(instance, Role.MENTOR)), list(members(instance, Role.MENTEE))
    order = np.random.default_rng(seed).permutation(len(coming))
    known = {member.id: member for member in (*waiting, *coming)}
    loading = load(pool, waiting)
    twos, taken = [], []
    for first in range(0, min(arrivals, len(order)), at_once):
        come = [coming[place] for place in order[first : first + at_once].tolist()]
        start = time.perf_counter()
        pool.add(come, NOW)
        found = pool.best_pairs([member.id for member in come], NOW)
        pair(pool, known, found)
        taken.append(1_000 * (time.perf_counter() - start))
        twos += found
    counted = sorted(taken[_WARM_UP:])
    percentiles = quantiles(counted, n=100)
    spread = {"median": median(counted), "p95": percentiles[94], "p99": percentiles[98], "max": counted[-1]}
    figures = {"loading_s": loading, "looks": len(counted), "look_ms": spread, "peak_mb": peak_megabytes()}
    return figures | (value(instance, twos) if arrivals >= len(order) else {})


def value(instance: Instance, twos: list[tuple[str, str]]) -> dict[str, Any]:
    """Of the pairs, and of the best that a round finds."""
    crowd = crowd_in(instance, Clock())
    mentors, mentees = ({id: place for place, id in enumerate(ids)} for ids in (crowd.mentor_ids, crowd.mentee_ids))
    rows, columns = (
        np.array(places, dtype=np.int64) for places in zip(*((mentees[b], mentors[a]) for a, b in twos), strict=True)
    )
    _, scores = CrowdRows(crowd, Role.MENTEE).parts(rows, columns)
    best = solve(crowd, Clock()).optimum
    reached, most = int(scores.sum()), int(best.value)
    return {
        "pairs": len(twos),
        "pairs_of_round": len(best.rows),
        "value": reached,
        "value_of_round": most,
        "share": reached / most,
    }


def main(
    people: int,
    variant: Variant = Variant.LOPSIDED,
    seed: int = 1,
    arrivals: Annotated[int, typer.Option(help="How many mentees arrive; with all of them the value is compared")] = 10
    ** 9,
    at_once: Annotated[int, typer.Option(help="Arrivals in one look")] = 1,
) -> None:
    print(json.dumps(measured(people, variant, seed, arrivals, at_once)))


if __name__ == "__main__":
    typer.run(main)
