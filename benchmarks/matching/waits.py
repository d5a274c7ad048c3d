"""How long people wait who arrive at the matching service on real servers: from their enrolment to the pair's fact."""

import json
import time
from collections.abc import Callable, Iterable
from itertools import islice
from statistics import median, quantiles
from typing import Annotated, Any, Final

import numpy as np
import typer
from confluent_kafka import Message

from benchmarks.commands import matching_process
from benchmarks.intake import Arena, arena, facts_of, produce, stored
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
        counted, read = stored(made, "matching", "people"), facts_of(made, "pair-created")
        with matching_process(made, 1_000), counted as count, read as pairs:
            until(lambda: count() >= mentors)
            start = time.perf_counter()
            produce(made, islice(coming, _SCOUTS))
            until(lambda: bool(pairs()))
            first = time.perf_counter() - start
            gaps = np.random.default_rng(arrivals).exponential(1 / a_second, arrivals)
            taken = _arrive(made, zip(gaps.tolist(), coming, strict=False), pairs)
    spread = {"min": min(taken), "median": median(taken), "max": max(taken), "p99": quantiles(taken, n=100)[98]}
    return {"unit": "ms"} | spread | {"unpaired": arrivals - len(taken), "first_s": first}


def _arrive(made: Arena, coming: Iterable[tuple[float, Event]], pairs: Callable[[], list[Message]]) -> list[float]:
    """Let each come so many seconds after the one before; the milliseconds that the paired ones took."""
    sent: dict[str, float] = {}
    taken: dict[str, float] = {}

    def look() -> float:
        ids, now = _mentees(pairs()), time.perf_counter()
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


def _mentees(pairs: Iterable[Message]) -> list[str]:
    return [json.loads(pair.value() or b"")["mentee_id"] for pair in pairs]


def main(
    people: int = 100_000,
    arrivals: Annotated[int, typer.Option(help="How many mentees arrive")] = 300,
    a_second: Annotated[float, typer.Option(help="On average; they come by chance")] = 4,
    seed: int = 1,
) -> None:
    print(json.dumps(waits(stack.start(), generate(people, seed=seed), arrivals, a_second)))


if __name__ == "__main__":
    typer.run(main)
