"""Why people stay without a pair, counted over the candidates of the other side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from libs.contracts.words import Role
from services.matching.rules.feasibility import Feasibility, People, Pool
from services.matching.rules.pairing import Rule, Standing, free_places
from services.matching.rules.score import Micros


class Loss(StrEnum):
    """Why a candidate whom no rule refuses was not taken."""

    LOST_TO_BETTER_PAIRS = "lost_to_better_pairs"  # the best set of pairs has other uses for the candidate
    ADDS_NO_VALUE = "adds_no_value"  # the pair scores 0 where the objective asks for value


Reason: TypeAlias = Rule | Loss
Counts: TypeAlias = Sequence[tuple[Reason, NDArray[np.int64]]]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A waiting person without a pair, and how many candidates there were for each reason.

    A candidate who breaks several rules counts under each; nothing at all means that there was no candidate.
    """

    participant_id: str
    role: Role
    reasons: Mapping[Reason, int]


def unmatched(
    pool: Pool, before: Standing, feasibility: Feasibility, scores: Micros, must_add_value: bool, matched: set[str]
) -> tuple[Unmatched, ...]:
    """The waiting people whom a plan leaves alone, sorted by role and id.

    before: the standing without pinned pairs. scores: -1 where a rule refuses. matched: ids of everybody in the plan.
    """
    by_mentor: Counts = [*feasibility.refused_to_mentors.items(), *_losses(scores, must_add_value, axis=1)]
    by_mentee: Counts = [*feasibility.refused_to_mentees.items(), *_losses(scores, must_add_value, axis=0)]
    return (
        *_left_alone(pool, pool.mentors, before, by_mentor, matched),
        *_left_alone(pool, pool.mentees, before, by_mentee, matched),
    )


def _losses(scores: Micros, must_add_value: bool, axis: int) -> Counts:
    worthless = (scores == 0).sum(axis=axis) if must_add_value else np.zeros(scores.shape[1 - axis], dtype=np.int64)
    return [
        (Loss.LOST_TO_BETTER_PAIRS, (scores >= 0).sum(axis=axis) - worthless),
        (Loss.ADDS_NO_VALUE, worthless),
    ]


def _left_alone(
    pool: Pool,
    people: People,
    before: Standing,
    counts: Counts,
    matched: set[str],
) -> list[Unmatched]:
    return [
        Unmatched(person.participant_id, person.role, _counted(counts, index))
        for index, person in enumerate(people)
        if person.participant_id not in matched
        and (free_places(pool.program, person, before) or not before.taken.get(person.participant_id))
    ]


def _counted(counts: Counts, index: int) -> dict[Reason, int]:
    return {reason: int(column[index]) for reason, column in counts if column[index]}
