"""A broker that is lost without a word: connections open, requests arrive, and nobody answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import CorruptRecordException, TopicAuthorizationFailedError
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from deploy.local.stack import Endpoints
from libs.chassis.run import Runtime
from libs.chassis.unopened import Unopened
from tests.chassis import ledgers, processes, tiny

RECOVERED_WITHIN_MS = 30_000


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """Its address."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while await reader.read(1024):
                pass
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1") as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def test_the_relay_passes_by_a_silent_broker_within_one_start(
    stack: Endpoints, prefix: str, database_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # aiokafka asks the brokers in a random order
    monkeypatch.setattr("aiokafka.conn.random.shuffle", lambda _: None)
    async with ledgers.world_of(stack, prefix, database_prefix) as world, silent() as lost:
        database, relay = world.database(), world.relay()
        relay.bootstrap = f"{lost},{stack.kafka}"
        await ledgers.tell(database, ledgers.PEOPLE[:3])
        async with ledgers.running(relay):
            await ledgers.until_published(database)
        await world.said_once_in_order(dict.fromkeys(ledgers.PEOPLE[:3], 1))
    assert world.metric("relay_restarts_total") == 0


async def test_a_consumer_waits_longer_than_a_rebalance_and_twice_less_than_a_recovery_may_take(
    world: processes.World,
) -> None:
    """A request to a silent broker, then one for the new leaders. One broker alone never moves a leader."""
    runtime = world.runtime()
    async with processes.running(runtime):
        consumer = runtime.intake._consumer
        assert consumer._rebalance_timeout_ms < consumer._request_timeout_ms < RECOVERED_WITHIN_MS / 2
        assert consumer._client._metadata_max_age_ms < RECOVERED_WITHIN_MS / 2


@pytest.mark.parametrize(("part", "task"), [("_fetcher", "_fetch_task"), ("_coordinator", "_coordination_task")])
async def test_a_consumer_of_which_a_part_has_died_starts_over(world: processes.World, part: str, task: str) -> None:
    """As when uvloop refuses a write to a connection that was cut at that moment: no error of Kafka's, and no words."""
    runtime = world.runtime()
    async with processes.running(runtime):
        dead = runtime.intake._consumer
        getattr(getattr(dead, part), task).cancel()
        setattr(getattr(dead, part), task, asyncio.ensure_future(_refused()))

        await tiny.until(lambda: _other_than(runtime, dead), 30)
        world.say([processes.record(tiny.enrolled("ada"), "after")])
        await tiny.until(lambda: _counted(runtime), 30)


async def test_records_that_are_lost_with_an_error_of_the_client_are_fetched_again(world: processes.World) -> None:
    """As when a batch can't be opened: records of other partitions went with it, their positions past them."""
    runtime = world.runtime()
    async with processes.running(runtime):
        broken = runtime.intake._consumer
        fetch, asked, lost = broken.getmany, [], []

        async def lose(**how: Any) -> Any:
            asked.append(how)
            found = await fetch(**how)
            if found and not lost:
                lost.append(found)
                raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "a header's name")
            return found

        broken.getmany = lose
        await tiny.until(lambda: _true(bool(asked)))
        world.say([processes.record(tiny.enrolled("ada"), "lost")])
        await tiny.until(lambda: _other_than(runtime, broken), 30)
        await tiny.until(lambda: _counted(runtime), 30)
    assert lost


async def test_a_partition_with_a_record_that_cannot_be_opened_stands_still_alone_and_loses_nothing_before_it(
    world: processes.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header's name that is no UTF-8: aiokafka raises, and what it had read before goes with it."""
    for module in (message_accumulator, producer):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    place, runtime = TopicPartition(world.prefix + "participant-enrolled", 0), world.runtime()
    world.say([processes.record(tiny.enrolled(name), name, partition=0) for name in ("grace", "mina")])
    async with AIOKafkaProducer(bootstrap_servers=world.endpoints.kafka) as client:
        await client.send_and_wait(place.topic, b"{}", b"k", place.partition, headers=[(Latin("Zoë"), b"")])
    async with processes.running(runtime, until_ready=False):
        await tiny.until(lambda: _true(_paused(runtime) == {place}), 60)
        consumer = runtime.intake._consumer
        world.say([processes.record(tiny.enrolled("ada"), "elsewhere", partition=1)])
        for name in ("grace", "mina", "ada"):
            await tiny.until(partial(_counted, runtime, name), 30)
        assert (runtime.intake._consumer, runtime.intake.lag()) == (consumer, 0)


def test_only_what_raises_again_and_again_at_one_offset_is_given_up() -> None:
    place, found = TopicPartition("pair-created", 3), Unopened()
    raised = [found.note(_reading(place, offset), UnicodeError()) for offset in (7, 7, 9, 9)]
    assert (raised[-1], found.given_up(place), found.careful) == (("pair-created", 3, 9), False, True)
    found.note(_reading(place, 9), UnicodeError())
    assert (found.given_up(place), found.careful) == (True, False)
    assert found.note(_reading(place, 9), TopicAuthorizationFailedError()) is None


def test_what_opens_after_all_was_damaged_on_its_way() -> None:
    place, found = TopicPartition("pair-created", 3), Unopened()
    found.note(_reading(place, 7), CorruptRecordException())
    found.forget([SimpleNamespace(topic="pair-created", partition=3, offset=6)])
    assert found.careful
    found.forget([SimpleNamespace(topic="pair-created", partition=3, offset=7)])
    assert not found.careful


def _reading(place: TopicPartition, offset: int) -> Any:
    """A client that raises there."""
    result = SimpleNamespace(_partition_records=SimpleNamespace(next_fetch_offset=offset))
    return SimpleNamespace(_fetcher=SimpleNamespace(_records={place: result}))


class Latin(str):
    """A name as a careless client encodes it."""

    def encode(self, *_: str) -> bytes:
        return str.encode(self, "latin-1")


async def test_a_batch_that_is_not_taken_leaves_its_place_to_the_next(world: processes.World) -> None:
    intake = world.runtime().intake
    submit = intake.submit

    def refuse(items: object) -> Any:
        raise asyncio.CancelledError

    intake.submit = refuse
    for _ in range(3):
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(intake.take(()), 5)
    intake.submit = submit
    await asyncio.wait_for(intake.take(()), 5)


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
async def test_what_other_systems_compress_is_read(world: processes.World, codec: str) -> None:
    runtime = world.runtime()
    async with processes.running(runtime):
        world.say([processes.record(tiny.enrolled("ada"), codec)], codec)
        await tiny.until(lambda: _counted(runtime), 30)


async def test_offsets_are_committed_again_after_an_error_that_is_none_of_kafkas(world: processes.World) -> None:
    """uvloop refuses a write to a connection that has just been cut."""
    runtime = world.runtime()
    async with processes.running(runtime):
        consumer = runtime.intake._consumer
        commit, refused = consumer.commit, []

        async def refuse_once(offsets: Any) -> None:
            if not refused:
                refused.append(offsets)
                raise RuntimeError("the handler is closed")
            await commit(offsets)

        consumer.commit = refuse_once
        world.say([processes.record(tiny.enrolled("grace"), "refused")])
        await tiny.until(lambda: _true(bool(refused)), 30)
        world.say([processes.record(tiny.enrolled("ada"), "committed")])
        await tiny.until(lambda: _counted(runtime), 30)
        assert not runtime._tasks["offsets"].done()


async def _true(fact: bool) -> bool:
    return fact


def _paused(runtime: Runtime) -> set[TopicPartition]:
    consumer = runtime.intake._consumer
    return consumer.paused() if consumer else set()


async def _refused() -> None:
    raise RuntimeError("the handler is closed")


async def _other_than(runtime: Runtime, dead: object) -> bool:
    return runtime.intake.assigned() and runtime.intake._consumer is not dead


async def _counted(runtime: Runtime, name: str = "ada") -> bool:
    return bool(await runtime.database.find("tallies", {"_id": f"2026/{name}", "times": 1}))
