"""The same servers from the official images, where a Docker daemon answers. Containers are found again by name."""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

import docker  # type: ignore[import-untyped]  # no types published with it
from docker.errors import DockerException, NotFound  # type: ignore[import-untyped]  # likewise
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.local import kafka, mongod
from deploy.local.ports import free_port
from deploy.local.processes import StackError, wait_until

KAFKA_IMAGE = "apache/kafka:4.4.0"
MONGODB_IMAGE = "mongo:6.0"
PORT_LABEL = "viceversa.port"
ANSWER_WITHIN = 3
CONTROLLER_PORT = 9093
DATA = PurePosixPath("/tmp/kafka")  # inside the container


def daemon_answers() -> bool:
    """Asks the engine itself: an installed client alone is no engine."""
    with suppress(DockerException, OSError):
        client = docker.from_env(timeout=ANSWER_WITHIN)
        try:
            return bool(client.ping())
        finally:
            client.close()
    return False


def start(root: Path) -> tuple[str, str]:
    """Kafka's address and MongoDB's connection string, of containers that are kept until `stop`."""
    if not daemon_answers():
        raise StackError("no Docker daemon answers: start it, or say VICEVERSA_STACK=local")
    # Without this the reaper of testcontainers would end the servers together with this process.
    testcontainers_config.ryuk_disabled = True
    mongodb_port = _port(_name(root, "mongod")) or _run_mongod(_name(root, "mongod"))
    kafka_port = _port(_name(root, "kafka")) or _run_kafka(_name(root, "kafka"))
    wait_until(lambda: mongod.serves(mongodb_port), 90, MONGODB_IMAGE)
    wait_until(lambda: kafka.serves(kafka_port), 90, KAFKA_IMAGE)
    return f"127.0.0.1:{kafka_port}", mongod.uri(mongodb_port)


def stop(root: Path) -> None:
    client = docker.from_env()
    for role in ("kafka", "mongod"):
        with suppress(NotFound):
            client.containers.get(_name(root, role)).stop()


def _name(root: Path, role: str) -> str:
    return f"viceversa-{role}-{sha256(str(root).encode()).hexdigest()[:8]}"


def _port(name: str) -> int | None:
    """The port of a container that was made before, which is started again if it is stopped."""
    try:
        container: Any = docker.from_env().containers.get(name)
    except NotFound:
        return None
    if container.status != "running":
        container.start()
    return int(container.labels[PORT_LABEL])


def _run_mongod(name: str) -> int:
    port = free_port()
    command = f"mongod --port {port} --bind_ip_all --replSet {mongod.REPLICA_SET} --setParameter enableTestCommands=1"
    _run(DockerContainer(MONGODB_IMAGE).with_command(command), name, port)
    return port


def _run_kafka(name: str) -> int:
    port = free_port()
    container = DockerContainer(KAFKA_IMAGE)
    for variable, value in kafka_environment(port).items():
        container.with_env(variable, value)
    _run(container, name, port)
    return port


def kafka_environment(port: int) -> dict[str, str]:
    """The settings of a lone broker, named as the official image wants them."""
    lone = kafka.Place(1, (CONTROLLER_PORT,), kafka.cluster_id())
    listeners = kafka.DIRECT.format(host="", port=port, controller_port=CONTROLLER_PORT)
    named = (line.split("=", 1) for line in kafka.settings(lone, DATA, listeners).splitlines())
    return {"CLUSTER_ID": lone.cluster_id} | {
        f"KAFKA_{setting.upper().replace('.', '_')}": value for setting, value in named
    }


def _run(container: DockerContainer, name: str, port: int) -> None:
    """Inside and outside the port is the same, because both servers tell their clients where to find them."""
    container.with_name(name).with_bind_ports(port, port).with_kwargs(labels={PORT_LABEL: str(port)}).start()
