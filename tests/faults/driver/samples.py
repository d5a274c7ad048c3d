"""Looks at a run every few seconds: how fast, how far behind, how big, how many connections."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread

import psutil
from confluent_kafka import KafkaException
from pymongo.errors import PyMongoError

from deploy.local.demo_lag import Lags
from deploy.local.processes import Process
from tests.faults.driver.listener import Listener
from tests.faults.driver.office import PREFIX, SERVICES, Office
from tests.faults.driver.timeline import Kind, Timeline

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """`lag` in records and `due`, `pages` in documents over all services; None where the server did not answer."""

    facts: int
    lag: int | None
    due: int | None
    pages: int | None
    memory_mb: dict[str, float]
    connections: dict[str, int]

    @property
    def backlog(self) -> int | None:
        known = [count for count in (self.lag, self.due, self.pages) if count is not None]
        return sum(known) if len(known) == 3 else None


@dataclass(slots=True)
class Samples:
    """In a thread of its own."""

    office: Office
    listener: Listener
    timeline: Timeline
    seconds: float = 2.0
    last: Sample | None = None
    taken: list[tuple[float, Sample]] = field(default_factory=list)
    _stopped: Event = field(default_factory=Event)
    _thread: Thread = field(init=False)
    _lags: Lags = field(init=False)
    _asking: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._lags = Lags(self.office.kafka, PREFIX)

    def start(self) -> None:
        self._thread = Thread(target=self._run, name="samples", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def take(self) -> Sample:
        memory, connections, open_by_pid = {}, {}, _connections()
        for process in self._processes():
            if (pid := process.pid()) is not None:
                with suppress(psutil.Error):
                    memory[process.name] = round(psutil.Process(pid).memory_info().rss / MEGABYTE, 1)
                    connections[process.name] = open_by_pid[pid]
        return Sample(self.listener.total, self._lag(), *self._waiting(), memory, connections)

    def by_process(self, what: str) -> dict[str, list[float]]:
        """The course of `memory_mb` or `connections`."""
        course: defaultdict[str, list[float]] = defaultdict(list)
        for _, sample in self.taken:
            for name, value in getattr(sample, what).items():
                course[name].append(value)
        return dict(course)

    def _run(self) -> None:
        while not self._stopped.wait(self.seconds):
            self.last = self.take()
            self.taken.append((self.timeline.now, self.last))
            self.timeline.note(Kind.SAMPLE, **asdict(self.last))

    def _processes(self) -> Iterator[Process]:
        for server in (*self.office.replicas.values(), *self.office.cluster.servers, self.office.mail):
            yield server.process

    def _lag(self) -> int | None:
        try:
            with self._asking:
                lags = self._lags.look(dict(self.listener.ends))
        except KafkaException:
            return None
        return sum(behind for topic in lags.values() for behind in topic.values())

    def _waiting(self) -> tuple[int | None, int | None]:
        """Work that is due and pages that wait."""
        due = pages = 0
        now = datetime.now(UTC)
        try:
            for service in SERVICES:
                with self.office.database(service) as database:
                    due += database.due.count_documents({"due_at": {"$lte": now}})
                    pages += database.outbox.count_documents({})
        except PyMongoError:
            return None, None
        return due, pages


def _connections() -> Counter[int | None]:
    """By process. They are listed once for all, because the kernel goes through all of them each time."""
    return Counter(connection.pid for connection in psutil.net_connections("tcp"))
