"""Rounds on a real database: plans are stored before any pair is made, and an attempt counts once or never."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from uuid_utils import uuid4

from deploy.local.stack import Endpoints
from libs.chassis import due, inbox, outbox
from libs.chassis.aside import aside
from libs.chassis.dead_letters import DeadLetter
from libs.chassis.documents import Document, to_row
from libs.chassis.leases import NEVER
from libs.chassis.mongo import Database
from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from services.matching import plan_rounds
from services.matching.app import service
from services.matching.attempts import PAIRS_A_SHEET, attempt, attempt_in, forget_erased
from services.matching.commands import AskForRound
from services.matching.plan_rounds import drop_lists, plan_whole_round, sweep_attempts
from services.matching.store.people import Person, Program
from services.matching.store.rounds import Attempt, Finding, Round, RoundState, RoundWish, Stage
from services.matching.work import DropLists, PlanRound, RoundFailed, SweepAttempts
from tests.chassis.polls import polling
from tests.chassis.tiny import obeyed, settling, until
from tests.matching.rules_people import NOW, mentee, mentor, program

R1, R2 = (PlanRound(program_id="2026", round_id=id, wish=RoundWish()) for id in ("r1", "r2"))
MINE = SweepAttempts(program_id="2026", round_id="r1")


def soon() -> datetime:
    """When all is due that follows a round at once, and its lists still stand."""
    return NOW + timedelta(days=1)


@pytest.fixture
async def database(stack: Endpoints, database_prefix: str) -> AsyncIterator[Database]:
    database = Database(stack.mongodb, f"{database_prefix}vv_matching")
    kinds: list[type[Document]] = [*service.keeps, DeadLetter]
    for kind in kinds:
        await database.create_indexes(kind.collection, [(fields, {}) for fields in kind.indexes])
    for room, indexes in ((inbox.INBOX, inbox.INDEXES), (outbox.OUTBOX, outbox.INDEXES), (due.DUE, due.INDEXES)):
        await database.create_indexes(room, indexes)
    yield database
    database.close()


def people(pairs: int, more: int = 0) -> list[ParticipantEnrolled]:
    """So many mentors, and so many mentees more."""
    return [
        *(mentor(f"Ada{number:04}") for number in range(pairs)),
        *(mentee(f"Grace{number:04}") for number in range(pairs + more)),
    ]


async def company(database: Database, members: Sequence[ParticipantEnrolled], **policy: Any) -> None:
    """A programme whose members wait."""
    published: ProgramPublished = program(mode="rounds", **policy)
    await database.insert(Program.collection, [to_row(Program(id="2026", version=1, published=published))])
    rows = []
    for member in members:
        person = Person(id=member.key, version=1)
        person.enrol(member, "/hr", NOW)
        rows.append(to_row(person))
    await database.insert(Person.collection, rows)


async def ask(database: Database, round_id: str = "r1", **wish: Any) -> int:
    command = AskForRound(program_id="2026", round_id=round_id, wish=RoundWish(**wish))
    return (await obeyed(settling(database, service), command, str(uuid4()))).status


async def round_of(database: Database, id: str = "2026/r1") -> dict[str, Any]:
    (row,) = await database.find(Round.collection, {"_id": id})
    return row


async def work_until_done(database: Database) -> dict[str, Any]:
    async def done() -> Any:
        row = await round_of(database)
        return row if row["state"] == RoundState.DONE else None

    async with polling(database, soon, service):
        found: dict[str, Any] = await until(done)
    return found


async def test_a_round_of_several_sheets_pairs_everybody_once(database: Database) -> None:
    await company(database, people(PAIRS_A_SHEET + 50, more=70))
    await ask(database)

    round = await work_until_done(database)

    pairs = await database.find("pairs", {})
    assert (round["planned"], round["made"], round["unmatched"], round["sheets"]) == (300, 300, 70, 2)
    assert len({pair["mentor_id"] for pair in pairs}) == len({pair["mentee_id"] for pair in pairs}) == 300
    assert await database.count(Person.collection, {"seeking": True}) == 70
    assert await database.count(Finding.collection, {"results": f"{round['attempt']}/pairs", "shown.made": True}) == 300
    assert await database.count(Finding.collection, {"results": f"{round['attempt']}/unmatched"}) == 70


async def test_whoever_dies_at_any_moment_is_followed_by_somebody_who_goes_on(database: Database) -> None:
    await company(database, people(PAIRS_A_SHEET * 2), mentee_capacity=3)
    await ask(database)
    chance = random.Random(3)

    for _ in range(12):
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.uniform(0.1, 1.0)), polling(database, soon, service):
                await asyncio.Event().wait()
        await database.update(due.DUE, {}, [{"$set": {"lease.until": NEVER}}])
    round = await work_until_done(database)

    assert (round["planned"], round["made"]) == (500, 500)
    pairs = await database.find("pairs", {})
    assert len({(pair["mentor_id"], pair["mentee_id"]) for pair in pairs}) == len(pairs) == 500


async def test_two_replicas_that_plan_the_same_round_make_the_pairs_of_one_attempt(database: Database) -> None:
    await company(database, people(40))
    await ask(database)
    attempts = [await attempt(R1, database, NOW) for _ in range(2)]

    async with polling(database, soon, service), polling(database, soon, service):
        round = await work_until_done(database)

    assert round["attempt"] not in [each.attempt for each in attempts]
    assert await database.count("pairs") == 40


async def test_attempts_that_do_not_count_are_swept_and_those_of_running_rounds_stay(database: Database) -> None:
    await company(database, people(3, more=1))
    lost = await attempt(R1, database, NOW)
    counts = await attempt(R1, database, NOW)
    running = await attempt(R2, database, NOW)
    rounds = [
        Round(id="2026/r1", version=1, program_id="2026", state=RoundState.DONE, attempt=counts.attempt),
        Round(id="2026/r2", version=1, program_id="2026", state=RoundState.PLANNING),
    ]
    await database.insert(Round.collection, [to_row(round) for round in rounds])

    await sweep_attempts(MINE, database)

    kept = {
        row["_id"].rpartition("/pairs/")[0] for row in await database.find(Finding.collection, {"sheet": {"$ne": ""}})
    }
    assert kept == {counts.attempt, running.attempt}
    assert await database.count(Finding.collection, {"results": f"{lost.attempt}/unmatched"}) == 0
    assert [row["_id"] for row in await database.find(Attempt.collection, {})] == [running.attempt]


async def test_the_lists_of_one_round_are_dropped_and_those_of_others_stay(database: Database) -> None:
    await company(database, people(3, more=1))
    mine, other = [await attempt(work, database, NOW) for work in (R1, R2)]
    rounds = [
        Round(id=f"2026/{name}", version=1, program_id="2026", state=RoundState.DONE, attempt=its.attempt)
        for name, its in (("r1", mine), ("r2", other))
    ]
    await database.insert(Round.collection, [to_row(round) for round in rounds])

    await drop_lists(DropLists(program_id="2026", round_id="r1"), database)

    kept = {row["results"] for row in await database.find(Finding.collection, {})}
    assert kept == {f"{other.attempt}/{name}" for name in ("pairs", "unmatched")}


async def test_findings_of_somebody_who_was_erased_while_they_were_written_tell_nothing(database: Database) -> None:
    await company(database, people(1, more=1))
    found = await attempt(R1, database, NOW)
    await database.update(Person.collection, {"role": "mentee"}, {"$set": {"profile": None}})

    await forget_erased(database, found.attempt, "2026")

    shown = [row["shown"] for row in await database.find(Finding.collection, {}, sort=[("_id", 1)])]
    assert [each.get("rationale", each.get("reasons")) for each in shown] == [None, None]
    assert shown[0]["score"] is None


async def test_a_plan_made_in_a_process_of_its_own_is_the_same(database: Database) -> None:
    await company(database, people(20, more=3))

    here = await attempt(R1, database, NOW)
    there = await aside(attempt_in, database.url, database.name, R1, NOW)

    assert here.model_copy(update={"attempt": there.attempt}) == there
    assert await database.count(Finding.collection) == 2 * 23
    assert [row["stage"] for row in await database.find(Attempt.collection, {})] == [Stage.STORING] * 2


async def test_many_people_are_planned_for_in_a_process_of_its_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await company(database, people(2))
    asked: list[Any] = []

    async def beside(*what: Any) -> Any:
        asked.append(what[0])
        return await attempt(R1, database, NOW)

    monkeypatch.setattr(plan_rounds, "aside", beside)
    await plan_whole_round(R1, database)
    monkeypatch.setattr(plan_rounds, "PLANNED_HERE", 3)
    await plan_whole_round(R1, database)

    assert asked == [attempt_in]


async def test_a_round_whose_planning_breaks_is_given_up_with_its_reason(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(plan_rounds, "attempt", broken)

    failed = await plan_whole_round(R1, database)

    assert isinstance(failed, RoundFailed)
    assert failed.reason.startswith("MemoryError")


async def test_of_two_replicas_that_are_asked_at_once_one_works_and_the_other_says_so(database: Database) -> None:
    await company(database, people(1))
    other = Database(database.url, database.name)

    answers = await asyncio.gather(ask(database, "r1"), ask(other, "r2"))

    other.close()
    assert sorted(answers) == [202, 409]


async def test_who_asks_while_a_round_runs_is_told_which(database: Database) -> None:
    await company(database, people(1))

    answers = [await ask(database, id) for id in ("r1", "r2", "r1")]
    await work_until_done(database)

    assert [*answers, await ask(database, "r2")] == [202, 409, 202, 202]
