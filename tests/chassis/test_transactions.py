"""One transaction: what takes effect once, what collides, what is said."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from libs.chassis import outbox
from libs.chassis.documents import to_row
from libs.chassis.errors import Conflict
from libs.chassis.mongo import Database
from libs.chassis.unit_of_work import UnitOfWork
from tests.chassis.tiny import Tally, enrolled, facts, item, letters, settling, tally, withdrawn


@pytest.fixture
def both_have_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two transactions read before either writes."""
    meeting, met, prefetch = asyncio.Barrier(2), [0], UnitOfWork.prefetch

    async def together(self: UnitOfWork, work: Sequence[Any]) -> None:
        await prefetch(self, work)
        met[0] += 1
        if met[0] <= 2:
            await asyncio.wait_for(meeting.wait(), 10)

    monkeypatch.setattr(UnitOfWork, "prefetch", together)


async def test_the_same_id_takes_effect_once_in_a_batch_over_batches_and_over_processes(database: Database) -> None:
    first, second = settling(database), settling(database)

    await first.settle([item(enrolled(), "a"), item(enrolled(), "a", offset=1)])
    await first.settle([item(enrolled(), "a", offset=2), item(enrolled("grace"), "b")])
    await second.settle([item(enrolled(), "a", offset=3)])

    assert (await tally(database, "ada"))["times"] == 1
    assert await facts(database) == [("2026/ada", 1), ("2026/grace", 1)]


@pytest.mark.usefixtures("both_have_read")
async def test_two_owners_of_one_partition_who_settle_the_same_records_at_once_have_one_effect(
    database: Database,
) -> None:
    batch = [item(enrolled(name), name, offset) for offset, name in enumerate(("ada", "grace", "mina"))]

    await asyncio.gather(settling(database).settle(batch), settling(database).settle(batch))

    assert [(await tally(database, name))["times"] for name in ("ada", "grace", "mina")] == [1, 1, 1]
    assert len(await facts(database)) == 3


@pytest.mark.usefixtures("both_have_read")
async def test_two_writers_of_one_document_lose_no_update(database: Database) -> None:
    await database.update(Tally.collection, {"_id": "2026/ada"}, {"$set": {"version": 1}}, upsert=True)

    await asyncio.gather(*(settling(database).settle([item(enrolled(), id)]) for id in ("1", "2")))

    assert ((await tally(database, "ada"))["times"], (await tally(database, "ada"))["version"]) == (2, 3)
    assert await facts(database) == [("2026/ada", 1), ("2026/ada", 2)]


async def test_a_guard_that_matches_nothing_is_a_conflict_and_writes_nothing(database: Database) -> None:
    await settling(database).settle([item(enrolled(), "1")])
    stale = {"_id": "2026/ada", "version": 7}

    async def write_behind_the_times() -> None:
        async with database.transaction() as transaction:
            await transaction.insert(Tally.collection, [{"_id": "2026/grace"}])
            await transaction.replace(Tally.collection, [(stale, {"_id": "2026/ada", "times": 99})])

    with pytest.raises(Conflict):
        await write_behind_the_times()

    assert [row["times"] for row in await database.find(Tally.collection, {})] == [1]


@pytest.mark.usefixtures("both_have_read")
async def test_two_decisions_that_each_read_what_the_other_writes_do_not_both_stand(database: Database) -> None:
    people = [to_row(Tally(id=f"2026/{name}", version=1, on_duty=True)) for name in ("ada", "grace")]
    async with database.transaction() as transaction:
        await transaction.insert(Tally.collection, people)

    await asyncio.gather(*(settling(database).settle([item(withdrawn(name), name)]) for name in ("ada", "grace")))

    assert [(await tally(database, name))["on_duty"] for name in ("ada", "grace")].count(True) == 1


@pytest.mark.usefixtures("both_have_read")
async def test_a_decision_on_absence_leaves_a_placeholder_that_makes_decisions_collide(database: Database) -> None:
    ada, grace = settling(database), settling(database)

    await asyncio.gather(ada.settle([item(withdrawn("ada"), "1")]), grace.settle([item(withdrawn("grace"), "2")]))

    assert [(await tally(database, name))["version"] for name in ("ada", "grace")] == [2, 2]


async def test_facts_vanish_with_the_transaction_that_said_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, tries = outbox.append, [0]

    async def fail_once_behind_the_pages(*arguments: Any) -> None:
        await append(*arguments)
        tries[0] += 1
        if tries[0] == 1:
            raise Conflict("somebody else was quicker")

    monkeypatch.setattr(outbox, "append", fail_once_behind_the_pages)

    await settling(database).settle([item(enrolled(), "1"), item(enrolled("grace", "Poison"), "2")])

    assert await facts(database) == [("2026/ada", 1)]
    assert await letters(database) == {"2026/grace": "poison"}
    assert sum(len(each["records"]) for each in await database.find(outbox.OUTBOX, {})) == 2


async def test_an_id_that_comes_again_with_another_body_is_parked_once(database: Database) -> None:
    transactions = settling(database)
    await transactions.settle([item(enrolled(), "a")])
    other = item(enrolled(revision=9), "a", offset=5)

    await transactions.settle([other, other])
    await transactions.settle([other])

    assert (await tally(database, "ada"))["seen"] == [3]
    assert await letters(database) == {"2026/ada": "id_reused"}
    assert await database.count("dead_letters") == 1


async def test_later_messages_of_a_batch_see_what_earlier_ones_wrote(database: Database) -> None:
    await settling(database).settle([item(enrolled(revision=number), str(number)) for number in (1, 2, 3)])

    row = await tally(database, "ada")
    assert (row["seen"], row["said"], row["version"]) == ([1, 2, 3], 3, 1)
