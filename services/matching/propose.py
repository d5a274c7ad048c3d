"""Planning outside the transaction: what it finds is a proposal, and is checked again when pairs are made."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from uuid_utils import uuid7

from libs.chassis.documents import from_row
from libs.chassis.mongo import Database
from libs.contracts.events import PairCreated, PairEnded, ProgramPublished
from libs.contracts.fields import to_time
from libs.contracts.words import Role
from services.matching.messages import EndPairs, Look, MatchWaiting, PairsProposed, PairsToEnd, ProposedPair
from services.matching.rules.round import plan_round
from services.matching.store import Pair, PairState, Person, Program

# A look plans for this many of each side, those who were left unchanged longest first: a second's work
PEOPLE_AT_ONCE = 700
ENDED_AT_ONCE = 200
# Time alone opens a way (a cool-down ends, clocks change), so an unchanged pool is planned again now and then
LOOK_AGAIN = timedelta(minutes=10)

Row = dict[str, Any]


async def propose_pairs(work: MatchWaiting, database: Database) -> PairsProposed:
    """Plan for the waiting people of a programme, unless nothing changed since the last look."""
    rows = await database.find(Program.collection, {"_id": work.program_id})
    program = from_row(Program, rows[0]) if rows else Program(id=work.program_id)
    nothing = PairsProposed(program_id=work.program_id, round_id=f"rolling-{uuid7()}", last=work.last)
    if program.published is None or not program.rolling:
        return nothing
    look = await _look(database, program)
    if not (look.mentors[0] and look.mentees[0]):
        return nothing.model_copy(update={"last": look})
    if work.last and work.last.same_pool(look) and look.at < work.last.at + LOOK_AGAIN:
        return nothing
    sides = [await _waiting(database, work.program_id, role) for role in Role]
    pairs = await _pairs_of(database, [row for side in sides for row in side])
    planned = await asyncio.to_thread(_planned, program.published, sides, pairs, look.at)
    return nothing.model_copy(update={"pairs": planned, "last": look})


async def find_pairs_to_end(work: EndPairs, database: Database) -> PairsToEnd:
    """Some of the pairs in force of a programme that was closed."""
    filter = {"program_id": work.program_id, "state": PairState.IN_FORCE.value}
    rows = await database.find(Pair.collection, filter, fields=["_id"], limit=ENDED_AT_ONCE)
    return PairsToEnd(program_id=work.program_id, pair_ids=tuple(row["_id"] for row in rows))


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


async def _look(database: Database, program: Program) -> Look:
    mentors, mentees = [await _side(database, program.id, role) for role in Role]
    return Look(at=to_time(datetime.now(UTC)), revision=program.revision, mentors=mentors, mentees=mentees)


async def _side(database: Database, program_id: str, role: Role) -> tuple[int, datetime | None]:
    filter = _seeking(program_id, role)
    newest = await database.find(Person.collection, filter, fields=["changed_at"], sort=[("changed_at", -1)], limit=1)
    return (await database.count(Person.collection, filter), newest[0]["changed_at"]) if newest else (0, None)


async def _waiting(database: Database, program_id: str, role: Role) -> list[Row]:
    filter = _seeking(program_id, role)
    return await database.find(Person.collection, filter, sort=[("changed_at", 1)], limit=PEOPLE_AT_ONCE)


async def _pairs_of(database: Database, people: Iterable[Row]) -> list[Row]:
    ids = [partner["pair_id"] for person in people for partner in person["partners"]]
    return await database.find(Pair.collection, {"_id": {"$in": ids}}) if ids else []


def _seeking(program_id: str, role: Role) -> Mapping[str, Any]:
    return {"program_id": program_id, "seeking": True, "role": role.value}


def _planned(
    program: ProgramPublished, sides: Sequence[Sequence[Row]], pairs: Sequence[Row], at: datetime
) -> tuple[ProposedPair, ...]:
    people = [from_row(Person, row) for side in sides for row in side]
    plan = plan_round(
        program,
        [person.profile for person in people if person.profile],
        now=at,
        in_force=_in_force(pairs),
        former_pairs=former_pairs_of(people),
        exclusions=exclusions_of(people),
    )
    return tuple(
        ProposedPair.model_validate(
            {
                "pair_id": str(uuid7()),
                "mentor_id": pair.mentor_id,
                "mentee_id": pair.mentee_id,
                "score": pair.score,
                "rationale": pair.rationale,
            }
        )
        for pair in plan.pairs
    )


def _in_force(rows: Iterable[Row]) -> list[PairCreated]:
    pairs = (from_row(Pair, row) for row in rows)
    return [pair.created for pair in pairs if pair.created and pair.state is PairState.IN_FORCE]
