"""Commands: the same key gets the same answer, however often and through whichever process it comes."""

import asyncio
from collections.abc import Sequence

import pytest

from libs.chassis import http
from libs.chassis.dead_letters import DeadLetter
from libs.chassis.http import Commands
from libs.chassis.items import Item
from libs.chassis.loop import Loop
from libs.chassis.mongo import Database
from tests.chassis.tiny import Count, facts, obeyed, settling, tally

ONE_MORE = Count(key="2026/ada")


async def test_a_repeated_key_gets_the_first_answer_and_has_no_second_effect(database: Database) -> None:
    first = await obeyed(settling(database), ONE_MORE, "k")
    await obeyed(settling(database), ONE_MORE, "another")

    again = await obeyed(settling(database), ONE_MORE, "k")

    assert (first.status, first.body, first.headers) == (201, {"key": "2026/ada", "times": 1}, {"ETag": '"1"'})
    assert again == first
    assert (await tally(database, "ada"))["times"] == 2


async def test_a_key_with_another_body_is_refused(database: Database) -> None:
    await obeyed(settling(database), ONE_MORE, "k")

    answer = await obeyed(settling(database), Count(key="2026/ada", amount=2), "k")

    assert (answer.status, answer.body["reason"]) == (422, "idempotency_key_reused")
    assert (await tally(database, "ada"))["times"] == 1


async def test_requests_at_once_with_one_key_through_two_processes_get_one_answer(database: Database) -> None:
    processes = [settling(database), settling(database)]

    answers = await asyncio.gather(*(obeyed(processes[number % 2], ONE_MORE, "k") for number in range(8)))

    assert all(answer == answers[0] for answer in answers)
    assert ((await tally(database, "ada"))["times"], await facts(database)) == (1, [("2026/ada", 1)])


async def test_a_refusal_is_remembered_like_any_answer(database: Database) -> None:
    first = await obeyed(settling(database), Count(key="2026/ada", amount=-1), "k")

    assert (first.status, first.body["reason"]) == (409, "negative")
    assert await obeyed(settling(database), Count(key="2026/ada", amount=-1), "k") == first
    assert await facts(database) == []


async def test_a_command_that_fails_is_answered_and_never_parked(database: Database) -> None:
    answer = await obeyed(settling(database), Count(key="2026/ada", amount=5_000), "k")

    assert (answer.status, answer.body["reason"]) == (500, "failed")
    assert await database.count(DeadLetter.collection) == 0
    assert await database.find("tallies", {"times": {"$gt": 0}}) == []


async def test_a_command_whose_caller_was_told_to_repeat_it_is_not_begun_any_more() -> None:
    settled: list[str] = []

    async def settle(items: Sequence[Item]) -> None:
        settled.extend(item.id for item in items)

    loop = Loop(settle, batch_records=10)
    commands = Commands(loop, seconds=0.01, full=lambda: False)
    late = await commands.obey(ONE_MORE, "late", None)
    running = asyncio.create_task(loop.run())
    await loop.drained()

    in_time = asyncio.create_task(Commands(loop, 10, lambda: False).obey(ONE_MORE, "in time", None))
    await asyncio.sleep(0)
    await loop.drained()
    in_time.cancel()
    running.cancel()

    assert late.status_code == 503
    assert settled == ["http in time"]


async def test_no_more_commands_wait_than_a_process_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_MOST_WAITING", 2)

    async def settle(items: Sequence[Item]) -> None:
        raise AssertionError(items)

    commands = Commands(Loop(settle, batch_records=10), seconds=0.01, full=lambda: False)
    answers = [await commands.obey(ONE_MORE, None, None) for _ in range(3)]

    assert [b"too many" in bytes(answer.body) for answer in answers] == [False, False, True]
    assert answers[-1].headers["Retry-After"] == "2"
