"""Programmes and people as contract events, drawn from a seed with the skew of real companies.

A few topics are wanted by most people (Zipf over 300), executives are few and juniors many, offices lie in many zones,
and every junior has up to five levels of managers, of whom some are in the pool. What is drawn stands in arrays, and
events are made one at a time, so a million people need not stand in memory as objects.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from libs.contracts.events import PairCreated, PairEnded, ParticipantEnrolled, ProgramPublished
from libs.contracts.ids import PairId, ParticipantId, RoundId
from libs.contracts.parts import Rationale
from libs.contracts.words import PairEndReason, Role

from .draw import Drawn, Integers, draw
from .people import NOW, PROGRAM, ids_of, participants

_POLICY: Final = {
    "min_grade_gap": 4,
    "max_grade_gap": 8,
    "require_shared_language": True,
    "min_overlap_minutes_per_week": 120,
    "different_unit": "required",
    "different_function": "preferred",
    "cooldown_days": 365,
    "objective": "participation",
    "mode": "rounds",
    "weights": {"learning": 5, "reciprocal": 2, "preference": 1, "diversity": 1, "waiting": 1},
    "cadence_days": 14,
    "session_minutes": 60,
    "sessions_per_pair": 6,
    "reminders": [1440],
    "time_zone": "Europe/Zurich",
    "default_locale": "en",
}
_RATIONALE: Final = Rationale(
    shared_topics=(), reciprocal_topics=(), languages=("en",), weekly_overlap_minutes=120, notes=()
)


class Variant(StrEnum):
    """What the pool looks like."""

    LOPSIDED = "lopsided"  # one executive to nine juniors, one place each
    BALANCED = "balanced"  # as many executives as juniors
    HUB = "hub"  # lopsided, and every executive wants the same six topics
    EXECUTIVES = "executives"  # three executives to one junior, who takes up to three
    CAPACITIES = "capacities"  # lopsided, and people of both sides take one to four


_MENTEES_IN_TWENTY: Final = {Variant.BALANCED: 10, Variant.EXECUTIVES: 15}


@dataclass(frozen=True, slots=True)
class Instance:
    """A programme, its people and what happened before, at the moment `people.NOW`."""

    drawn: Drawn
    variant: Variant

    def program(self) -> ProgramPublished:
        capacities = {"mentor_capacity": 3 if self.variant is Variant.EXECUTIVES else 1, "mentee_capacity": 1}
        return ProgramPublished.model_validate(
            {
                "program_id": PROGRAM,
                "revision": 1,
                "name": "Viceversa",
                "state": "running",
                "policy": _POLICY | capacities,
            }
        )

    def participants(self) -> Iterator[ParticipantEnrolled]:
        """Mentees, then mentors, each side in the order of ids, made one at a time: about 30 microseconds each."""
        yield from self.side(Role.MENTEE)
        yield from self.side(Role.MENTOR)

    def side(self, role: Role) -> Iterator[ParticipantEnrolled]:
        drawn = self.drawn
        people = np.arange(drawn.mentees) if role is Role.MENTEE else np.arange(drawn.mentees, len(drawn.numbers))
        return participants(drawn, people[np.argsort(drawn.numbers[people])])

    def in_force(self) -> Iterator[PairCreated]:
        """Pairs that live, at most one per person."""
        for mentor_id, mentee_id in self._ids(self.drawn.in_force):
            yield PairCreated(
                pair_id=PairId(f"live~{mentor_id}"),
                program_id=PROGRAM,
                mentor_id=mentor_id,
                mentee_id=mentee_id,
                score=0.5,
                rationale=_RATIONALE,
                round_id=RoundId("r0"),
                created_at=NOW - timedelta(days=30),
            )

    def former_pairs(self) -> Iterator[PairEnded]:
        """Pairs that ended, about half of them within the cool-down."""
        days = self.drawn.days_since_end.tolist()
        for (mentor_id, mentee_id), ago in zip(self._ids(self.drawn.former), days, strict=True):
            yield PairEnded(
                pair_id=PairId(f"former~{mentor_id}~{mentee_id}"),
                program_id=PROGRAM,
                mentor_id=mentor_id,
                mentee_id=mentee_id,
                reason=PairEndReason.COMPLETED,
                ended_at=NOW - timedelta(days=ago),
            )

    def exclusions(self) -> Iterator[tuple[str, str]]:
        """(who excludes, whom)."""
        return self._ids(self.drawn.excluded)

    def _ids(self, pairs: Integers) -> Iterator[tuple[ParticipantId, ParticipantId]]:
        mentors, mentees = (ids_of(self.drawn.numbers[side]) for side in pairs.T)
        return zip(mentors, mentees, strict=True)


def generate(people: int, variant: Variant = Variant.LOPSIDED, seed: int = 1) -> Instance:
    """Draw so many people, at least 20: the same for the same arguments, on every machine."""
    mentees = people * _MENTEES_IN_TWENTY.get(variant, 2) // 20
    drawn = draw(people, mentees, seed, hub=variant is Variant.HUB, capacities=variant is Variant.CAPACITIES)
    return Instance(drawn, variant)
