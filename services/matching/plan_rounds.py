"""Rounds outside the transaction: each is planned once, in an attempt, and attempts that do not count are swept."""

from typing import Any

import structlog

from libs.chassis.aside import aside
from libs.chassis.errors import Conflict, Transient, told
from libs.chassis.mongo import Database
from libs.contracts.fields import to_time
from services.matching.attempts import attempt, attempt_in, forget_erased
from services.matching.store.people import Person
from services.matching.store.rounds import LISTS, Attempt, Finding, Round, RoundState, results
from services.matching.work import DropLists, OfRound, PlanRound, RoundFailed, RoundPlanned, SweepAttempts

# So few are planned within a second or two, which is what a process of its own needs to begin
PLANNED_HERE = 1_000
SWEPT_AT_ONCE = 5_000

log = structlog.get_logger()


async def plan_whole_round(work: PlanRound, database: Database) -> RoundPlanned | RoundFailed:
    """Plan for everybody who waits, in a process of its own where these are many."""
    now = to_time(database.now())
    waiting = await database.count(Person.collection, {"program_id": work.program_id, "seeking": True})
    try:
        if waiting <= PLANNED_HERE:
            plan = await attempt(work, database, now)
        else:
            plan = await aside(attempt_in, database.url, database.name, work, now)
    except (Transient, Conflict):
        raise
    except Exception as error:
        log.exception("a round can't be planned", round=work.key)
        return RoundFailed(**_round(work), reason=told(error))
    return RoundPlanned(**_round(work), at=now, plan=plan)


async def sweep_attempts(work: SweepAttempts, database: Database) -> SweepAttempts:
    """Delete the attempts of a programme whose rounds were decided without them, with all that they found."""
    running = {"program_id": work.program_id, "state": RoundState.PLANNING}
    rounds = [row["_id"] for row in await database.find(Round.collection, running, fields=["_id"])]
    over = {"program_id": work.program_id, "round": {"$nin": rounds}}
    for row in await database.find(Attempt.collection, over, fields=["round"]):
        if await database.count(Round.collection, {"_id": row["round"], "attempt": row["_id"]}):
            await forget_erased(database, row["_id"], work.program_id)
        else:
            await _drop_findings(database, row["_id"])
        await database.delete(Attempt.collection, {"_id": row["_id"]})
    return work


async def drop_lists(work: DropLists, database: Database) -> DropLists:
    """Delete what a round found."""
    for row in await database.find(Round.collection, {"_id": work.key}, fields=["attempt"]):
        await _drop_findings(database, row["attempt"])
    return work


async def _drop_findings(database: Database, attempt: str) -> None:
    its = {"results": {"$in": [results(attempt, kind) for kind in LISTS]}}
    async for rows in database.chunks(Finding.collection, its, size=SWEPT_AT_ONCE, fields=["_id"]):
        await database.delete(Finding.collection, {"_id": {"$in": [row["_id"] for row in rows]}})


def _round(work: OfRound) -> dict[str, Any]:
    return {"program_id": work.program_id, "round_id": work.round_id}
