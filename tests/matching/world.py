"""The world of the handlers' tests: Ada and Grace, who may be a pair."""

from datetime import datetime
from typing import Any

from libs.chassis.unit_of_work import Outcome
from libs.contracts import examples
from libs.contracts.events import (
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    ParticipantWithdrawn,
)
from services.matching.app import service
from services.matching.commands import Enrolment, EnrolParticipant
from services.matching.store.people import Person
from services.matching.work import (
    Look,
    PairsProposed,
    ProposedPair,
)
from tests.given import Given, given
from tests.matching.rules_people import NOW, mentee, mentor, program

OWN = service.source
HR = "/hr"
ADA, GRACE = mentor("Ada"), mentee("Grace")
RATIONALE = examples.PAIR_CREATED.model_dump()["rationale"]


def program_with(*people: ParticipantEnrolled, **policy: Any) -> Given:
    world = given(service)
    world.when(program(mode="rolling", **policy), at=NOW)
    for person in people:
        world.when(person, at=NOW, source=HR)
    return world


def proposal(*twos: tuple[str, str]) -> PairsProposed:
    look = Look.model_validate({"id": "r1", "mark": NOW})
    pairs = [
        ProposedPair(pair_id=f"{mentor}-{mentee}", mentor_id=mentor, mentee_id=mentee, score=0.5, rationale=RATIONALE)
        for mentor, mentee in twos
    ]
    return PairsProposed(program_id="2026", round_id="r1", at=NOW, pairs=tuple(pairs), last=look)


def paired(*people: ParticipantEnrolled, **policy: Any) -> Given:
    """Ada and Grace are a pair."""
    world = program_with(*(people or (ADA, GRACE)), **policy)
    made = events(world.when(proposal(("ada", "grace")), at=NOW), PairCreated)
    assert [pair.pair_id for pair in made] == ["ada-grace"]
    return world


def events(outcome: Outcome, kind: type[Any]) -> list[Any]:
    return [said.event for said in outcome.facts if isinstance(said.event, kind)]


def reasons(outcome: Outcome) -> list[str]:
    return [ended.reason.value for ended in events(outcome, PairEnded)]


def person_of(world: Given, name: str) -> Person:
    person: Person = world.document(Person, f"2026/{name}")
    return person


def revised(person: ParticipantEnrolled, revision: int, **changed: Any) -> ParticipantEnrolled:
    return ParticipantEnrolled.model_validate(person.model_dump() | {"revision": revision} | changed)


def withdrawn(name: str, at: datetime, revision: int = 9) -> ParticipantWithdrawn:
    return ParticipantWithdrawn(
        program_id="2026", participant_id=name, revision=revision, reason="left", withdrawn_at=at
    )


def enrol(person: ParticipantEnrolled, if_match: int | None = None, **more: Any) -> EnrolParticipant:
    wish = person.model_dump(exclude={"enrolled_at"}) | more
    return EnrolParticipant(
        program_id="2026",
        participant_id=person.participant_id,
        enrolment=Enrolment.model_validate(wish),
        if_match=if_match,
    )


def without_counts(world: Given) -> dict[str, Any]:
    return {
        id: {name: value for name, value in row.items() if name not in ("said", "version")}
        for id, row in world.rows.get("people", {}).items()
    }
