"""The servers that everything runs on, one way for demo, tests and benchmarks: real Apache Kafka and real MongoDB.

Which ones, in this order: those named by VICEVERSA_KAFKA and VICEVERSA_MONGODB; what VICEVERSA_STACK says (`local` or
`docker`); official images if a Docker daemon answers; else the embedded servers.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from deploy.local import containers, kafka, mongod
from deploy.local.processes import LOCAL, Server, StackError, alone

PATIENCE = 30


class Engine(StrEnum):
    """Where the servers come from."""

    GIVEN = "given"  # they run already, at addresses in the environment
    LOCAL = "local"  # embedded: started from Python packages
    DOCKER = "docker"  # official images


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`kafka` is a bootstrap list `host:port`, `mongodb` a connection string."""

    kafka: str
    mongodb: str


@dataclass(frozen=True, slots=True)
class Stack:
    """The embedded servers of one root. Each can be stopped and started again on the same port and data."""

    kafka: Server
    mongod: Server

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.kafka.address, mongod.uri(self.mongod.port))

    def start(self) -> Endpoints:
        for server in (self.mongod, self.kafka):
            server.launch()
        for server in (self.mongod, self.kafka):
            server.wait()
        return self.endpoints

    def stop(self, *, kill: bool = False) -> None:
        self.kafka.stop(kill=kill)
        self.mongod.stop(kill=kill)


def embedded(root: Path = LOCAL) -> Stack:
    """The embedded servers of `root`, whatever the environment says. Downloads what is missing, starts nothing."""
    root = root.resolve()
    return Stack(kafka.server(root), mongod.server(root))


def start(root: Path = LOCAL, environment: Mapping[str, str] = os.environ) -> Endpoints:
    """Servers that truly serve. Run again it starts only what is not running. Raises StackError."""
    root, engine = root.resolve(), choose(environment)
    if engine is Engine.GIVEN:
        return Endpoints(environment["VICEVERSA_KAFKA"], environment["VICEVERSA_MONGODB"])
    with alone(root, "stack"):
        return Endpoints(*containers.start(root)) if engine is Engine.DOCKER else embedded(root).start()


def stop(root: Path = LOCAL, environment: Mapping[str, str] = os.environ) -> None:
    """End the servers that were started for `root`. Their data stays."""
    root = root.resolve()
    with alone(root, "stack"):
        kafka.process(root).stop()
        mongod.process(root).stop()
        if choose(environment) is Engine.DOCKER:
            containers.stop(root)


def forget(endpoints: Endpoints, prefix: str, database_prefix: str) -> None:
    """Delete the topics and databases whose names begin so."""
    admin = AdminClient({"bootstrap.servers": endpoints.kafka})
    if topics := [topic for topic in admin.list_topics(timeout=PATIENCE).topics if topic.startswith(prefix)]:
        for answer in admin.delete_topics(topics).values():
            answer.result(PATIENCE)
    with MongoClient[dict[str, object]](endpoints.mongodb) as client:
        for database in client.list_database_names():
            if database.startswith(database_prefix):
                client.drop_database(database)


def alive(root: Path = LOCAL) -> dict[str, bool]:
    """For each embedded server of `root`, by name, whether its process lives."""
    root = root.resolve()
    return {process.name: process.pid() is not None for process in (kafka.process(root), mongod.process(root))}


def choose(environment: Mapping[str, str] = os.environ) -> Engine:
    given = [name for name in ("VICEVERSA_KAFKA", "VICEVERSA_MONGODB") if environment.get(name)]
    if len(given) == 1:
        raise StackError(f"{given[0]} is set alone: set VICEVERSA_KAFKA and VICEVERSA_MONGODB, or neither")
    if given:
        return Engine.GIVEN
    match environment.get("VICEVERSA_STACK", ""):
        case "":
            return Engine.DOCKER if containers.daemon_answers() else Engine.LOCAL
        case ("local" | "docker") as said:
            return Engine(said)
        case other:
            raise StackError(f"VICEVERSA_STACK is {other!r}: say local or docker, or leave it out")
