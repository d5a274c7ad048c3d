"""Whole processes on real servers: offsets, rebalances, stops in the middle of load."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from confluent_kafka import Message

from libs.chassis.items import Item
from libs.chassis.run import Runtime
from libs.contracts.events import NotificationSent, ParticipantEnrolled
from tests.chassis.processes import Record, World, header, record, running
from tests.chassis.tiny import Tally, enrolled, until

TOPIC = ParticipantEnrolled.topic
PEOPLE = [f"person-{number}" for number in range(60)]


def load(first: int, rounds: int) -> list[Record]:
    """Some rounds of one event for each person."""
    return [
        record(enrolled(name, revision=number), f"{name} {number}")
        for number in range(first, first + rounds)
        for name in PEOPLE
    ]


async def effects(runtime: Runtime) -> int:
    return sum(row["times"] for row in await runtime.database.find(Tally.collection, {}, fields=["times"]))


async def have_effect(runtime: Runtime, number: int) -> bool:
    return await effects(runtime) >= number and await runtime.database.count("outbox") == 0


def once_and_in_order(facts: Sequence[Message], rounds: int) -> None:
    """Each `ce_id` once, and `ce_sequence` rising by one per subject."""
    assert set(Counter(header(fact, "ce_id") for fact in facts).values()) == {1}
    sequences: dict[str, list[int]] = defaultdict(list)
    for fact in facts:
        sequences[header(fact, "ce_subject")].append(int(header(fact, "ce_sequence")))
    assert dict(sequences) == {f"2026/{name}": list(range(1, rounds + 1)) for name in PEOPLE}


async def test_offsets_are_committed_only_after_the_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime, held, may_go_on = world.runtime(), asyncio.Event(), asyncio.Event()
    settle = runtime.loop.settle

    async def wait(items: Sequence[Item]) -> None:
        held.set()
        await may_go_on.wait()
        await settle(items)

    monkeypatch.setattr(runtime.loop, "settle", wait)
    async with running(runtime):
        world.say([record(enrolled(), "1"), record(enrolled("grace"), "2")])
        await asyncio.wait_for(held.wait(), 30)
        await runtime.intake._commit()
        assert await world.committed(TOPIC) == 0

        may_go_on.set()

        await until(lambda: _committed(world, 2))


async def _committed(world: World, number: int) -> bool:
    return await world.committed(TOPIC) == number


async def test_a_replica_that_joins_and_leaves_in_the_middle_of_load_doubles_and_loses_nothing(world: World) -> None:
    first, second = world.runtime(batch_records=50), world.runtime(batch_records=50)
    world.say(load(1, 8))
    async with running(first):
        await until(lambda: have_effect_at_all(first))
        async with running(second):
            world.say(load(9, 8))
            await until(lambda: _both_work(first, second))
        world.say(load(17, 4))
        await until(lambda: have_effect(first, 20 * len(PEOPLE)))

        assert await effects(first) == 20 * len(PEOPLE)
        assert await first.database.count("dead_letters") == 0
    once_and_in_order(await world.read(NotificationSent.topic), 20)


async def have_effect_at_all(runtime: Runtime) -> bool:
    return await effects(runtime) > 0


async def _both_work(first: Runtime, second: Runtime) -> bool:
    return first.intake.assigned() and second.intake.progress > 0


async def test_graceful_stops_in_the_middle_of_load_double_and_lose_nothing(world: World) -> None:
    world.say(load(1, 12))
    done, total = 0, 12 * len(PEOPLE)
    for _ in range(3):
        runtime = world.runtime(batch_records=40)
        async with running(runtime):
            await until(lambda: _more_than(runtime, min(done, total - 1)))  # noqa: B023  # awaited within the round
            done = await effects(runtime)
    last = world.runtime()
    async with running(last):
        await until(lambda: have_effect(last, 12 * len(PEOPLE)))
        assert await effects(last) == 12 * len(PEOPLE)
    once_and_in_order(await world.read(NotificationSent.topic), 12)


async def _more_than(runtime: Runtime, number: int) -> bool:
    return await effects(runtime) > number


async def test_a_stop_finishes_what_was_taken_and_is_bounded(world: World) -> None:
    runtime = world.runtime()
    await runtime.start()
    world.say(load(1, 2))
    await until(lambda: have_effect_at_all(runtime))
    async with asyncio.timeout(runtime.settings.shutdown_seconds + 5):
        await runtime.stop()
    successor = world.runtime()
    async with running(successor):
        await until(lambda: have_effect(successor, 2 * len(PEOPLE)))
    once_and_in_order(await world.read(NotificationSent.topic), 2)
