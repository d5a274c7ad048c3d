"""A run: a seeded generator and a seeded nemesis against all services, then an independent check."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event

from deploy.local import cluster
from deploy.local.processes import LOCAL
from tests.faults.checker.check import check
from tests.faults.checker.evidence import Evidence, gather
from tests.faults.checker.told import Told
from tests.faults.checker.violations import Violation
from tests.faults.driver.actions import steps
from tests.faults.driver.canaries import canaries
from tests.faults.driver.hands import Hands
from tests.faults.driver.listener import Listener
from tests.faults.driver.nemesis import Nemesis
from tests.faults.driver.office import DATABASE, PREFIX, Office, office
from tests.faults.driver.quiet import NeverQuiet, settle
from tests.faults.driver.samples import Samples
from tests.faults.driver.speaker import Speaker
from tests.faults.driver.timeline import Kind, Timeline

FOLDER = LOCAL / "faults"
QUIET_WITHIN, QUIET_PER_MINUTE = 300.0, 10.0
"""Seconds; a longer run leaves more that is still to come once time is moved."""
FIRST_FACT_WITHIN = 60.0
MOST_BACKLOG, MOST_REQUESTS = 240, 100
"""Divided by the number of brokers, which share the machine."""
STEP_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """`only` names the kinds of faults to choose from; none is all."""

    seed: int
    minutes: float
    only: Sequence[str] = ()
    folder: Path | None = None

    @property
    def place(self) -> Path:
        return self.folder or FOLDER / str(self.seed)

    @property
    def command(self) -> str:
        kinds = "".join(f" --only '{kind}'" for kind in self.only)
        prefix = "CLUSTER=3 " if cluster.nodes() == 3 else ""
        return f"{prefix}python -m tests.faults run --seed {self.seed} --minutes {self.minutes:g}{kinds}"


@dataclass(slots=True)
class Outcome:
    """What a run found. `stalls` and `complaints` are broken promises that the checker can't see."""

    plan: Plan
    nemesis: Nemesis
    samples: Samples
    hands: Hands
    evidence: Evidence = field(default_factory=Evidence)
    violations: list[Violation] = field(default_factory=list)
    stalls: list[str] = field(default_factory=list)
    """Where nothing went on, or nothing came to an end."""
    complaints: list[str] = field(default_factory=list)
    """What else is wrong: answers that should not be, processes that ended by themselves."""
    facts: int = 0
    seconds: float = 0.0
    quiet_seconds: float = 0.0
    check_seconds: float = 0.0

    @property
    def unseen(self) -> list[str]:
        """All that the checker can't see."""
        return self.stalls + self.complaints

    @property
    def clean(self) -> bool:
        return not (self.violations or self.unseen)


def run(plan: Plan) -> Outcome:
    """Start everything, break it for so many minutes, let it heal, and check. All servers are stopped afterwards."""
    timeline = Timeline(plan.place)
    timeline.note(Kind.RUN, seed=plan.seed, minutes=plan.minutes, command=plan.command)
    with ExitStack() as stack:
        stack.callback(timeline.close)
        made = stack.enter_context(office(plan.place / "servers"))
        with ExitStack() as threads:
            outcome = _play(plan, made, timeline, threads)
        _judge(outcome, made, timeline)
    return outcome


def _play(plan: Plan, made: Office, timeline: Timeline, threads: ExitStack) -> Outcome:
    told = Told()
    listener, speaker = Listener(made.kafka, PREFIX), Speaker(made.kafka, PREFIX, told)
    hands = Hands(speaker, listener, lambda: made.addresses, timeline, told)
    samples = Samples(made, listener, timeline)
    birds, random = canaries(speaker, listener, plan.seed), Random(f"{plan.seed} nemesis")
    nemesis = Nemesis(made, birds, timeline, random, plan.only)
    outcome = Outcome(plan, nemesis, samples, hands)
    made.start()
    for thread in (listener, hands, samples):
        thread.start()
        threads.callback(thread.stop)
    began = time.monotonic()
    with generating(plan.seed, hands, samples, outcome.complaints):
        if (first := birds.fly(FIRST_FACT_WITHIN)) is None:
            outcome.stalls.append(f"no fact went the whole way within {FIRST_FACT_WITHIN:g} s of the start")
        else:
            timeline.note(Kind.RECOVERED, after="the start", seconds=round(first, 2))
            nemesis.run(plan.minutes * 60)
    outcome.seconds = time.monotonic() - began
    _settle(outcome, made, speaker)
    told.faults = nemesis.repeating
    outcome.stalls += nemesis.stalls
    outcome.complaints += [f"{name} ended by itself" for name in nemesis.restarted] + hands.broken_answers
    outcome.facts = listener.total
    return outcome


@contextmanager
def generating(seed: int, hands: Hands, samples: Samples, complaints: list[str]) -> Iterator[None]:
    """The generator asks for more while the block runs. A run whose generator fails proves nothing, and says so."""
    stopped = Event()
    with ThreadPoolExecutor(1, "generator") as pool:
        asking = pool.submit(_generate, seed, hands, samples, stopped)
        try:
            yield
        finally:
            stopped.set()
    if error := asking.exception():
        complaints.append(f"the generator ended by itself: {error!r}")


def _generate(seed: int, hands: Hands, samples: Samples, stopped: Event) -> None:
    """As much as the services take: no more than a moment's work waits, so that a recovery is not a queue's length."""
    for step in steps(seed):
        hands.do(step)
        stopped.wait(STEP_SECONDS)
        while not stopped.is_set() and _too_much(hands, samples):
            stopped.wait(STEP_SECONDS)
        if stopped.is_set():
            return


def _too_much(hands: Hands, samples: Samples) -> bool:
    backlog = samples.last.backlog if samples.last else 0
    brokers = cluster.nodes()
    return backlog is None or backlog > MOST_BACKLOG // brokers or hands.left > MOST_REQUESTS // brokers


def _settle(outcome: Outcome, made: Office, speaker: Speaker) -> None:
    within = QUIET_WITHIN + QUIET_PER_MINUTE * outcome.plan.minutes
    began = time.monotonic()
    try:
        settle(made, outcome.hands, outcome.samples, speaker.poll, within)
    except NeverQuiet as busy:
        outcome.stalls.append(f"not quiet after {within:g} s: {busy}")
    if left := speaker.finish(QUIET_WITHIN):
        outcome.complaints.append(f"the broker did not take {left} records")
    outcome.quiet_seconds = time.monotonic() - began


def _judge(outcome: Outcome, made: Office, timeline: Timeline) -> None:
    told, began = outcome.hands.told, time.monotonic()
    outcome.evidence = gather(made.kafka, made.mongodb, PREFIX, DATABASE, made.root / "mails", told)
    outcome.violations = check(outcome.evidence)
    outcome.check_seconds = time.monotonic() - began
    for violation in outcome.violations:
        timeline.note(Kind.VIOLATION, what=str(violation))
    timeline.note(Kind.RUN, facts=outcome.facts, violations=len(outcome.violations), complaints=outcome.unseen)
