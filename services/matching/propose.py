"""Planning outside the transaction: what it finds is a proposal, and is checked again when pairs are made."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from uuid_utils import uuid7

from libs.chassis.documents import from_row
from libs.chassis.mongo import Database
from libs.contracts.events import ProgramPublished
from libs.contracts.fields import to_time
from libs.contracts.words import Role
from services.matching.plan import Waiting, proposed
from services.matching.rules.round import RoundPlan
from services.matching.store.pairs import Pair, PairState
from services.matching.store.people import Person, Program
from services.matching.work import (
    EndPairs,
    Look,
    MatchWaiting,
    PairsProposed,
    PairsToEnd,
    PeopleToSettle,
    Place,
    Pool,
    SettlePlaces,
)

# A look plans for so many of each side, which takes about a second
PEOPLE_AT_ONCE = 700
ENDED_AT_ONCE = 200
SETTLED_AT_ONCE = 500
# Time alone opens a way (a cool-down ends, clocks change), so an unchanged pool is planned again now and then
LOOK_AGAIN = timedelta(minutes=10)

_OLDEST_FIRST = [("changed_at", 1), ("_id", 1)]
_NEWEST_FIRST = [("changed_at", -1), ("_id", -1)]

Row = dict[str, Any]


async def propose_pairs(work: MatchWaiting, database: Database) -> PairsProposed:
    """Plan for the waiting people of a programme, unless nothing changed since the last look."""
    rows = await database.find(Program.collection, {"_id": work.program_id})
    program = from_row(Program, rows[0]) if rows else Program(id=work.program_id)
    now = to_time(database.now())
    nothing = PairsProposed(program_id=work.program_id, round_id=f"rolling-{uuid7()}", at=now, last=work.last)
    if program.published is None or not program.rolling:
        return nothing
    pool = await _pool(database, program)
    if _is_known(pool, work.last, now):
        return nothing
    turn = work.last if work.last and not work.last.complete else Look(at=now, pool=pool)
    mentors, mentors_after = await _part(database, work.program_id, Role.MENTOR, pool.mentors[0], turn.mentors_after)
    mentees, mentees_after = await _part(database, work.program_id, Role.MENTEE, pool.mentees[0], turn.mentees_after)
    rows = [*mentors, *mentees]
    plan = await asyncio.to_thread(_plan, program.published, rows, await _pairs_of(database, rows), now)
    look = turn.next(mentors_after, mentees_after).model_copy(update={"at": now})
    return nothing.model_copy(update={"pairs": tuple(map(proposed, plan.pairs)), "last": look})


async def find_pairs_to_end(work: EndPairs, database: Database) -> PairsToEnd:
    """Some of the pairs in force of a programme that was closed."""
    filter = {"program_id": work.program_id, "state": PairState.IN_FORCE.value}
    rows = await database.find(Pair.collection, filter, fields=["_id"], limit=ENDED_AT_ONCE)
    return PairsToEnd(program_id=work.program_id, pair_ids=tuple(row["_id"] for row in rows))


async def find_people_to_settle(work: SettlePlaces, database: Database) -> PeopleToSettle:
    """Some of the people who are in a pair."""
    filter = {"program_id": work.program_id, "partners.0": {"$exists": True}, "_id": {"$gt": work.after}}
    rows = await database.find(Person.collection, filter, fields=["_id"], sort=[("_id", 1)], limit=SETTLED_AT_ONCE)
    return PeopleToSettle(program_id=work.program_id, person_ids=tuple(row["_id"] for row in rows))


def _plan(program: ProgramPublished, people: Sequence[Row], pairs: Sequence[Row], now: datetime) -> RoundPlan:
    return Waiting(program).add(people, pairs).plan(now)


def _is_known(pool: Pool, last: Look | None, now: datetime) -> bool:
    """Whether planning can find nothing: one side is empty, or all of this pool was looked at a moment ago."""
    if not (pool.mentors[0] and pool.mentees[0]):
        return True
    return last is not None and last.complete and last.pool == pool and now < last.at + LOOK_AGAIN


async def _pool(database: Database, program: Program) -> Pool:
    mentors, mentees = [await _side(database, program.id, role) for role in Role]
    return Pool(revision=program.revision, mentors=mentors, mentees=mentees)


async def _side(database: Database, program_id: str, role: Role) -> tuple[int, datetime | None]:
    filter = _seeking(program_id, role)
    newest = await database.find(Person.collection, filter, fields=["changed_at"], sort=_NEWEST_FIRST, limit=1)
    return (await database.count(Person.collection, filter), newest[0]["changed_at"]) if newest else (0, None)


async def _part(
    database: Database, program_id: str, role: Role, count: int, after: Place | None
) -> tuple[list[Row], Place | None]:
    """All of a side, or the next half of a part with the newest, who shall not wait for their turn."""
    if count <= PEOPLE_AT_ONCE:
        return await _everybody(database, program_id, role, PEOPLE_AT_ONCE), None
    half, filter = PEOPLE_AT_ONCE // 2, _seeking(program_id, role)
    rest = _after(after) if after else {}
    part = await database.find(Person.collection, {**filter, **rest}, sort=_OLDEST_FIRST, limit=half)
    newest = await database.find(Person.collection, filter, sort=_NEWEST_FIRST, limit=half)
    last = (part[-1]["changed_at"], part[-1]["_id"]) if len(part) == half else None
    return list({row["_id"]: row for row in [*part, *newest]}.values()), last


def _after(place: Place) -> Row:
    changed_at, id = place
    return {"$or": [{"changed_at": {"$gt": changed_at}}, {"changed_at": changed_at, "_id": {"$gt": id}}]}


async def _everybody(database: Database, program_id: str, role: Role, limit: int = 0) -> list[Row]:
    return await database.find(Person.collection, _seeking(program_id, role), sort=_OLDEST_FIRST, limit=limit)


async def _pairs_of(database: Database, people: Sequence[Row]) -> list[Row]:
    ids = [partner["pair_id"] for person in people for partner in person["partners"]]
    return await database.find(Pair.collection, {"_id": {"$in": ids}}) if ids else []


def _seeking(program_id: str, role: Role) -> Mapping[str, Any]:
    return {"program_id": program_id, "seeking": True, "role": role.value}
