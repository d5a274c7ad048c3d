"""A look at everybody who waits: for those who were there first, and because time alone opens ways.

A cool-down ends, clocks change, waiting makes a pair worth something: nobody's document changes, so looks at arrivals
do not see it.
"""

import asyncio
from contextlib import closing
from datetime import datetime
from itertools import islice

import structlog
from uuid_utils import uuid7

from libs.chassis.aside import aside
from libs.chassis.errors import Conflict, Transient
from libs.chassis.mongo import Database
from libs.contracts.events import ProgramPublished
from libs.contracts.fields import to_time
from services.matching.plan import Waiting, proposed
from services.matching.plan_rounds import PLANNED_HERE
from services.matching.propose import pairs_of, program_of
from services.matching.store.people import Person
from services.matching.waiting import READ_AT_ONCE
from services.matching.work import EverybodyMatched, MatchEverybody

# Proposals travel in one document; what is left of the best pairs is found again by the next look
PROPOSED_AT_ONCE = 2_000

log = structlog.get_logger()


async def propose_for_everybody(work: MatchEverybody, database: Database) -> EverybodyMatched:
    """The best pairs among all who wait, planned in a process of its own where these are many."""
    program, now = await program_of(database, work.program_id), to_time(database.now())
    nothing = EverybodyMatched(program_id=work.program_id, round_id=f"rolling-{uuid7()}", at=now)
    if program.published is None or not program.rolling:
        return nothing
    waiting = await database.count(Person.collection, {"program_id": work.program_id, "seeking": True})
    try:
        if waiting <= PLANNED_HERE:
            return await plan_for_everybody(database, program.published, now)
        return await aside(plan_in, database.url, database.name, program.published, now)
    except (Transient, Conflict):
        raise
    except Exception:
        log.exception("a look at everybody can't be planned", program=work.program_id)
        return nothing


async def plan_in(url: str, name: str, program: ProgramPublished, now: datetime) -> EverybodyMatched:
    """The same over a connection of its own, for a process of its own."""
    with closing(Database(url, name)) as database:
        return await plan_for_everybody(database, program, now)


async def plan_for_everybody(database: Database, program: ProgramPublished, now: datetime) -> EverybodyMatched:
    """Read all who wait, and plan for them."""
    waiting = Waiting(program)
    everybody = {"program_id": program.program_id, "seeking": True}
    async for rows in database.chunks(Person.collection, everybody, size=READ_AT_ONCE):
        waiting.add(rows, await pairs_of(database, rows))
    return await asyncio.to_thread(_planned, waiting, now)


def _planned(waiting: Waiting, now: datetime) -> EverybodyMatched:
    plan = waiting.plan(now)
    return EverybodyMatched(
        program_id=waiting.program.program_id,
        round_id=f"rolling-{uuid7()}",
        at=now,
        pairs=tuple(map(proposed, islice(plan.pairs, PROPOSED_AT_ONCE))),
        complete=len(plan.pairs) <= PROPOSED_AT_ONCE,
    )
