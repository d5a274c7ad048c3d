import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local import cluster
from deploy.local.cluster import Cluster
from deploy.local.processes import StackError, wait_until


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    root = tmp_path_factory.mktemp("cluster")
    made = cluster.embedded(root)
    try:
        made.start()
        yield made
    finally:
        made.stop(kill=True)
        shutil.rmtree(root)


def create_topic(three: Cluster, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": three.endpoints.kafka})
    [created] = admin.create_topics([NewTopic(name, 1)]).values()
    created.result(20)
    wait_until(lambda: three.leader_of(name) is not None and three.in_sync(), 20, name)


def values_of(three: Cluster, topic: str, count: int) -> list[str]:
    settings = {"bootstrap.servers": three.endpoints.kafka, "group.id": topic, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "isolation.level": "read_committed"})
    consumer.subscribe([topic])
    try:
        return [record.value().decode() for record in consumer.consume(count, timeout=30)]
    finally:
        consumer.close()


def at_last(attempt: Callable[[], object], within: float = 40) -> None:
    """Attempt it until it does not fail any more."""
    limit = time.monotonic() + within
    while True:
        try:
            attempt()
            return
        except (KafkaException, PyMongoError):
            if time.monotonic() > limit:
                raise


def test_a_topic_that_no_broker_knows_has_no_leader(three):
    assert three.leader_of("nowhere") is None


def test_a_transactional_producer_goes_on_after_the_leader_of_its_topic_was_killed(three):
    create_topic(three, "letters")
    producer = Producer({"bootstrap.servers": three.endpoints.kafka, "transactional.id": "Ada", "log_level": 0})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce("letters", "before")
    producer.commit_transaction(20)

    old = three.leader_of("letters")
    old.stop(kill=True)
    producer.begin_transaction()
    producer.produce("letters", "after")
    at_last(lambda: producer.commit_transaction(20))

    new = three.leader_of("letters")
    assert new not in (None, old)
    assert values_of(three, "letters", 2) == ["before", "after"]
    old.start()
    wait_until(three.in_sync, 60, "the broker that came back")


def test_a_majority_write_goes_on_after_the_primary_was_killed(three):
    with MongoClient(three.endpoints.mongodb, w="majority", serverSelectionTimeoutMS=30_000) as client:
        client.people.people.insert_one({"_id": "Grace"})
        old = three.primary()
        old.stop(kill=True)
        at_last(lambda: client.people.people.insert_one({"_id": "Mina"}))

        assert three.primary() not in (None, old)
        assert {person["_id"] for person in client.people.people.find()} == {"Grace", "Mina"}
    old.start()
    assert three.primary() is not None


def test_each_node_keeps_its_address_over_a_restart(three, tmp_path_factory):
    root = three.brokers[0].process.root.parent

    assert cluster.embedded(root).endpoints == three.endpoints


@pytest.mark.parametrize(("environment", "wished"), [({}, 1), ({"CLUSTER": ""}, 1), ({"CLUSTER": "3"}, 3)])
def test_the_environment_says_how_many_nodes(environment, wished):
    assert cluster.nodes(environment) == wished


def test_a_cluster_of_two_is_refused():
    with pytest.raises(StackError, match="CLUSTER is '2': say 1 or 3"):
        cluster.nodes({"CLUSTER": "2"})
