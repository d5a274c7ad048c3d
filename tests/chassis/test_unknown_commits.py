"""MongoDB fails at its worst moments: nothing is lost, doubled or parked. Its own fail points play the failures."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from deploy.local.stack import Stack
from libs.chassis.mongo import Database
from libs.chassis.transactions import Transactions
from libs.chassis.unit_of_work import UnitOfWork
from tests.chassis.tiny import Count, enrolled, facts, item, letters, obeyed, settling, tally, tiny_database

LOST_TWICE: dict[str, Any] = {"times": 2, "closeConnection": True}
"""The driver repeats a commit once by itself; the second loss reaches the chassis."""
DONE_BUT_UNKNOWN: dict[str, Any] = {"times": 1, "writeConcernError": {"code": 64, "errmsg": "timed out"}}
CONFLICT: dict[str, Any] = {"times": 1, "errorCode": 112, "errorLabels": ["TransientTransactionError"]}


@pytest.fixture
async def database(private_stack: Stack) -> AsyncIterator[Database]:
    private_stack.mongod.start()
    async with tiny_database(private_stack.endpoints.mongodb, f"t{uuid4().hex[:7]}_tiny") as database:
        yield database


@contextmanager
def failing(stack: Stack, *commands: str, times: int, **how: Any) -> Iterator[None]:
    """The next commands of these names fail so many times."""
    with MongoClient[dict[str, Any]](stack.endpoints.mongodb) as client:
        point = {"configureFailPoint": "failCommand", "mode": {"times": times}}
        client.admin.command({**point, "data": {"failCommands": list(commands), **how}})
        try:
            yield
        finally:
            client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


def retries(transactions: Transactions) -> float:
    values = [
        transactions.metrics.registry.get_sample_value("viceversa_retries_total", {"why": why})
        for why in ("transient", "conflict")
    ]
    return sum(value or 0 for value in values)


@pytest.mark.parametrize("how", [LOST_TWICE, DONE_BUT_UNKNOWN], ids=["lost", "done"])
async def test_an_event_whose_commit_is_unknown_takes_effect_once(
    private_stack: Stack, database: Database, how: dict[str, Any]
) -> None:
    transactions = settling(database)

    with failing(private_stack, "commitTransaction", **how):
        await transactions.settle([item(enrolled(), "1")])

    assert retries(transactions) == 1
    assert ((await tally(database, "ada"))["times"], await facts(database)) == (1, [("2026/ada", 1)])


@pytest.mark.parametrize("how", [LOST_TWICE, DONE_BUT_UNKNOWN], ids=["lost", "done"])
async def test_a_caller_whose_commit_is_unknown_gets_the_answer_of_the_one_effect(
    private_stack: Stack, database: Database, how: dict[str, Any]
) -> None:
    with failing(private_stack, "commitTransaction", **how):
        answer = await obeyed(settling(database), Count(key="2026/ada"), "k")

    assert (answer.status, answer.body["times"], answer.headers) == (201, 1, {"ETag": '"1"'})
    assert ((await tally(database, "ada"))["times"], await facts(database)) == (1, [("2026/ada", 1)])


async def test_a_batch_of_nothing_new_waits_for_its_majority_commit(private_stack: Stack, database: Database) -> None:
    await settling(database).settle([item(enrolled(), "1")])
    transactions = settling(database)

    with failing(private_stack, "commitTransaction", **LOST_TWICE):
        await transactions.settle([item(enrolled(), "1")])

    assert retries(transactions) == 1


@pytest.mark.parametrize("command", ["insert", "update", "find"])
@pytest.mark.parametrize("how", [CONFLICT, {"times": 1, "closeConnection": True}], ids=["conflict", "away"])
async def test_a_transient_failure_is_tried_again(
    private_stack: Stack, database: Database, command: str, how: dict[str, Any]
) -> None:
    transactions = settling(database)
    await transactions.settle([item(enrolled(), "1")])

    with failing(private_stack, command, **how):
        await transactions.settle([item(enrolled(), "2")])

    assert retries(transactions) == 1
    assert (await letters(database), await facts(database)) == ({}, [("2026/ada", 1), ("2026/ada", 2)])


async def test_an_outage_in_a_read_of_a_handlers_own_turn_is_no_failure_of_the_handler(
    private_stack: Stack, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(self: UnitOfWork, work: object) -> None: ...

    monkeypatch.setattr(UnitOfWork, "prefetch", nothing)
    tallies = f"{database._database.name}.tallies"

    with failing(private_stack, "find", times=3, closeConnection=True, namespace=tallies):
        await settling(database).settle([item(enrolled(), "1")])

    assert (await letters(database), await facts(database)) == ({}, [("2026/ada", 1)])
