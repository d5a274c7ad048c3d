"""Due work: one effect, whoever polls, whenever leases run out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from libs.chassis import due
from libs.chassis.dead_letters import DeadLetter, ReplayDeadLetter
from libs.chassis.due import DUE, DueWork, finish, row
from libs.chassis.errors import Transient
from libs.chassis.items import Cause, Item
from libs.chassis.leases import NEVER
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database, Row
from libs.chassis.words import Later, Work
from tests.chassis.polls import polling
from tests.chassis.tiny import (
    NOW,
    Prepare,
    Remind,
    enrolled,
    facts,
    item,
    letters,
    obeyed,
    prepare,
    service,
    settling,
    tally,
    until,
)


@dataclass
class Stumbling:
    """A database that is away once, when it is asked for due work of this kind."""

    database: Database
    kind: str
    stumbled: bool = False

    async def find(self, collection: str, filter: Mapping[str, Any], **how: Any) -> list[Row]:
        if not self.stumbled and self.kind in filter.get("kind", {}).get("$in", ()):
            self.stumbled = True
            raise Transient("away")
        return await self.database.find(collection, filter, **how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


async def claimed(database: Database) -> list[Item]:
    """What a process has leased but does not get done."""
    items: list[Item] = []

    def keep(more: Sequence[Item]) -> "asyncio.Future[None]":
        items.extend(more)
        return asyncio.get_running_loop().create_future()

    async def something() -> list[Item]:
        return items

    task = asyncio.create_task(DueWork(service, database, keep, lambda: NOW, Metrics("tiny")).run())
    await until(something)
    task.cancel()
    return items


async def plan(database: Database, work: Work, at: datetime = NOW) -> None:
    async with database.transaction() as transaction:
        planned = row(Later(work, at), Cause("x"))
        await finish(transaction, [], {work.work_id: planned})


async def leases_run_out(database: Database) -> None:
    await database.update(DUE, {}, {"$set": {"lease.until": NEVER}})


async def nothing_is_due(database: Database) -> bool:
    return await database.count(DUE) == 0


async def test_two_pollers_have_one_effect(database: Database) -> None:
    names = [f"person-{number}" for number in range(40)]
    await settling(database).settle([item(enrolled(name, "Later"), name) for name in names])

    async with polling(database), polling(database):
        await until(lambda: nothing_is_due(database))

    assert [(await tally(database, name))["times"] for name in names] == [2] * 40
    assert len(await facts(database)) == 80


async def test_work_waits_for_its_time(database: Database) -> None:
    time = [NOW]
    await plan(database, Remind(person="2026/ada"), NOW)
    await plan(database, Remind(person="2026/grace"), NOW + timedelta(hours=1))

    async with polling(database, lambda: time[0]):
        await until(lambda: _only_grace_is_left(database))
        time[0] += timedelta(hours=1)
        await until(lambda: nothing_is_due(database))

    assert (await tally(database, "grace"))["times"] == 1


async def _only_grace_is_left(database: Database) -> bool:
    return [found["_id"] for found in await database.find(DUE, {})] == ["Remind:2026/grace"]


async def test_the_result_of_a_holder_whose_lease_was_retaken_is_dropped(database: Database) -> None:
    await plan(database, Remind(person="2026/ada"))
    first = await claimed(database)
    await leases_run_out(database)
    second = await claimed(database)

    await settling(database).settle(first)
    assert (await facts(database), await database.count(DUE)) == ([], 1)
    await settling(database).settle(second)
    await settling(database).settle(first)

    assert ((await tally(database, "ada"))["times"], await facts(database)) == (1, [("2026/ada", 1)])


async def test_who_holds_work_twice_does_it_once(database: Database) -> None:
    """A process that was slow has claimed it again, and both claims come to the same batch."""
    await plan(database, Remind(person="2026/ada"))
    first = await claimed(database)
    await leases_run_out(database)
    second = await claimed(database)

    async with asyncio.timeout(10):
        await settling(database).settle([*first, *second])

    assert ((await tally(database, "ada"))["times"], await facts(database)) == (1, [("2026/ada", 1)])


async def test_a_slow_process_keeps_its_lease(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "_RENEW_SECONDS", 0.0)
    await plan(database, Remind(person="2026/ada"))

    def never_done(items: Sequence[Item]) -> "asyncio.Future[None]":
        return asyncio.get_running_loop().create_future()

    async def leased() -> bool:
        return bool(await database.find(DUE, {"$expr": {"$gt": ["$lease.until", "$$NOW"]}}))

    task = asyncio.create_task(DueWork(service, database, never_done, lambda: NOW, Metrics("tiny")).run())
    await until(leased)
    await database.update(DUE, {}, [{"$set": {"lease.until": {"$add": ["$$NOW", 60_000]}}}])
    before = (await database.find(DUE, {}))[0]["lease"]["until"]

    async def renewed() -> bool:
        return bool((await database.find(DUE, {}))[0]["lease"]["until"] != before)

    await until(renewed)
    task.cancel()


async def test_what_was_claimed_when_the_next_claim_failed_is_done(database: Database) -> None:
    """It is handed over at once: work that a process holds and has forgotten would be renewed for ever."""
    stumbling = Stumbling(database, "Prepare")
    await plan(database, Remind(person="2026/ada"))
    await plan(database, Prepare(person="2026/grace", amount=4))

    async with polling(cast(Database, stumbling), transactions=settling(database)):
        await until(lambda: nothing_is_due(database))

    assert stumbling.stumbled
    assert [(await tally(database, name))["times"] for name in ("ada", "grace")] == [1, 4]


async def test_the_lease_of_a_long_preparation_is_renewed_until_it_is_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "_RENEW_SECONDS", 0.0)
    goes_on, seen = asyncio.Event(), set[datetime]()

    async def slow(work: Prepare, database: Database) -> Work:
        await goes_on.wait()
        return await prepare(work, database)

    async def renewed() -> bool:
        seen.update(row["lease"]["until"] for row in await database.find(DUE, {}))
        return len(seen) > 3

    await plan(database, Prepare(person="2026/ada", amount=4))
    async with polling(database, table=replace(service, prepares={Prepare: slow})):
        await until(renewed)
        goes_on.set()
        await until(lambda: nothing_is_due(database))

    assert (await tally(database, "ada"))["times"] == 4


async def test_a_preparation_has_the_time_that_its_work_grants_and_is_tried_again_after_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Prepare, "preparing_seconds", 0.01)

    async def endless(work: Prepare, database: Database) -> Work:
        await asyncio.Event().wait()
        return work

    async def tried() -> bool:
        return await database.count(DUE, {"tries": 1}) == 1

    await plan(database, Prepare(person="2026/ada"))
    async with polling(database, table=replace(service, prepares={Prepare: endless})):
        await until(tried)


async def test_two_holders_who_settle_at_once_have_one_effect(database: Database) -> None:
    await plan(database, Remind(person="2026/ada"))
    items = await claimed(database)

    await asyncio.gather(settling(database).settle(items), settling(database).settle(items))

    assert (await tally(database, "ada"))["times"] == 1


async def test_what_was_planned_anew_meanwhile_is_not_taken_for_done(database: Database) -> None:
    await plan(database, Remind(person="2026/ada", amount=1))
    old = await claimed(database)
    await plan(database, Remind(person="2026/ada", amount=5))

    await settling(database).settle(old)
    assert await database.count(DUE) == 1
    async with polling(database):
        await until(lambda: nothing_is_due(database))

    assert (await tally(database, "ada"))["times"] == 5


async def test_a_preparation_leads_to_its_result_in_the_transaction_that_ends_the_work(database: Database) -> None:
    await plan(database, Prepare(person="2026/ada", amount=4))

    async with polling(database):
        await until(lambda: nothing_is_due(database))

    assert (await tally(database, "ada"))["times"] == 4


async def test_a_preparation_that_keeps_failing_is_parked_with_its_work_and_can_be_replayed(database: Database) -> None:
    time = [NOW]

    def later() -> datetime:
        time[0] += timedelta(hours=1)
        return time[0]

    await plan(database, Prepare(person="2026/ada", amount=13))
    async with polling(database, later):
        await until(lambda: nothing_is_due(database))

    (letter,) = await database.find(DeadLetter.collection, {})
    assert (letter["reason"], letter["kind"]) == ("preparation_failed", "Prepare")
    assert letter["work"] == {"person": "2026/ada", "amount": 13}
    assert "ada@example.com" not in letter["detail"]
    answer = await obeyed(settling(database), ReplayDeadLetter(dead_letter_id=letter["_id"]), "again")
    assert (answer.status, [row["_id"] for row in await database.find(DUE, {})]) == (200, ["Prepare:2026/ada"])


@pytest.mark.parametrize("work", [Remind(person="2026/grace", amount=1), Prepare(person="2026/grace")])
async def test_work_that_an_older_version_planned_and_nobody_can_read_is_parked_and_its_neighbours_are_done(
    database: Database, work: Work
) -> None:
    await plan(database, work)
    await database.update(DUE, {}, {"$set": {"work.person": ["2026", "grace"]}})
    await plan(database, Remind(person="2026/ada", amount=1))

    async with polling(database):
        await until(lambda: nothing_is_due(database), 10)

    (letter,) = await database.find(DeadLetter.collection, {})
    assert (letter["reason"], letter["kind"]) == ("unreadable_work", type(work).__name__)
    assert letter["work"]["person"] == ["2026", "grace"]
    assert (await tally(database, "ada"))["times"] == 1


async def test_work_whose_cause_tells_more_than_this_version_knows_is_done(database: Database) -> None:
    await plan(database, Remind(person="2026/ada", amount=1))
    await database.update(DUE, {}, {"$set": {"cause.tenant": "engines"}})

    async with polling(database):
        await until(lambda: nothing_is_due(database), 10)

    assert await database.count(DeadLetter.collection) == 0
    assert (await tally(database, "ada"))["times"] == 1


async def test_due_work_whose_handler_fails_is_parked_and_its_neighbours_are_done(database: Database) -> None:
    await plan(database, Remind(person="2026/ada", amount=5_000))
    await plan(database, Remind(person="2026/grace"))

    async with polling(database):
        await until(lambda: nothing_is_due(database))

    assert list((await letters(database)).values()) == ["handler_failed"]
    assert (await tally(database, "grace"))["times"] == 1
