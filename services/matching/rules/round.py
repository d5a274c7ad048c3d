"""One round of matching: who mentors whom, why, and why not the others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from libs.contracts.events import PairCreated, PairEnded, ParticipantEnrolled, ProgramPublished
from libs.contracts.parts import Rationale
from libs.contracts.words import Objective, Role
from services.matching.rules.assignment import BestPairs
from services.matching.rules.candidates import candidates_of
from services.matching.rules.edges import Integers
from services.matching.rules.feasibility import Marks, People, Pool, places
from services.matching.rules.made import Made
from services.matching.rules.pairing import Rule, Standing, refusals, standing_of
from services.matching.rules.rationale import rationale_of
from services.matching.rules.reasons import Unmatched, unmatched
from services.matching.rules.score import FULL, named


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """Who mentors whom and why; `score` and its `parts` are from 0 to 1."""

    mentor_id: str
    mentee_id: str
    score: float
    parts: Mapping[str, float]
    rationale: Rationale
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class RefusedPin:
    """A pair that was asked for and breaks rules."""

    mentor_id: str
    mentee_id: str
    rules: frozenset[Rule]


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """The best set of pairs, sorted by mentor and mentee, pinned ones included, and who is left, by role and id.

    Each pair with its rationale, and each person with reasons, is worked out when it is asked for, and not kept.
    value: the sum of the scores. upper_bound: what no set that keeps the pins and serves the objective can exceed.
    gap: (upper_bound - value) / upper_bound, 0 when the plan is the proven optimum.
    """

    pairs: Sequence[PlannedPair]
    unmatched: Sequence[Unmatched]
    refused_pins: tuple[RefusedPin, ...]
    value: float
    upper_bound: float

    @property
    def gap(self) -> float:
        return (self.upper_bound - self.value) / self.upper_bound if self.upper_bound > self.value else 0.0


def plan_round(
    program: ProgramPublished,
    participants: Iterable[ParticipantEnrolled],
    *,
    now: datetime,
    in_force: Iterable[PairCreated] = (),
    former_pairs: Iterable[PairEnded] = (),
    exclusions: Iterable[tuple[str, str]] = (),
    pins: Iterable[tuple[str, str]] = (),
    time_limit: float | None = None,
    objective: Objective | str | None = None,
    loosen_cooldown: bool = False,
    threads: int = 1,
) -> RoundPlan:
    """Plan the exact best set of pairs for a programme's people; the same input in any order gives the same plan.

    participants: the latest profile of each living member (of several revisions the highest counts).
    in_force: pairs that live; they use up capacity. former_pairs: pairs that ended; they cool down.
    exclusions: (who excludes, whom). pins: (mentor, mentee) to make first; one that breaks a rule is refused by name.
    time_limit: seconds for finding the best pairs, see `best_pairs`. objective: the policy's unless given.
    loosen_cooldown: former pairs may meet again within the cool-down, and their rationale says so.
    threads: how many may scan at once where people are many; the plan is the same.

    Up to 2,000 x 2,000 people are judged in matrices, O(mentors x mentees), of some 300 MB at most. More are scanned,
    never in a matrix: 10,000 x 90,000 take a few seconds of one processor, most of them for reading the people, and
    180 MB beside them. Asking for a pair then takes 0.2 ms, and 20 us for a person who is left.
    Raises ValueError for an objective that is none.
    """
    standing = standing_of(
        program,
        now=now,
        in_force=in_force,
        former_pairs=former_pairs,
        exclusions=exclusions,
        loosen_cooldown=loosen_cooldown,
    )
    aim = Objective(objective or program.policy.objective)
    before = Pool(program, *_sides(program, participants), standing)
    pool, pinned, refused_pins = _pin(before, pins)
    candidates = candidates_of(pool, threads)
    best = candidates.best_pairs(aim, time_limit)
    chosen = _chosen(pinned, best)
    parts, scores = candidates.parts(chosen.mentors, chosen.mentees)
    pinned_value = int(scores[chosen.pinned].sum())
    return RoundPlan(
        _explained(pool, standing, chosen, parts, scores),
        unmatched(pool, candidates, aim is Objective.SCORE, chosen.mentors, chosen.mentees),
        refused_pins,
        (pinned_value + best.value) / FULL,
        (pinned_value + best.upper_bound) / FULL,
    )


def _sides(program: ProgramPublished, participants: Iterable[ParticipantEnrolled]) -> tuple[People, People]:
    """Mentors and mentees of the programme in the order of their ids."""
    latest: dict[str, ParticipantEnrolled] = {}
    for person in participants:
        known = latest.get(person.participant_id)
        if person.program_id == program.program_id and (known is None or known.revision < person.revision):
            latest[person.participant_id] = person
    people = [latest[participant_id] for participant_id in sorted(latest)]
    return [p for p in people if p.role is Role.MENTOR], [p for p in people if p.role is Role.MENTEE]


def _pin(pool: Pool, pins: Iterable[tuple[str, str]]) -> tuple[Pool, Integers, tuple[RefusedPin, ...]]:
    """The pool after the pinned pairs, these pairs x (mentor, mentee) by index, and those that break a rule."""
    mentors, mentees = places(pool.mentors), places(pool.mentees)
    taken, pinned, refused = Counter(pool.standing.taken), [], []
    standing = replace(pool.standing, taken=taken)
    for mentor_id, mentee_id in sorted(set(pins)):
        rules = frozenset({Rule.ROLE})
        if mentor_id in mentors and mentee_id in mentees:
            two = pool.mentors[mentors[mentor_id]], pool.mentees[mentees[mentee_id]]
            rules = refusals(pool.program, *two, standing)
        if rules:
            refused.append(RefusedPin(mentor_id, mentee_id, rules))
            continue
        pinned.append((mentor_id, mentee_id))
        taken.update((mentor_id, mentee_id))
    together = standing.together.union(map(frozenset, pinned))
    indices = np.array([(mentors[one], mentees[other]) for one, other in pinned], dtype=np.int64).reshape(-1, 2)
    return replace(pool, standing=replace(standing, together=together)), indices, tuple(refused)


class _Chosen(NamedTuple):
    """Pairs by index, sorted by mentor and mentee."""

    mentors: Integers
    mentees: Integers
    pinned: Marks


def _chosen(pinned: Integers, best: BestPairs) -> _Chosen:
    both = np.concatenate((pinned, np.stack((best.mentors, best.mentees), axis=1)))
    order = np.lexsort((both[:, 1], both[:, 0]))
    return _Chosen(both[order, 0], both[order, 1], order < len(pinned))


def _explained(
    pool: Pool, before: Standing, chosen: _Chosen, parts: Integers, scores: Integers
) -> Sequence[PlannedPair]:
    """before: the standing without pinned pairs. parts: pairs x parts, in millionths as the scores."""

    def planned(place: int) -> PlannedPair:
        mentor, mentee = pool.mentors[chosen.mentors[place]], pool.mentees[chosen.mentees[place]]
        its_parts, pinned, score = named(parts[place]), bool(chosen.pinned[place]), int(scores[place]) / FULL
        rationale = rationale_of(pool.program, mentor, mentee, before, its_parts, pinned=pinned)
        return PlannedPair(mentor.participant_id, mentee.participant_id, score, its_parts, rationale, pinned)

    return Made(len(scores), planned)
