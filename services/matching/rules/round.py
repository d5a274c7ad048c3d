"""One round of matching: who mentors whom, why, and why not the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from libs.contracts.events import PairCreated, PairEnded, ParticipantEnrolled, ProgramPublished
from libs.contracts.parts import Rationale
from libs.contracts.words import Objective, Role
from services.matching.rules.assignment import best_pairs
from services.matching.rules.feasibility import People, Pool, feasibility_of, places
from services.matching.rules.pairing import Rule, Standing, refusals, standing_of
from services.matching.rules.rationale import rationale_of
from services.matching.rules.reasons import Unmatched, unmatched
from services.matching.rules.score import FULL, Micros, Parts, parts_of, weighed


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
    """The best set of pairs, sorted by mentor and mentee, pinned ones included.

    value: the sum of the scores. upper_bound: what no set that keeps the pins and serves the objective can exceed.
    gap: (upper_bound - value) / upper_bound, 0 when the plan is the proven optimum.
    """

    pairs: tuple[PlannedPair, ...]
    unmatched: tuple[Unmatched, ...]
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
) -> RoundPlan:
    """Plan the exact best set of pairs for a programme's people; the same input in any order gives the same plan.

    participants: the latest profile of each living member (of several revisions the highest counts).
    in_force: pairs that live; they use up capacity. former_pairs: pairs that ended; they cool down.
    exclusions: (who excludes, whom). pins: (mentor, mentee) to make first; one that breaks a rule is refused by name.
    time_limit: see `best_pairs`. objective: the policy's unless given.
    loosen_cooldown: former pairs may meet again within the cool-down, and their rationale says so.

    Takes O(mentors x mentees) memory and about two seconds for 1,000 x 1,000 people.
    """
    standing = standing_of(
        program,
        now=now,
        in_force=in_force,
        former_pairs=former_pairs,
        exclusions=exclusions,
        loosen_cooldown=loosen_cooldown,
    )
    mentors, mentees = _sides(program, participants)
    pool, pinned, refused_pins = _pin(Pool(program, mentors, mentees, standing), pins)
    aim = Objective(objective or program.policy.objective)
    return _plan(pool, standing, pinned, refused_pins, aim, time_limit)


def _sides(program: ProgramPublished, participants: Iterable[ParticipantEnrolled]) -> tuple[People, People]:
    """Mentors and mentees of the programme in the order of their ids."""
    latest: dict[str, ParticipantEnrolled] = {}
    for person in participants:
        known = latest.get(person.participant_id)
        if person.program_id == program.program_id and (known is None or known.revision < person.revision):
            latest[person.participant_id] = person
    people = [latest[participant_id] for participant_id in sorted(latest)]
    return [p for p in people if p.role is Role.MENTOR], [p for p in people if p.role is Role.MENTEE]


def _pin(
    pool: Pool, pins: Iterable[tuple[str, str]]
) -> tuple[Pool, tuple[tuple[str, str], ...], tuple[RefusedPin, ...]]:
    """The pool after the pinned pairs, these pairs, and those that break a rule."""
    mentors, mentees = places(pool.mentors), places(pool.mentees)
    standing, pinned, refused = pool.standing, [], []
    for mentor_id, mentee_id in sorted(set(pins)):
        rules = frozenset({Rule.ROLE})
        if mentor_id in mentors and mentee_id in mentees:
            two = pool.mentors[mentors[mentor_id]], pool.mentees[mentees[mentee_id]]
            rules = refusals(pool.program, *two, standing)
        if rules:
            refused.append(RefusedPin(mentor_id, mentee_id, rules))
            continue
        pinned.append((mentor_id, mentee_id))
        standing = standing.paired(mentor_id, mentee_id)
    return Pool(pool.program, pool.mentors, pool.mentees, standing), tuple(pinned), tuple(refused)


def _plan(
    pool: Pool,
    before: Standing,
    pinned: Sequence[tuple[str, str]],
    refused_pins: tuple[RefusedPin, ...],
    objective: Objective,
    time_limit: float | None,
) -> RoundPlan:
    feasibility, parts = feasibility_of(pool), parts_of(pool)
    micros = weighed(parts, pool.program.policy.weights)
    scores = np.where(feasibility.feasible, micros, -1)
    best = best_pairs(scores, pool.free(pool.mentors), pool.free(pool.mentees), objective, time_limit=time_limit)
    mentors, mentees = places(pool.mentors), places(pool.mentees)
    fixed = {(mentors[mentor_id], mentees[mentee_id]) for mentor_id, mentee_id in pinned}
    chosen = sorted(fixed.union(zip(best.mentors.tolist(), best.mentees.tolist(), strict=True)))
    pairs = tuple(_planned(pool, before, parts, micros, two, two in fixed) for two in chosen)
    matched = {person for pair in pairs for person in (pair.mentor_id, pair.mentee_id)}
    pinned_value = sum(int(micros[two]) for two in fixed)
    return RoundPlan(
        pairs,
        unmatched(pool, before, feasibility, scores, objective is Objective.SCORE, matched),
        refused_pins,
        (pinned_value + best.value) / FULL,
        (pinned_value + best.upper_bound) / FULL,
    )


def _planned(
    pool: Pool, standing: Standing, parts: Parts, micros: Micros, two: tuple[int, int], pinned: bool
) -> PlannedPair:
    mentor, mentee = pool.mentors[two[0]], pool.mentees[two[1]]
    its_parts = parts.of(*two)
    rationale = rationale_of(pool.program, mentor, mentee, standing, its_parts, pinned=pinned)
    score = int(micros[two]) / FULL
    return PlannedPair(mentor.participant_id, mentee.participant_id, score, its_parts, rationale, pinned)
