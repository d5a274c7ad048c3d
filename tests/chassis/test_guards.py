"""Guards whose absence costs nothing on a quiet day with one server: each is asserted where it stands."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from confluent_kafka import Producer
from pymongo import monitoring

from deploy.local.stack import Endpoints
from libs.chassis.due import DUE, finish, row
from libs.chassis.inbox import INBOX
from libs.chassis.items import Cause, Item
from libs.chassis.mongo import Database
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.words import Answer, Facts, Handler, Later, Work, reads
from libs.contracts.events import ParticipantEnrolled
from tests.chassis.ledgers import PEOPLE, ledgers, tell, until_published, world_of
from tests.chassis.ledgers import running as publishing
from tests.chassis.overheard import Commands, Overheard
from tests.chassis.polls import polling
from tests.chassis.processes import World, record, running
from tests.chassis.tiny import (
    NOW,
    Count,
    Prepare,
    Prepared,
    Tally,
    count_when_due,
    enrolled,
    item,
    nothing,
    service,
    settling,
    tally,
    tiny_database,
    until,
)

DATA = ("find", "insert", "update", "delete")


@pytest.fixture
async def overheard(
    stack: Endpoints, database_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Database, Commands]]:
    """A database of a person who was heard of once, and what its client is about to send."""
    listener, name = Overheard(), f"{database_prefix}vv_tiny"
    async with tiny_database(stack.mongodb, name) as writer:
        await settling(writer).settle([item(enrolled(), "1")])
    monkeypatch.setattr(monitoring, "_LISTENERS", monitoring._LISTENERS._replace(command_listeners=[listener]))
    database = Database(stack.mongodb, name)
    yield database, listener.commands
    database.close()


async def settled_by(overheard: tuple[Database, Commands]) -> Commands:
    """The commands of a batch of a repeated, a new and a poisonous event."""
    database, commands = overheard
    batch = [item(enrolled(), "1"), item(enrolled(), "2"), item(enrolled("grace", "Poison"), "3")]
    await settling(database).settle(batch)
    return commands


async def test_all_that_a_batch_reads_and_writes_is_in_one_transaction_that_a_majority_holds(
    overheard: tuple[Database, Commands],
) -> None:
    commands = await settled_by(overheard)

    asked = [command for name, command in commands if name in DATA]
    commits = [command for name, command in commands if name == "commitTransaction"]
    assert {command[name] for name, command in commands if name in DATA} >= {INBOX, "tallies", "dead_letters", "outbox"}
    assert [command for command in asked if command.get("autocommit") is not False] == []
    # a batch with a failure is handled twice; what does not commit is aborted
    assert len(commits) == 1
    assert commits[0]["writeConcern"]["w"] == "majority"
    first = next(command for command in asked if command["txnNumber"] == commits[0]["txnNumber"])
    assert (first["find"], first["readConcern"]["level"]) == (INBOX, "snapshot")


async def test_a_document_is_replaced_only_in_the_version_that_was_read(overheard: tuple[Database, Commands]) -> None:
    commands = await settled_by(overheard)

    guards = [
        change["q"] for name, command in commands if command.get(name) == "tallies" for change in _changes(command)
    ]
    assert guards
    assert all(guard == {"_id": "2026/ada", "version": 1} for guard in guards)


def _changes(command: dict[str, Any]) -> list[dict[str, Any]]:
    return command.get("updates", [])


async def test_a_caller_hears_nothing_before_the_transaction_stands(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    commit, answered = Database._commit, []

    async def noted(self: Database, session: Any) -> None:
        answered.append(answer.done())
        await commit(self, session)

    monkeypatch.setattr(Database, "_commit", noted)
    await settling(database).settle([Item("http k", Count(key="2026/ada"), b"", Cause("k"), answer=answer)])

    assert (answered, answer.result().status) == ([False], 201)


async def _is_marked(world: World, topic: str) -> bool:
    """The broker writes the mark of what was taken back after its answer."""
    return await world.end(topic, 0) == 2


async def test_of_what_was_said_before_the_first_start_only_the_committed_is_heard_to_its_end(world: World) -> None:
    taken_back, said = record(enrolled("grace"), "1", partition=0), record(enrolled("ada"), "2", partition=0)
    producer = Producer({"bootstrap.servers": world.endpoints.kafka, "transactional.id": f"{world.prefix}foreign"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(world.prefix + taken_back.topic, taken_back.value, taken_back.key, 0, headers=taken_back.headers)  # type: ignore[arg-type]
    producer.flush(30)
    producer.abort_transaction(30)
    await until(lambda: _is_marked(world, taken_back.topic), seconds=20)
    world.say([said])

    runtime = world.runtime()
    async with running(runtime):
        await until(lambda: runtime.database.count(INBOX), seconds=20)
        assert [row["_id"] for row in await runtime.database.find(Tally.collection, {})] == ["2026/ada"]
    # behind what was taken back, the mark that took it back, and what was said
    assert await world.committed(said.topic) == 3


async def test_a_successor_ends_what_its_predecessor_may_still_commit(
    stack: Endpoints, prefix: str, database_prefix: str
) -> None:
    async with world_of(stack, prefix, database_prefix) as world:
        database = world.database()
        await tell(database, PEOPLE[:3])
        relay = world.relay("successor")
        frozen = AIOKafkaProducer(bootstrap_servers=stack.kafka, transactional_id=relay.group)
        await frozen.start()
        await frozen.begin_transaction()
        await frozen.send_and_wait(f"{prefix}pair-created", b"{}", key=b"ada")
        async with publishing(relay):
            await until_published(database)
        with pytest.raises(KafkaError):
            await frozen.commit_transaction()
        await frozen.stop()
        await world.said_once_in_order(await ledgers(database))


class Watched(Database):
    """Counts how often it was asked for due work."""

    sweeps = 0

    async def find(self, collection: str, *words: Any, **more: Any) -> list[dict[str, Any]]:
        self.sweeps += collection == DUE
        return await super().find(collection, *words, **more)

    async def swept(self) -> bool:
        return self.sweeps > 3


async def test_what_one_process_prepares_no_other_begins(stack: Endpoints, database: Database) -> None:
    begun: list[str] = []
    may_end = asyncio.Event()

    async def prepare(work: Prepare, database: Database) -> Work:
        begun.append(work.person)
        await may_end.wait()
        return Prepared(person=work.person, amount=1)

    async def nothing_is_due() -> bool:
        return await database.count(DUE) == 0

    async def has_begun() -> bool:
        return bool(begun)

    wakes: dict[type[Work], Handler[Any]] = {Prepare: nothing, Prepared: count_when_due}
    table = Service(name="tiny", keeps=[Tally], wakes=wakes, prepares={Prepare: prepare}, says=service.says)
    async with database.transaction() as transaction:
        planned = Prepare(person="2026/ada")
        await finish(transaction, [], {planned.work_id: row(Later(planned, NOW), Cause("x"))})
    other = Watched(stack.mongodb, database._database.name)
    async with polling(database, table=table):
        await until(has_begun)
        async with polling(other, table=table):
            await until(other.swept)
            assert begun == ["2026/ada"]
            may_end.set()
            await until(nothing_is_due)
    other.close()

    assert (await tally(database, "ada"))["times"] == 1


async def test_what_an_earlier_message_changed_decides_what_a_later_one_reads_at_its_first_try(
    database: Database,
) -> None:
    runs: list[int] = []

    @reads(
        lambda event: [Tally.by_id(event.key)],
        lambda event, state: [Tally.by_id(state[Tally, event.key].group or event.key)],
    )
    def follow(event: ParticipantEnrolled, state: State, now: datetime) -> Facts:
        runs.append(event.revision)
        own = state[Tally, event.key]
        state[Tally, own.group or event.key].times += 1
        own.group = "2026/grace"
        yield from ()

    table = Service(name="tiny", keeps=[Tally], hears={ParticipantEnrolled: follow}, says=service.says)

    await settling(database, table).settle([item(enrolled(revision=number), str(number)) for number in (1, 2)])

    assert runs == [1, 2]
    assert [(await tally(database, name))["times"] for name in ("ada", "grace")] == [1, 1]
