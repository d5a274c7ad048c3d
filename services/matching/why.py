"""Why a person is not matched yet, counted over the candidates of the other side when somebody asks."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from libs.chassis.documents import from_row
from libs.contracts.events import ProgramPublished
from libs.contracts.words import Role
from services.matching.plan import exclusions_of, former_pairs_of, public
from services.matching.rules.feasibility import Pool, feasibility_of
from services.matching.rules.pairing import standing_of
from services.matching.store.people import Person

CANDIDATES = 2_000


def reasons_of(
    program: ProgramPublished, person: Person, rows: Iterable[Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    """How many candidates there are, how many of them each rule refuses, and how many none does.

    A candidate who breaks several rules counts under each; who excluded whom is private and counts as `other`.
    """
    others = [other for row in rows if (other := from_row(Person, row)).profile and other.enrolled]
    standing = standing_of(
        program, now=now, former_pairs=former_pairs_of([person]), exclusions=exclusions_of([person, *others])
    )
    taken = {each.participant_id: len(each.partners) for each in (person, *others)}
    mine, theirs = ([each.profile for each in side if each.profile] for side in ([person], others))
    is_mentor = person.role == Role.MENTOR
    found = feasibility_of(
        Pool(program, *((mine, theirs) if is_mentor else (theirs, mine)), replace(standing, taken=taken))
    )
    refused = found.refused_to_mentors if is_mentor else found.refused_to_mentees
    counts = public({rule: int(column[0]) for rule, column in refused.items() if column[0]})
    return {"candidates": len(others), "possible": int(found.feasible.sum()), "refused": counts}
