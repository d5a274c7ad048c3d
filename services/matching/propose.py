"""Planning outside the transaction: what it finds is a proposal, and is checked again when pairs are made."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from uuid_utils import uuid7

from libs.chassis.aside import aside
from libs.chassis.documents import from_row
from libs.chassis.errors import Transient
from libs.chassis.mongo import Database, Row
from libs.contracts.events import ProgramPublished
from libs.contracts.fields import to_time
from libs.contracts.words import Role
from services.matching.plan import Waiting, proposed
from services.matching.store.pairs import Pair, PairState
from services.matching.store.people import Person, Program
from services.matching.waiting import BRIEF, OVERLAP, Remembered, load, load_in
from services.matching.work import (
    EndPairs,
    MatchWaiting,
    PairsProposed,
    PairsToEnd,
    PeopleToSettle,
    ProposedPair,
    SettlePlaces,
)

# So few are read within the time that a process of its own needs to begin
READ_HERE = 1_000
ENDED_AT_ONCE = 200
SETTLED_AT_ONCE = 500
# What a process remembers of all programmes together: about a gigabyte
REMEMBERED = 1_000_000
UNUSED = timedelta(minutes=10)


@dataclass(slots=True)
class LooksAtArrivals:
    """Matches people as they arrive, and remembers who waits.

    A pool is taken out while a look works on it, so that two looks never share it: the second reads the database anew.
    """

    remembered: dict[tuple[str, str], Remembered] = field(default_factory=dict)

    async def propose_pairs(self, work: MatchWaiting, database: Database) -> PairsProposed:
        """The best pairs with those who arrived or changed since the last look."""
        program, now = await program_of(database, work.program_id), to_time(database.now())
        its: Row = {"program_id": work.program_id, "round_id": f"rolling-{uuid7()}", "at": now}
        if program.published is None or not program.rolling:
            return PairsProposed(**its, last=work.last)
        pool = self._take(database, program.published, now) or await _loaded(database, program.published, now)
        try:
            now = to_time(database.now())
            await _bring_up_to_date(pool, database, work, now)
            look, twos = await asyncio.to_thread(pool.look, its["round_id"], work.last, now)
            pairs = await _explained(database, program.published, twos, now)
        except Transient:
            self._keep(database, pool)
            raise
        self._keep(database, pool)
        known = {(pair.mentor_id, pair.mentee_id) for pair in pairs}
        again = tuple(id for two in twos if two not in known for id in two)
        return PairsProposed(**its | {"at": now}, pairs=pairs, last=look, again=again)

    def _take(self, database: Database, program: ProgramPublished, now: datetime) -> Remembered | None:
        pool = self.remembered.pop((database.name, program.program_id), None)
        return pool if pool and pool.pool.fits(program, now) else None

    def _keep(self, database: Database, pool: Remembered) -> None:
        self.remembered[database.name, pool.pool.program.program_id] = pool
        for key, other in list(self.remembered.items()):
            many = sum(map(len, self.remembered.values())) > REMEMBERED
            if other is not pool and (many or other.read_to < pool.read_to - UNUSED):
                del self.remembered[key]


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


async def program_of(database: Database, program_id: str) -> Program:
    """The programme, blank where nobody has published it."""
    rows = await database.find(Program.collection, {"_id": program_id})
    return from_row(Program, rows[0]) if rows else Program(id=program_id)


async def pairs_of(database: Database, people: Sequence[Row]) -> list[Row]:
    """The pairs that they are in."""
    ids = [partner["pair_id"] for person in people for partner in person["partners"]]
    return await database.find(Pair.collection, {"_id": {"$in": ids}}) if ids else []


async def _loaded(database: Database, program: ProgramPublished, now: datetime) -> Remembered:
    """Everybody who waits, read in a process of its own where these are many."""
    waiting = {"program_id": program.program_id, "seeking": True}
    if await database.count(Person.collection, waiting) <= READ_HERE:
        return await load(database, program, now)
    return await aside(load_in, database.url, database.name, program, now)


async def _bring_up_to_date(pool: Remembered, database: Database, work: MatchWaiting, now: datetime) -> None:
    """Read who changed since the pool was read, and who was to be paired in vain."""
    briefs = await database.find(Person.collection, _changed(work.program_id, pool.read_to - OVERLAP), fields=BRIEF)
    again = [f"{work.program_id}/{id}" for id in work.again]
    ids = {*pool.outdated_by(briefs), *again}
    rows = await database.find(Person.collection, {"_id": {"$in": list(ids)}}) if ids else []
    gone = [{"_id": id, "seeking": False} for id in again]
    await asyncio.to_thread(_take_up, pool, [*briefs, *gone], rows, now)


def _take_up(pool: Remembered, briefs: Sequence[Row], rows: Sequence[Row], now: datetime) -> None:
    pool.forget(briefs)
    pool.unseen.update(pool.learn(rows, now))
    pool.read_to = now


def _changed(program_id: str, since: datetime) -> Mapping[str, Any]:
    """Who came into the pool, changed in it or left it; the index serves each of the four kinds."""
    roles = [role.value for role in Role]
    return {
        "program_id": program_id,
        "seeking": {"$in": [True, False]},
        "role": {"$in": roles},
        "changed_at": {"$gte": since},
    }


async def _explained(
    database: Database, program: ProgramPublished, twos: Sequence[tuple[str, str]], now: datetime
) -> tuple[ProposedPair, ...]:
    """The pairs with their rationale; the two are read again, and all rules are asked that look at them alone."""
    ids = [f"{program.program_id}/{id}" for two in twos for id in two]
    rows = await database.find(Person.collection, {"_id": {"$in": ids}}) if ids else []
    pairs = await pairs_of(database, rows)
    return await asyncio.to_thread(_planned, program, twos, rows, pairs, now)


def _planned(
    program: ProgramPublished, twos: Sequence[tuple[str, str]], rows: Sequence[Row], pairs: Sequence[Row], now: datetime
) -> tuple[ProposedPair, ...]:
    by_id = {row["_id"].partition("/")[2]: row for row in rows if row["seeking"]}
    in_force = {pair["_id"]: pair for pair in pairs}
    found: list[ProposedPair] = []
    for two in twos:
        both = [by_id[id] for id in two if id in by_id]
        its = {partner["pair_id"] for row in both for partner in row["partners"]} & in_force.keys()
        plan = Waiting(program).add(both, [in_force[id] for id in sorted(its)]).plan(now)
        found += map(proposed, plan.pairs)
    return tuple(found)
