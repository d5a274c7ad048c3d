"""Replicas of services that are struck, beside those of a company."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from pymongo import MongoClient

from libs.chassis.leases import LEASES, NEVER
from tests.faults.struck.__main__ import main
from tests.faults.struck.door import Door
from tests.faults.struck.points import Point
from tests.journeys.company import NAMES, Company, until

STRUCK_WITHIN = 240.0
STOPPED_WITHIN = 40.0
LOOKS_PER_COUPLE = 4
# The position names no page before a batch was committed.
AFTER = {Point.RELAY_NAMED_DELETED: Point.RELAY_COMMITTED}
# All are forked from one process that has everything loaded: two dozen imports would take most of the time.
_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, *(f"services.{name}.app" for name in NAMES)])


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a service with its log."""

    service: str
    point: Point | None
    process: ForkServerProcess
    log: Path

    @property
    def is_struck(self) -> bool:
        """Whether it has ended, or is frozen."""
        return self.process.exitcode is not None or self.is_frozen

    @property
    def is_frozen(self) -> bool:
        try:
            status = Path(f"/proc/{self.process.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return status.rpartition(")")[2].split()[0] == "T"

    def go_on(self) -> None:
        assert self.process.pid
        os.kill(self.process.pid, signal.SIGCONT)


def terminated(replicas: Sequence[Replica]) -> set[int | None]:
    """Their exit codes after SIGTERM."""
    for replica in replicas:
        replica.process.terminate()
    for replica in replicas:
        replica.process.join(STOPPED_WITHIN)
    return {replica.process.exitcode for replica in replicas}


def launch(office: Company, name: str, label: str, *words: str, point: Point | None = None) -> Replica:
    """A replica on a port of its own; `words` are the arguments of `tests.faults.struck`."""
    log = office.root / "log" / f"{name}-{label}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**office.servers[name].environment, "VICEVERSA_HTTP_PORT": "0"}
    process = _FORKS.Process(target=_run, args=(log, environment, [name, *words]))
    process.start()
    return Replica(name, point, process, log)


def _run(log: Path, environment: Mapping[str, str], words: Sequence[str]) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(environment)
    main(words)


@contextmanager
def struck_at(door: Door, strikes: Mapping[str, Sequence[Point]], blow: signal.Signals) -> Iterator[list[Replica]]:
    """A replica for each point, side by side, struck while people enrol; a service whose replicas are all struck goes
    on as in production. Replicas that are left at the end are killed."""
    turn = _Turn(door, blow, [(name, point) for name, points in strikes.items() for point in points])
    try:
        turn.launch_who_can_be_struck()
        try:
            until(turn.is_over, STRUCK_WITHIN)
        except TimeoutError:
            raise TimeoutError(f"not struck within {STRUCK_WITHIN:g} s: {', '.join(turn.left)}") from None
        yield turn.replicas
    finally:
        for replica in turn.replicas:
            replica.process.kill()
            replica.process.join()


@dataclass(slots=True)
class _Turn:
    door: Door
    blow: signal.Signals
    to_come: list[tuple[str, Point]]
    replicas: list[Replica] = field(default_factory=list)
    _struck: list[Replica] = field(default_factory=list)
    _looks: int = 0

    @property
    def left(self) -> list[str]:
        """Who is not struck yet."""
        running = [(each.service, each.point) for each in self.replicas if each not in self._struck]
        return [f"{name} at {point}" for name, point in (*running, *self.to_come)]

    def is_over(self) -> bool:
        self._looks += 1
        if self._looks % LOOKS_PER_COUPLE == 0:
            self.door.enrol()
        for replica in self.replicas:
            if replica not in self._struck and replica.is_struck:
                self._struck.append(replica)
                _expire_lease(self.door.office, replica)
                self.launch_who_can_be_struck()
                self._go_on_without(replica.service)
        return not self.left

    def launch_who_can_be_struck(self) -> None:
        met = {replica.point for replica in self._struck}
        for name, point in [each for each in self.to_come if each[1] not in AFTER or AFTER[each[1]] in met]:
            self.to_come.remove((name, point))
            nth = "2" if point is Point.RELAY_ONE_SENT else "1"
            words = ("--point", point, "--nth", nth, "--signal", self.blow.name.removeprefix("SIG"))
            self.replicas.append(launch(self.door.office, name, point, *words, point=point))

    def _go_on_without(self, service: str) -> None:
        left = {replica.service for replica in self.replicas if replica not in self._struck}
        if service not in left:
            self.door.office.servers[service].launch()


def _expire_lease(office: Company, replica: Replica) -> None:
    """Time passes for the relay's lease of who is gone or frozen."""
    holder = {"_id": "relay", "owner": {"$regex": f"-{replica.process.pid}-"}}
    with MongoClient[dict[str, object]](office.values["VICEVERSA_MONGODB"]) as client:
        client[f"{office.database}_{replica.service}"][LEASES].update_one(holder, {"$set": {"until": NEVER}})
