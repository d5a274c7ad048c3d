"""Why people stay without a pair, counted over the candidates of the other side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from libs.contracts.words import Role
from services.matching.rules.candidates import Candidates
from services.matching.rules.edges import Integers
from services.matching.rules.feasibility import Pool
from services.matching.rules.made import Made
from services.matching.rules.pairing import Rule, free_places


class Loss(StrEnum):
    """Why a candidate whom no rule refuses was not taken."""

    LOST_TO_BETTER_PAIRS = "lost_to_better_pairs"  # the best set of pairs has other uses for the candidate
    ADDS_NO_VALUE = "adds_no_value"  # the pair scores 0 where the objective asks for value


Reason: TypeAlias = Rule | Loss

_REASONS: tuple[Reason, ...] = (*Rule, Loss.LOST_TO_BETTER_PAIRS, Loss.ADDS_NO_VALUE)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A waiting person without a pair, and how many candidates there were for each reason.

    A candidate who breaks several rules counts under each; nothing at all means that there was no candidate.
    """

    participant_id: str
    role: Role
    reasons: Mapping[Reason, int]


def unmatched(
    pool: Pool,
    candidates: Candidates,
    must_add_value: bool,
    mentors: Integers,
    mentees: Integers,
) -> Sequence[Unmatched]:
    """The waiting people whom a plan leaves alone, sorted by role and id.

    mentors, mentees: the indices of those in the plan.
    Counts at once, 100 bytes for each of them; who asks for a person is told of that one.
    """
    matched = {Role.MENTOR: mentors, Role.MENTEE: mentees}
    left = {role: _left_alone(pool, role, taken) for role, taken in matched.items()}
    people = [pool.side(role)[index] for role, indices in left.items() for index in indices.tolist()]
    counts = np.concatenate([_counts(candidates, role, left[role], must_add_value) for role in left])

    def alone(place: int) -> Unmatched:
        its = zip(_REASONS, counts[place].tolist(), strict=True)
        return Unmatched(people[place].participant_id, people[place].role, {reason: n for reason, n in its if n})

    return Made(len(people), alone)


def _left_alone(pool: Pool, role: Role, matched: Integers) -> Integers:
    """Who waits for a pair, be it in vain because none may have a place, and gets none."""
    people, taken, paired = pool.side(role), pool.standing.taken, set(matched.tolist())
    return np.array(
        [
            index
            for index, person in enumerate(people)
            if index not in paired
            and (not taken.get(person.participant_id) or free_places(pool.program, person, pool.standing))
        ],
        dtype=np.int64,
    )


def _counts(candidates: Candidates, role: Role, people: Integers, must_add_value: bool) -> Integers:
    """People x reasons."""
    refused = candidates.refused_to(role)
    feasible, worthless = candidates.feasible_for(role, people)
    if not must_add_value:
        worthless = np.zeros_like(feasible)
    return np.stack([*(refused[rule][people] for rule in Rule), feasible - worthless, worthless], axis=1)
