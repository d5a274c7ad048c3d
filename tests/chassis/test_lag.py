"""The lag that a process tells of is that of its own partitions."""

from prometheus_client import generate_latest

from libs.chassis.run import Runtime
from tests.chassis.processes import World, running
from tests.chassis.tiny import until

LAG = 'viceversa_consumer_lag{partition="0",topic="participant-enrolled"}'


def told(runtime: Runtime) -> str:
    return generate_latest(runtime.metrics.registry).decode()


async def test_a_partition_that_went_to_another_process_has_its_lag_there(world: World) -> None:
    runtime = world.runtime()
    runtime.metrics.lag.labels("participant-enrolled", 0).set(7)
    assert LAG in told(runtime)

    runtime.intake.lag()

    assert LAG not in told(runtime)


async def test_a_topic_is_told_by_its_name_without_the_prefix(world: World) -> None:
    runtime = world.runtime()

    async def known() -> bool:
        return LAG in told(runtime)

    async with running(runtime):
        await until(known)
