"""The relay on real servers: each guard of its promise has a test that fails without it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka.admin import AdminClient

from deploy.local.stack import Endpoints
from libs.chassis import outbox, relay
from libs.chassis.leases import LEASES
from libs.chassis.mongo import Database
from libs.chassis.outbox import OUTBOX, header_pairs
from libs.contracts.topics import RELAY_TOPIC
from tests.chassis.ledgers import (
    PEOPLE,
    World,
    entry,
    ledgers,
    running,
    tell,
    tell_until,
    until,
    until_published,
    world_of,
)
from tests.chassis.relay_faults import Script, admin_of, database_of, producer_of


@pytest.fixture
async def world(stack: Endpoints, prefix: str, database_prefix: str) -> AsyncIterator[World]:
    async with world_of(stack, prefix, database_prefix) as made:
        yield made


async def told(world: World, times: int = 3) -> Database:
    database = world.database()
    for _ in range(times):
        await tell(database, PEOPLE[:3])
    return database


async def published_once(world: World, watched: Database, script: Script | None = None, **parts: object) -> None:
    script = script or Script()
    relay = world.relay(producer=producer_of(script), admin=admin_of(script), **parts)
    async with running(relay):
        await until_published(watched)
    await world.said_once_in_order(await ledgers(watched))


async def page_of(database: Database, records: Sequence[outbox.Record]) -> int:
    """Write one page, as a transaction of its own; its tick."""
    async with database.transaction() as transaction:
        tick = await outbox.next_tick(transaction)
        await outbox.append(transaction, records, tick, datetime.now(UTC))
    return (await database.find(OUTBOX, {}, sort=[("tick", -1)], limit=1))[0]["tick"]


async def test_facts_are_published_once_and_their_pages_deleted(world: World) -> None:
    database = await told(world, 5)
    await published_once(world, database)
    assert await ledgers(database) == dict.fromkeys(PEOPLE[:3], 5)


async def test_a_page_comes_behind_every_page_that_its_transaction_saw(world: World) -> None:
    database = world.database()
    ticks = [await page_of(database, [entry("ada", number)]) for number in (1, 2, 3)]
    await database.delete(OUTBOX, {})
    assert [*ticks, await page_of(database, [entry("ada", 4)])] == [1, 2, 3, 1]


async def test_the_tick_is_taken_from_the_snapshot_that_the_facts_were_decided_on(world: World) -> None:
    database, other = world.database(), world.database()
    async with database.transaction() as transaction:
        await transaction.find("ledgers", {})
        assert await page_of(other, [entry("grace", 1)]) == 1
        tick = await outbox.next_tick(transaction)
        await outbox.append(transaction, [entry("ada", 1)], tick, datetime.now(UTC))
    assert [page["tick"] for page in await database.find(OUTBOX, {})] == [1, 1]


@pytest.mark.parametrize("done", [True, False], ids=["after it was done", "before it was done"])
@pytest.mark.parametrize("step", ["begin", "send", "position", "commit"])
async def test_after_any_failure_the_producer_is_thrown_away_and_nothing_is_retried_or_aborted(
    world: World, step: str, done: bool
) -> None:
    database, script = await told(world), Script(fails=step, done=done)
    await published_once(world, database, script)
    assert script.producers == 2
    assert script.after_failure() == ["stop"]
    assert world.metric("relay_restarts_total") == 1


async def test_no_part_of_a_batch_is_published_when_one_of_its_sends_fails(world: World) -> None:
    database, script = world.database(), Script()
    await page_of(database, [entry("ada", 1), entry("grace", 1, padding=1_500_000), entry("mina", 1)])
    async with running(world.relay(producer=producer_of(script))):
        await until(lambda: restarted(world, 1), within=10)
        assert await database.count(OUTBOX) == 3
        await database.delete(OUTBOX, {})
        await until(lambda: reigns(world))
    assert await asyncio.to_thread(world.heard) == []
    assert "commit" not in [name for _, name in script.calls]


async def restarted(world: World, times: int) -> bool:
    return world.metric("relay_restarts_total") >= times


async def reigns(world: World) -> bool:
    return world.metric("relay_reigns") == 1


async def test_a_call_to_kafka_that_takes_longer_than_the_lease_does_not_cost_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_LEASE_SECONDS", 1.0)
    monkeypatch.setattr(relay, "_RENEW_SECONDS", 0.2)
    database = await told(world)
    slow, other = Script(), Script()

    class Slow(producer_of(slow)):  # type: ignore[misc]  # a class that is made by a function
        async def commit_transaction(self) -> None:
            await asyncio.sleep(3.0)
            await super().commit_transaction()

    async def has_begun() -> bool:
        return bool(slow.batches)

    async with running(world.relay(producer=Slow)):
        await until(has_begun)
        async with running(world.relay("replica-2", producer=producer_of(other))):
            await until_published(database)
    assert (slow.producers, other.producers) == (1, 0)
    await world.said_once_in_order(await ledgers(database))


async def test_a_stop_does_not_wait_until_others_write_no_more(world: World) -> None:
    database, stopped = world.database(), asyncio.Event()
    writers = [asyncio.create_task(tell_until(stopped, world.database())) for _ in range(3)]

    async def has_published() -> bool:
        return world.metric("relay_records_total") > 0

    async with running(world.relay()):
        await until(has_published)
    stopped.set()
    await asyncio.gather(*writers)
    await published_once(world, database)


async def test_a_stop_publishes_all_that_was_there_in_more_than_one_batch(world: World) -> None:
    database, script = world.database(), Script()
    for _ in range(6):
        await tell(database, PEOPLE[:3], padding=900_000)
    stopping = world.relay(producer=producer_of(script))
    script.before_start = stopping.stop
    await asyncio.wait_for(stopping.run(), 30)
    assert len(script.batches) > 1
    await world.said_once_in_order(await ledgers(database))


async def test_pages_are_deleted_before_the_next_batch_is_read(world: World) -> None:
    database, script = await told(world), Script()
    await published_once(world, database, script, database=world.database(database_of(deletes_that_fail=2)))
    assert len(script.batches) == 1


async def test_a_missing_position_is_an_error_and_not_taken_for_none(world: World) -> None:
    database, script = await told(world), Script(fails="commit", positions_hidden=frozenset({2, 3}))
    await published_once(world, database, script)
    assert script.positions == 4


async def test_the_position_is_read_after_the_producer_has_ended_what_its_predecessor_left_pending(
    world: World,
) -> None:
    """The predecessor's commit reaches Kafka in the last moment in which it still can: before the fencing."""
    database = await told(world)
    pages = await database.find(OUTBOX, {}, sort=[("tick", 1)])
    relay = world.relay()
    predecessor = AIOKafkaProducer(bootstrap_servers=world.endpoints.kafka, transactional_id=relay.group)
    await predecessor.start()
    await predecessor.begin_transaction()
    for record in (record for page in pages for record in page["records"]):
        headers = header_pairs(record)
        await predecessor.send_and_wait(
            world.prefix + record["topic"], record["value"], key=record["key"], headers=headers
        )
    position = OffsetAndMetadata(1, ",".join(page["_id"] for page in pages))
    await predecessor.send_offsets_to_transaction(
        {TopicPartition(world.prefix + RELAY_TOPIC, 0): position}, relay.group
    )

    async def commit() -> None:
        await predecessor.commit_transaction()
        await predecessor.stop()

    await published_once(world, database, Script(before_start=commit))


async def test_a_hundred_pages_have_room_in_the_position(world: World) -> None:
    database, script = await told(world, 250), Script()
    await published_once(world, database, script)
    assert [len(names) for names in script.batches[:2]] == [100, 100]
    assert script.producers == 1


async def test_a_batch_is_bounded_in_bytes(world: World) -> None:
    database, script = world.database(), Script()
    for _ in range(6):
        await tell(database, PEOPLE[:3], padding=900_000)
    await published_once(world, database, script)
    assert len(script.batches) > 1


async def test_another_prefix_is_refused_until_the_outbox_is_empty(world: World) -> None:
    async with running(world.relay()):
        await until(lambda: reigns(world))
    database = await told(world)
    stranger = world.relay(prefix=f"{world.prefix}new.")
    async with running(stranger):
        await until(lambda: restarted(world, 2))
        assert await database.count(OUTBOX) == 3
        await database.delete(OUTBOX, {})
        await until(lambda: reigns(world))


async def test_another_cluster_is_refused_until_the_outbox_is_empty(world: World) -> None:
    async with running(world.relay()):
        await until(lambda: reigns(world))
    database = await told(world)
    await database.update(LEASES, {"_id": "relay"}, {"$set": {"cluster": "another"}})
    async with running(world.relay()):
        await until(lambda: restarted(world, 2))
        assert await database.count(OUTBOX) == 3
        await database.delete(OUTBOX, {})
        await until(lambda: reigns(world))


async def test_it_alarms_when_kafka_lost_the_position_and_counts_on_from_the_last_number_known(world: World) -> None:
    database = await told(world)
    await published_once(world, database)
    await database.update(LEASES, {"_id": "relay"}, {"$set": {"number": 40}})
    forget_position(world)
    await tell(database, PEOPLE[:3])
    relay = world.relay()
    async with running(relay):
        await until_published(database)
        assert world.metric("relay_position_lost") == 1
    await tell(database, PEOPLE[:3])
    await published_once(world, database)
    assert world.metric("relay_position_lost") == 0


def forget_position(world: World) -> None:
    admin = AdminClient({"bootstrap.servers": world.endpoints.kafka})
    for answer in admin.delete_consumer_groups([world.relay().group]).values():
        answer.result(30)
