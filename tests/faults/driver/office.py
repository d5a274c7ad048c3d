"""The services as processes, two replicas each, on servers of their own behind proxies."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.local import cluster, parts
from deploy.local.cluster import Cluster
from deploy.local.processes import CHECKOUT, Process, Server
from libs.ops import topics
from tests.faults.instruments.detours import Detours, proxied
from tests.faults.instruments.failpoints import FailPoints
from tests.faults.instruments.proxy import Proxy
from tests.faults.struck.points import Point

PREFIX, DATABASE = "faults.", "faults"
SERVICES = tuple(part.name for part in parts.SERVICES)
REPLICAS = 2
MAILS_AT_ONCE = 4
READY_WITHIN, STOPPED_WITHIN = 60, 30
LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Office:
    """Everything that a fault can hit. `values` is the environment of the services."""

    root: Path
    cluster: Cluster
    detours: Detours
    smtp: Proxy
    mail: Server
    values: Mapping[str, str]
    replicas: dict[str, Server] = field(default_factory=dict)

    @property
    def kafka(self) -> str:
        """The brokers without a proxy, for those who watch."""
        return self.cluster.endpoints.kafka

    @property
    def mongodb(self) -> str:
        return self.cluster.endpoints.mongodb

    @property
    def addresses(self) -> dict[str, list[str]]:
        """The replicas' addresses by service."""
        by_service: dict[str, list[str]] = {}
        for name, server in self.replicas.items():
            by_service.setdefault(service_of(name), []).append(server.address)
        return by_service

    def start(self) -> None:
        for server in self.replicas.values():
            server.launch()
        self.wait()

    def wait(self) -> None:
        for server in self.replicas.values():
            server.wait(READY_WITHIN)

    def signal(self, name: str, number: signal.Signals) -> None:
        if (pid := self.replicas[name].process.pid()) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self, name: str, *, kill: bool = False) -> None:
        self.replicas[name].stop(kill=kill, within=STOPPED_WITHIN)

    def launch(self, name: str, *words: str) -> None:
        """Start the replica anew; with `words` as a struck process with these arguments."""
        self.replicas[name] = self._replica(name, *words)
        self.replicas[name].launch()

    def comes(self, name: str, within: float) -> None:
        """Return once the replica serves or has ended, or after so many seconds."""
        server, limit = self.replicas[name], time.monotonic() + within
        while server.process.pid() is not None and not server.serves() and time.monotonic() < limit:
            time.sleep(LOOK_SECONDS)

    def ended(self) -> list[str]:
        """Replicas that don't run."""
        return [name for name, server in self.replicas.items() if server.process.pid() is None]

    def fell(self, name: str, point: Point) -> bool:
        """Whether the replica's end is the blow at this point, and no other."""
        server = self.replicas[name]
        return server.process.pid() is None and f"struck at {point}" in server.last_words()

    def failpoints(self) -> FailPoints:
        return FailPoints(self.cluster.primary() or self.cluster.mongods[0])

    @contextmanager
    def database(self, service: str) -> Iterator[Any]:
        with MongoClient[dict[str, Any]](self.mongodb, tz_aware=True, serverSelectionTimeoutMS=3000) as client:
            yield client[f"{DATABASE}_{service}"]

    def add_replicas(self) -> None:
        for part in parts.SERVICES:
            for number in range(1, REPLICAS + 1):
                name = part.name if number == 1 else f"{part.name}-{number}"
                self.replicas[name] = self._replica(name)

    def _replica(self, name: str, *words: str) -> Server:
        service = service_of(name)
        plain = parts.service(self.root, parts.Part(name, f"services.{service}"), self.values)
        if not words:
            return plain
        process = Process(self.root, name, f"-m tests.faults.struck {service}")
        command = (sys.executable, "-m", "tests.faults.struck", service, *words)
        return Server(process, plain.port, command, plain.serves, plain.environment)


def service_of(replica: str) -> str:
    return replica.partition("-")[0]


@contextmanager
def office(root: Path) -> Iterator[Office]:
    """Servers run and topics are there; no service runs yet. What was in `root` is gone, all is stopped afterwards."""
    shutil.rmtree(root, ignore_errors=True)
    servers = cluster.embedded(root, cluster.nodes(), detour=True)
    with ExitStack() as stack:
        stack.callback(servers.stop, kill=True)
        servers.start()
        topics.apply(servers.endpoints.kafka, PREFIX, parts.heard(parts.SERVICES))
        mail = parts.mail(root)
        stack.callback(mail.stop, kill=True)
        mail.start()
        detours = stack.enter_context(proxied(servers))
        smtp = stack.enter_context(Proxy(mail.address))
        made = Office(root, servers, detours, smtp, mail, _values(detours, smtp))
        made.add_replicas()
        stack.callback(_stop_replicas, made)
        yield made


def _values(detours: Detours, smtp: Proxy) -> dict[str, str]:
    return {
        "VICEVERSA_KAFKA": detours.endpoints.kafka,
        "VICEVERSA_MONGODB": detours.endpoints.mongodb,
        "VICEVERSA_PREFIX": PREFIX,
        "VICEVERSA_DATABASE": DATABASE,
        "VICEVERSA_SMTP": smtp.address,
        "VICEVERSA_SMTP_AT_ONCE": str(MAILS_AT_ONCE),
        "PYTHONPATH": str(CHECKOUT),
    }


def _stop_replicas(made: Office) -> None:
    for name in made.replicas:
        made.signal(name, signal.SIGCONT)
    for name in made.replicas:
        made.stop(name, kill=True)
