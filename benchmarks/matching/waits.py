"""How long people wait who arrive at the matching service on real servers: from their enrolment to the pair's fact."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from statistics import median, quantiles
from typing import Annotated, Any, Final

import numpy as np
import typer
from confluent_kafka import Consumer, TopicPartition

from benchmarks.commands import matching_process
from benchmarks.intake import Arena, arena, produce, stored
from deploy.local import stack
from deploy.local.stack import Endpoints
from libs.contracts.events import Event, ProgramPublished
from libs.contracts.words import Mode, Role

from .generator import Instance, generate
from .rounds import HEARS, until

_PATIENCE_SECONDS: Final = 60
# Some have no place or nobody who fits
_SCOUTS: Final = 10


def waits(endpoints: Endpoints, instance: Instance, arrivals: int, a_second: float) -> dict[str, Any]:
    """Milliseconds from the record of a mentee's enrolment to the fact of the pair, for a `read_committed` reader.

    All mentors wait already. The first mentees are not counted: the service reads who waits for their sake.
    """
    with arena(endpoints, 0, HEARS) as made:
        produce(made, [_rolling(instance.program())])
        produce(made, instance.side(Role.MENTOR))
        mentors, coming = len(instance.drawn.numbers) - instance.drawn.mentees, instance.side(Role.MENTEE)
        with matching_process(made, 1_000), stored(made, "matching", "people") as count, _paired(made) as paired:
            until(lambda: count() >= mentors)
            start = time.perf_counter()
            produce(made, islice(coming, _SCOUTS))
            until(lambda: bool(paired()))
            first = time.perf_counter() - start
            gaps = np.random.default_rng(arrivals).exponential(1 / a_second, arrivals)
            taken = _arrive(made, zip(gaps.tolist(), coming, strict=False), paired)
    spread = {"min": min(taken), "median": median(taken), "max": max(taken), "p99": quantiles(taken, n=100)[98]}
    return {"unit": "ms"} | spread | {"unpaired": arrivals - len(taken), "first_s": first}


def _arrive(made: Arena, coming: Iterable[tuple[float, Event]], paired: Callable[[], list[str]]) -> list[float]:
    """Let each come so many seconds after the one before; the milliseconds that the paired ones took."""
    sent: dict[str, float] = {}
    taken: dict[str, float] = {}

    def look() -> float:
        ids, now = paired(), time.perf_counter()
        taken.update({id: 1_000 * (now - sent[id]) for id in ids if id in sent})
        return now

    moment = time.perf_counter()
    for gap, person in coming:
        moment += gap
        while look() < moment:
            pass
        sent[person.key.partition("/")[2]] = time.perf_counter()
        produce(made, [person])
    limit = time.perf_counter() + _PATIENCE_SECONDS
    while len(taken) < len(sent) and look() < limit:
        pass
    return list(taken.values())


def _rolling(program: ProgramPublished) -> ProgramPublished:
    return program.model_copy(update={"policy": program.policy.model_copy(update={"mode": Mode.ROLLING})})


@contextmanager
def _paired(made: Arena) -> Iterator[Callable[[], list[str]]]:
    """The mentees whose pairs became readable since the last call, which takes ten milliseconds."""
    consumer = Consumer({"bootstrap.servers": made.endpoints.kafka, "group.id": f"{made.prefix}pairs"})
    name = f"{made.prefix}pair-created"
    partitions = consumer.list_topics(name, 10).topics[name].partitions
    consumer.assign([TopicPartition(name, partition, 0) for partition in partitions])
    yield lambda: [
        json.loads(message.value() or b"")["mentee_id"]
        for message in consumer.consume(1_000, 0.01)
        if message.error() is None
    ]
    consumer.close()


def main(
    people: int = 100_000,
    arrivals: Annotated[int, typer.Option(help="How many mentees arrive")] = 300,
    a_second: Annotated[float, typer.Option(help="On average; they come by chance")] = 4,
    seed: int = 1,
) -> None:
    print(json.dumps(waits(stack.start(), generate(people, seed=seed), arrivals, a_second)))


if __name__ == "__main__":
    typer.run(main)
