"""Servers of which one may fail: as many brokers, and members of a replica set, as wished, each with its own root."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined]  # public, not marked so
from pymongo.errors import PyMongoError

from deploy.local import kafka, mongod
from deploy.local.ports import port_of
from deploy.local.processes import Server, StackError, write_atomically
from deploy.local.stack import Endpoints

CACHE_GB = 0.25
PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Cluster:
    """The embedded servers of one root. Each can be stopped and started again on the same port and data."""

    brokers: tuple[Server, ...]
    mongods: tuple[Server, ...]

    @property
    def endpoints(self) -> Endpoints:
        bootstrap = ",".join(broker.address for broker in self.brokers)
        return Endpoints(bootstrap, mongod.uri(*(server.port for server in self.mongods)))

    @property
    def servers(self) -> tuple[Server, ...]:
        return self.mongods + self.brokers

    def start(self) -> Endpoints:
        """Launch what does not run and return once each serves."""
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait(120)
        return self.endpoints

    def stop(self, *, kill: bool = False) -> None:
        for server in reversed(self.servers):
            server.stop(kill=kill)

    def leader_of(self, topic: str, partition: int = 0) -> Server | None:
        """The broker that leads it now; None between two leaders, and where it is not yet known."""
        known = self._metadata(topic).topics[topic].partitions.get(partition)
        leader = known.leader if known else -1
        return self.brokers[leader - 1] if leader > 0 else None

    def in_sync(self) -> bool:
        """Whether every replica of every partition is in sync: only then may a further broker fail."""
        topics = self._metadata().topics.values()
        partitions = [partition for topic in topics for partition in topic.partitions.values()]
        return all(set(partition.isrs) == set(partition.replicas) for partition in partitions)

    def primary(self) -> Server | None:
        """The one writable member; None during an election."""
        writable = [server for server in self.mongods if _is_writable(server.port)]
        return writable[0] if len(writable) == 1 else None

    def _metadata(self, topic: str | None = None) -> ClusterMetadata:
        admin = AdminClient({"bootstrap.servers": self.endpoints.kafka, "log_level": 0})
        return admin.list_topics(topic, timeout=PATIENCE) if topic else admin.list_topics(timeout=PATIENCE)


def embedded(root: Path, nodes: int = 3, *, detour: bool = False) -> Cluster:
    """So many brokers and members below `root`. Downloads what is missing, starts nothing.

    With `detour` each broker has a second listener, `kafka.detour_of(root / "node-1")`, for proxies.
    """
    roots = [root.resolve() / f"node-{number}" for number in range(1, nodes + 1)]
    controllers = tuple(kafka.controller_port(each) for each in roots)
    members = tuple(port_of(mongod.process(each)) for each in roots)
    places = [kafka.Place(number, controllers, _cluster_id(root)) for number in range(1, nodes + 1)]
    brokers = [
        kafka.server(each, place, kafka.detour_of(each) if detour else None)
        for each, place in zip(roots, places, strict=True)
    ]
    return Cluster(tuple(brokers), tuple(mongod.server(each, members, CACHE_GB) for each in roots))


def nodes(environment: Mapping[str, str] = os.environ) -> int:
    """How many nodes of each kind CLUSTER asks for: 1 if it says nothing."""
    said = environment.get("CLUSTER") or "1"
    if said not in ("1", "3"):
        raise StackError(f"CLUSTER is {said!r}: say 1 or 3, or leave it out")
    return int(said)


def _cluster_id(root: Path) -> str:
    file = root / "run" / "cluster.id"
    if not file.exists():
        write_atomically(file, kafka.cluster_id())
    return file.read_text()


def _is_writable(port: int) -> bool:
    with suppress(PyMongoError), mongod.connect(port) as client:
        return bool(client.admin.command("hello").get("isWritablePrimary"))
    return False
