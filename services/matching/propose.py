"""Planning outside the transaction: what it finds is a proposal, and is checked again when pairs are made."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from uuid_utils import uuid7

from libs.chassis.documents import from_row
from libs.chassis.mongo import Database
from libs.contracts.fields import to_time
from libs.contracts.words import Role
from services.matching.plan import Waiting, left_alone, proposed, refused_pins
from services.matching.store import Pair, PairState, Person, Program
from services.matching.work import EndPairs, Look, MatchWaiting, PairsProposed, PairsToEnd, PlanRound, RoundPlanned

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
    now = to_time(datetime.now(UTC))
    nothing = PairsProposed(program_id=work.program_id, round_id=f"rolling-{uuid7()}", at=now, last=work.last)
    if program.published is None or not program.rolling:
        return nothing
    look = await _look(database, program, now)
    if not (look.mentors[0] and look.mentees[0]):
        return nothing.model_copy(update={"last": look})
    if work.last and work.last.same_pool(look) and look.at < work.last.at + LOOK_AGAIN:
        return nothing
    sides = [await _waiting(database, work.program_id, role, PEOPLE_AT_ONCE) for role in Role]
    pool = Waiting(program.published, [row for side in sides for row in side], await _pairs_of(database, sides))
    plan = await asyncio.to_thread(pool.plan, now)
    return nothing.model_copy(update={"pairs": proposed(plan), "last": look})


async def plan_whole_round(work: PlanRound, database: Database) -> RoundPlanned:
    """Plan for everybody who waits, as the round's wish asks."""
    rows = await database.find(Program.collection, {"_id": work.program_id})
    program = from_row(Program, rows[0]).published if rows else None
    sides = [await _waiting(database, work.program_id, role) for role in Role] if program else []
    now = to_time(datetime.now(UTC))
    if program is None:
        return RoundPlanned(**dict(work), at=now, value=0, upper_bound=0, gap=0, planned=0)
    pool = Waiting(program, [row for side in sides for row in side], await _pairs_of(database, sides))
    plan = await asyncio.to_thread(pool.plan, now, work.wish)
    return RoundPlanned(
        **dict(work),
        at=now,
        value=plan.value,
        upper_bound=plan.upper_bound,
        gap=plan.gap,
        planned=len(plan.pairs),
        pairs=proposed(plan),
        unmatched=left_alone(plan),
        refused_pins=tuple(refused_pins(plan)),
    )


async def find_pairs_to_end(work: EndPairs, database: Database) -> PairsToEnd:
    """Some of the pairs in force of a programme that was closed."""
    filter = {"program_id": work.program_id, "state": PairState.IN_FORCE.value}
    rows = await database.find(Pair.collection, filter, fields=["_id"], limit=ENDED_AT_ONCE)
    return PairsToEnd(program_id=work.program_id, pair_ids=tuple(row["_id"] for row in rows))


async def _look(database: Database, program: Program, now: datetime) -> Look:
    mentors, mentees = [await _side(database, program.id, role) for role in Role]
    return Look(at=now, revision=program.revision, mentors=mentors, mentees=mentees)


async def _side(database: Database, program_id: str, role: Role) -> tuple[int, datetime | None]:
    filter = _seeking(program_id, role)
    newest = await database.find(Person.collection, filter, fields=["changed_at"], sort=[("changed_at", -1)], limit=1)
    return (await database.count(Person.collection, filter), newest[0]["changed_at"]) if newest else (0, None)


async def _waiting(database: Database, program_id: str, role: Role, limit: int = 0) -> list[Row]:
    return await database.find(Person.collection, _seeking(program_id, role), sort=[("changed_at", 1)], limit=limit)


async def _pairs_of(database: Database, sides: Sequence[Sequence[Row]]) -> list[Row]:
    ids = [partner["pair_id"] for side in sides for person in side for partner in person["partners"]]
    return await database.find(Pair.collection, {"_id": {"$in": ids}}) if ids else []


def _seeking(program_id: str, role: Role) -> Mapping[str, Any]:
    return {"program_id": program_id, "seeking": True, "role": role.value}
