"""What a handler can't do is parked alone: its neighbours take effect, and their order stays."""

import asyncio

import pytest
from pymongo.errors import OperationFailure
from structlog.testing import capture_logs

from libs.chassis.dead_letters import DeadLetter
from libs.chassis.errors import Unstorable
from libs.chassis.inbox import INBOX
from libs.chassis.items import Item
from libs.chassis.mongo import Database, sorted_failure
from libs.chassis.outbox import OUTBOX, header_pairs
from libs.chassis.service import Service
from libs.chassis.words import Handler
from libs.contracts.events import ParticipantEnrolled
from tests.chassis.tiny import (
    Remind,
    Tally,
    count,
    enrolled,
    facts,
    item,
    letters,
    service,
    settling,
    tally,
)


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        ("Broken", "handler_failed"),
        ("Poison", "poison"),
        ("Foreign", "handler_failed"),
        ("Voiceless", "handler_failed"),
        ("Unstorable", "unstorable"),
        ("Chatty", "poison"),
        ("Refused", "not_owner"),
    ],
)
async def test_one_that_fails_is_parked_and_leaves_its_neighbours_and_their_order(
    database: Database, unit: str, reason: str
) -> None:
    batch = [
        item(enrolled("ada", revision=1), "1", 1),
        item(enrolled("grace", unit), "2", 2),
        item(enrolled("ada", revision=2), "3", 3),
        item(enrolled("mina"), "4", 4),
    ]
    transactions = settling(database)

    await transactions.settle(batch)
    await transactions.settle(batch)

    assert await letters(database) == {"2026/grace": reason}
    assert (await tally(database, "ada"))["seen"] == [1, 2]
    assert sorted(await facts(database)) == [("2026/ada", 1), ("2026/ada", 2), ("2026/mina", 1)]
    grace = await database.find(Tally.collection, {"_id": "2026/grace", "times": {"$gt": 0}})
    assert grace == []
    (parked,) = [record for page in await database.find(OUTBOX, {}) for record in page["records"] if _parked(record)]
    assert dict(header_pairs(parked))["dlq_reason"] == reason.encode()


def _parked(record: dict[str, str]) -> bool:
    return record["topic"].endswith(".tiny.dlq")


def failing(times: int) -> tuple[Service, list[int]]:
    """The tiny service with a handler that raises so many times."""
    calls: list[int] = []

    def sometimes(event, state, now):  # type: ignore[no-untyped-def]
        if event.participant_id == "grace":
            calls.append(event.revision)
            if len(calls) <= times:
                raise ValueError
        yield from count.handle(event, state, now)

    handler: Handler[ParticipantEnrolled] = Handler(sometimes, count.first)
    return Service(name="tiny", keeps=service.keeps, hears={ParticipantEnrolled: handler}, says=service.says), calls


async def test_a_handler_that_raises_is_replayed_once_on_fresh_state(database: Database) -> None:
    table, calls = failing(times=1)

    await settling(database, table).settle([item(enrolled("ada"), "1"), item(enrolled("grace"), "2")])

    assert (len(calls), await letters(database)) == (2, {})
    assert (await tally(database, "ada"))["times"] == 1


async def test_what_fails_twice_is_tried_no_third_time(database: Database) -> None:
    table, calls = failing(times=9)

    await settling(database, table).settle([item(enrolled("grace"), "2")])

    assert (len(calls), await letters(database)) == (2, {"2026/grace": "handler_failed"})


async def test_many_that_fail_cost_one_replay_and_leave_nothing_half_made(database: Database) -> None:
    runs: list[str] = []

    def half_made(event, state, now):  # type: ignore[no-untyped-def]
        runs.append(event.participant_id)
        if event.unit == "Half made":
            state[Tally, event.key].times += 100
            raise ValueError
        yield from count.handle(event, state, now)

    handler: Handler[ParticipantEnrolled] = Handler(half_made, count.first)
    table = Service(name="tiny", keeps=service.keeps, hears={ParticipantEnrolled: handler}, says=service.says)
    broken = [item(enrolled("grace", "Half made", revision=n), f"broken {n}", n) for n in range(10, 40)]
    sound = [item(enrolled("grace", revision=n), f"sound {n}", n) for n in (1, 2)]

    await settling(database, table).settle([sound[0], *broken, sound[1]])

    assert (await tally(database, "grace"))["times"] == 2
    assert await facts(database) == [("2026/grace", 1), ("2026/grace", 2)]
    assert await database.count(DeadLetter.collection) == 30
    assert len(runs) == 2 + 32


async def test_a_dead_letter_keeps_the_record_as_it_came(database: Database) -> None:
    broken = item(enrolled("grace", "Broken"), "2", 42)
    await settling(database).settle([broken])

    (row,) = await database.find(DeadLetter.collection, {})
    assert broken.raw is not None
    assert (row["topic"], row["partition"], row["offset"]) == ("participant-enrolled", 0, 42)
    assert (row["value"], row["key"]) == (broken.raw.value, broken.raw.key)
    assert [tuple(pair) for pair in row["headers"]] == list(broken.raw.headers)


async def test_what_is_parked_already_is_not_parked_again_when_the_inbox_has_forgotten_it(database: Database) -> None:
    broken, transactions = item(enrolled("grace", "Broken"), "2"), settling(database)
    await transactions.settle([broken])
    await database.delete(INBOX, {})

    async with asyncio.timeout(20):
        await transactions.settle([broken])

    assert await database.count(DeadLetter.collection) == 1
    assert await database.count(OUTBOX) == 1


@pytest.mark.parametrize("code", [257, 388], ids=["for the log", "for the cache"])
def test_a_transaction_that_is_too_large_can_never_be_stored_as_it_is(code: int) -> None:
    assert isinstance(sorted_failure(OperationFailure("TransactionTooLarge", code)), Unstorable)


async def test_neither_logs_nor_details_repeat_what_a_failure_says_of_a_person(database: Database) -> None:
    with capture_logs() as logs:
        await settling(database).settle([item(enrolled("grace", "Broken"), "2")])

    (row,) = await database.find(DeadLetter.collection, {})
    assert row["detail"].startswith("ValueError in tiny.py")
    assert "Grace" not in str(logs) + row["detail"]


@pytest.mark.parametrize("order", [("grace", "ada"), ("ada", "grace")])
async def test_a_stored_document_that_cannot_be_read_parks_only_what_needs_it(
    database: Database, order: tuple[str, str]
) -> None:
    await database.update(Tally.collection, {"_id": "2026/grace"}, {"$set": {"times": "many"}}, upsert=True)

    await settling(database).settle([item(enrolled(name), name) for name in order])

    assert await letters(database) == {"2026/grace": "handler_failed"}
    assert await facts(database) == [("2026/ada", 1)]
    (ada,) = await database.find(Tally.collection, {"_id": "2026/ada"})
    assert ada["times"] == 1


async def test_what_can_be_neither_stored_nor_parked_with_its_content_is_parked_without(database: Database) -> None:
    huge = item(enrolled("ada"), "1")
    assert huge.raw is not None
    huge.raw = type(huge.raw)(*(huge.raw.topic, 0, 0, 0, b"2026/ada", b"x" * 17_000_000, ()))
    due = Item("due x", Remind(person="2026/ada", amount=2**70), b"x" * 16, huge.cause)

    for each in (huge, due):
        each.message = each.message if each is due else enrolled("ada", "Poison")
        await settling(database).settle([each])

    assert sorted(row["reason"] for row in await database.find(DeadLetter.collection, {})) == [
        "unstorable",
        "unstorable",
    ]
