"""An attempt to plan a round: people are read, the best pairs found, and all of it stored before any pair is made.

Nothing here counts until a transaction names the attempt in its round. So a process that dies, or is too late, leaves
findings that nobody reads, and they are swept.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from uuid_utils import uuid7

from libs.chassis.documents import to_row
from libs.chassis.mongo import Database, Row
from libs.contracts.words import Role
from services.matching.answers import pair_found, person_found
from services.matching.plan import Waiting, left_alone, proposed, refused_pins
from services.matching.propose import pairs_of, program_of
from services.matching.rules.reasons import Unmatched
from services.matching.rules.round import PlannedPair, RoundPlan
from services.matching.store.people import Person
from services.matching.store.rounds import FORGOTTEN, LISTS, Attempt, Finding, Optimum, Plan, Stage, results, sheet
from services.matching.work import PlanRound

PAIRS_A_SHEET = 250
_AT_ONCE = 1_000

T = TypeVar("T")


async def attempt_in(url: str, name: str, work: PlanRound, now: datetime) -> Plan:
    """An attempt over a connection of its own, for a process of its own."""
    with closing(Database(url, name)) as database:
        return await attempt(work, database, now)


async def attempt(work: PlanRound, database: Database, now: datetime) -> Plan:
    """Plan for everybody who waits, as the round's wish asks, and store what is found."""
    author = await _Author.begin(work, database)
    program = (await program_of(database, work.program_id)).published
    if program is None:
        return Plan(attempt=author.number, people=0, planned=0, unmatched=0, sheets=0, optimum=_NOTHING)
    waiting = await author.load(Waiting(program))
    await author.reach(Stage.SOLVING)
    found = await asyncio.to_thread(waiting.plan, now, work.wish)
    await author.reach(Stage.STORING)
    await author.store(found, sheets=not work.wish.dry_run)
    await forget_erased(database, author.attempt.id, work.program_id)
    return author.plan(found)


async def forget_erased(database: Database, attempt: str, program_id: str) -> None:
    """Somebody may have been erased after they were read, and before there were findings that an erasure could find."""
    erased = {"_id": {"$gt": f"{program_id}/", "$lt": f"{program_id}0"}, "profile": None}
    async for people in database.chunks(Person.collection, erased, size=_AT_ONCE, fields=["_id"]):
        ids = {"$in": [person["_id"] for person in people]}
        for role in Role:
            its = {"results": {"$in": [results(attempt, kind) for kind in LISTS]}, role.value: ids}
            for name in FORGOTTEN:
                told = its | {f"shown.{name}": {"$ne": None}}
                change = {"$set": {f"shown.{name}": None}, "$inc": {"version": 1}}
                await database.update(Finding.collection, told, change)


@dataclass(slots=True)
class _Author:
    """Writes an attempt, and how far it is, beside all transactions."""

    database: Database
    attempt: Attempt
    reasons: Counter[str] = field(default_factory=Counter)

    @classmethod
    async def begin(cls, work: PlanRound, database: Database) -> "_Author":
        made = Attempt(id=f"{work.key}/{uuid7()}", version=1, program_id=work.program_id, round=work.key)
        await database.insert(Attempt.collection, [to_row(made)])
        return cls(database, made)

    @property
    def number(self) -> str:
        return self.attempt.id

    async def reach(self, stage: Stage | None = None) -> None:
        """Tell how far it is."""
        if stage:
            self.attempt.stage = stage
        change = {name: getattr(self.attempt, name) for name in ("stage", "people", "planned", "unmatched")}
        await self.database.update(Attempt.collection, {"_id": self.attempt.id}, {"$set": change})

    async def load(self, waiting: Waiting) -> Waiting:
        filter = {"program_id": self.attempt.program_id, "seeking": True}
        async for rows in self.database.chunks(Person.collection, filter, size=_AT_ONCE):
            await asyncio.to_thread(waiting.add, rows, await pairs_of(self.database, rows))
            self.attempt.people += len(rows)
            await self.reach()
        return waiting

    async def store(self, found: RoundPlan, *, sheets: bool) -> None:
        pairs, people = iter(found.pairs), iter(found.unmatched)
        while rows := await asyncio.to_thread(self._next, pairs, PAIRS_A_SHEET, self._pair):
            for row in rows:
                row["sheet"] = sheet(self.number, self.attempt.planned // PAIRS_A_SHEET) if sheets else ""
            await self.database.insert(Finding.collection, rows)
            self.attempt.planned += len(rows)
            await self.reach()
        while rows := await asyncio.to_thread(self._next, people, _AT_ONCE, self._person):
            await self.database.insert(Finding.collection, rows)
            self.attempt.unmatched += len(rows)
            await self.reach()

    def plan(self, found: RoundPlan) -> Plan:
        its = self.attempt
        return Plan(
            attempt=its.id,
            people=its.people,
            planned=its.planned,
            unmatched=its.unmatched,
            sheets=-(-its.planned // PAIRS_A_SHEET),
            optimum=Optimum(value=found.value, upper_bound=found.upper_bound, gap=found.gap),
            reasons=dict(self.reasons.most_common()),
            refused_pins=tuple(refused_pins(found)),
        )

    def _next(self, found: Iterator[T], count: int, finding: Callable[[T], Finding]) -> list[Row]:
        """A plan may work out its pairs and reasons only as they are asked for."""
        return [to_row(finding(each)) for each in islice(found, count)]

    def _pair(self, planned: PlannedPair) -> Finding:
        program, pair = self.attempt.program_id, proposed(planned)
        return Finding(
            id=f"{results(self.number, 'pairs')}/{pair.mentor_id}/{pair.mentee_id}",
            version=1,
            results=results(self.number, "pairs"),
            pair_id=pair.pair_id,
            mentor=f"{program}/{pair.mentor_id}",
            mentee=f"{program}/{pair.mentee_id}",
            shown=pair_found(pair),
        )

    def _person(self, unmatched: Unmatched) -> Finding:
        person = left_alone(unmatched)
        its = f"{self.attempt.program_id}/{person.participant_id}"
        self.reasons.update(person.reasons.keys() or ["no_candidate"])
        return Finding(
            id=f"{results(self.number, 'unmatched')}/{person.participant_id}",
            version=1,
            results=results(self.number, "unmatched"),
            mentor=its if person.role is Role.MENTOR else "",
            mentee=its if person.role is Role.MENTEE else "",
            shown=person_found(person),
        )


_NOTHING = Optimum(value=0, upper_bound=0, gap=0)
