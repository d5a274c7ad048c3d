"""From documents to a plan and back to what is proposed. It takes seconds, so it runs in a thread of its own."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from uuid_utils import uuid7

from libs.chassis.documents import from_row
from libs.contracts.events import PairCreated, PairEnded, ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Role
from services.matching.rules.pairing import Rule
from services.matching.rules.reasons import Unmatched
from services.matching.rules.round import PlannedPair, RoundPlan, plan_round
from services.matching.store.pairs import Pair, PairState
from services.matching.store.people import Person
from services.matching.store.rounds import RoundWish
from services.matching.work import ProposedPair, UnmatchedPerson

AS_PEOPLE_ARRIVE = RoundWish()


@dataclass(slots=True)
class Waiting:
    """Everybody who waits in a programme, with what the rules must know of them."""

    program: ProgramPublished
    people: list[ParticipantEnrolled] = field(default_factory=list)
    in_force: list[PairCreated] = field(default_factory=list)
    former_pairs: list[PairEnded] = field(default_factory=list)
    exclusions: list[tuple[str, str]] = field(default_factory=list)

    def add(self, rows: Iterable[Mapping[str, Any]], pairs: Iterable[Mapping[str, Any]]) -> "Waiting":
        """Rows of people, and of the pairs that those with a place left are in."""
        people = [from_row(Person, row) for row in rows]
        self.people += [person.as_waiting(person.profile) for person in people if person.profile]
        self.in_force += _in_force(pairs)
        self.former_pairs += former_pairs_of(people)
        self.exclusions += exclusions_of(people)
        return self

    def plan(self, now: datetime, wish: RoundWish = AS_PEOPLE_ARRIVE) -> RoundPlan:
        """The best pairs among them."""
        return plan_round(
            self.program,
            self.people,
            now=now,
            in_force=self.in_force,
            former_pairs=self.former_pairs,
            exclusions=self.exclusions,
            pins=[(pin.mentor_id, pin.mentee_id) for pin in wish.pins],
            time_limit=wish.time_limit_s,
            objective=wish.objective,
            loosen_cooldown=wish.loosen_cooldown,
            threads=os.cpu_count() or 1,
        )


def proposed(pair: PlannedPair) -> ProposedPair:
    """A pair of a plan, with an id of its own."""
    return ProposedPair.model_validate(
        {
            "pair_id": str(uuid7()),
            "mentor_id": pair.mentor_id,
            "mentee_id": pair.mentee_id,
            "score": pair.score,
            "rationale": pair.rationale,
        }
    )


def left_alone(person: Unmatched) -> UnmatchedPerson:
    """A person of a plan without a pair."""
    return UnmatchedPerson.model_validate(
        {"participant_id": person.participant_id, "role": person.role, "reasons": public(person.reasons)}
    )


def refused_pins(plan: RoundPlan) -> Iterator[dict[str, Any]]:
    """The pins that break rules, which the programme's office sees by name."""
    for pin in plan.refused_pins:
        rules = sorted(_public(rule.value) for rule in pin.rules)
        yield {"mentor_id": pin.mentor_id, "mentee_id": pin.mentee_id, "rules": rules}


def public(reasons: Mapping[Any, int]) -> dict[str, int]:
    """Reasons by their public names: that somebody excluded somebody is private."""
    return {_public(reason.value): count for reason, count in reasons.items()}


def exclusions_of(people: Iterable[Person]) -> list[tuple[str, str]]:
    """(who, whom) of all exclusions."""
    return [(person.participant_id, other) for person in people for other in person.excluded_ids]


def former_pairs_of(people: Iterable[Person]) -> list[PairEnded]:
    """The pairs that ended, as their people remember them."""
    ended: dict[str, PairEnded] = {}
    for person in people:
        for former in person.former:
            two = (person.participant_id, former.participant_id)
            mentor_id, mentee_id = two if person.role == Role.MENTOR else two[::-1]
            ended[former.pair_id] = PairEnded.model_validate(
                {
                    "pair_id": former.pair_id,
                    "program_id": person.program_id,
                    "mentor_id": mentor_id,
                    "mentee_id": mentee_id,
                    "reason": former.reason,
                    "ended_at": former.ended_at,
                }
            )
    return list(ended.values())


def _in_force(rows: Iterable[Mapping[str, Any]]) -> list[PairCreated]:
    pairs = (from_row(Pair, row) for row in rows)
    return [pair.created for pair in pairs if pair.created and pair.state is PairState.IN_FORCE]


def _public(reason: str) -> str:
    return "other" if reason == Rule.EXCLUDED else reason
