import socket

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient

from deploy.local import containers, kafka, mongod
from deploy.local import stack as servers
from deploy.local.ports import listens
from deploy.local.processes import StackError
from deploy.local.stack import Endpoints, Engine


def create_topic(bootstrap: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    [created] = admin.create_topics([NewTopic(name, 1, 1)]).values()
    created.result(10)


def produce_in_transaction(bootstrap: str, topic: str, value: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"{topic}.writer"})
    producer.init_transactions(10)
    producer.begin_transaction()
    producer.produce(topic, value)
    producer.commit_transaction(10)


def consume_and_commit(bootstrap: str, topic: str) -> str:
    """The first value of a topic as a member of a group reads it, after its offset was committed."""
    settings = {"bootstrap.servers": bootstrap, "group.id": f"{topic}.reader", "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    try:
        consumer.subscribe([topic])
        record = consumer.poll(20)
        consumer.commit(record, asynchronous=False)
        [committed] = consumer.committed([TopicPartition(topic, 0)], 10)
        assert committed.offset == 1
        return record.value().decode()
    finally:
        consumer.close()


def test_a_second_start_finds_the_servers_of_the_first(private_stack):
    endpoints = private_stack.start()
    pids = private_stack.kafka.process.pid(), private_stack.mongod.process.pid()

    again = servers.start(private_stack.kafka.process.root, {"VICEVERSA_STACK": "local"})

    assert again == endpoints
    assert (private_stack.kafka.process.pid(), private_stack.mongod.process.pid()) == pids


def test_once_started_the_coordinators_of_groups_and_transactions_answer(private_stack):
    endpoints = private_stack.start()
    create_topic(endpoints.kafka, "letters")

    produce_in_transaction(endpoints.kafka, "letters", "from Ada")

    assert consume_and_commit(endpoints.kafka, "letters") == "from Ada"


def test_mongodb_has_transactions_and_can_be_made_to_fail(private_stack):
    with MongoClient(private_stack.start().mongodb) as client:
        with client.start_session() as session, session.start_transaction():
            client.people.people.insert_one({"_id": "Grace"}, session=session)
        client.admin.command("configureFailPoint", "failCommand", mode="off")

        assert client.people.people.count_documents({}) == 1


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_servers_come_back_on_the_same_ports_with_their_data(private_stack, kill):
    endpoints = private_stack.start()
    topic = f"kept-{kill}"
    create_topic(endpoints.kafka, topic)
    with MongoClient(endpoints.mongodb, w="majority") as client:
        client.kept[topic].insert_one({"_id": "Mina"})

    private_stack.stop(kill=kill)
    assert not any(listens(server.port) for server in (private_stack.kafka, private_stack.mongod))

    assert private_stack.start() == endpoints
    assert topic in AdminClient({"bootstrap.servers": endpoints.kafka}).list_topics(timeout=10).topics
    with MongoClient(endpoints.mongodb) as client:
        assert client.kept[topic].find_one() == {"_id": "Mina"}


def test_a_stack_is_stopped_by_what_its_root_remembers(private_stack):
    private_stack.start()
    root = private_stack.kafka.process.root

    servers.stop(root, {"VICEVERSA_STACK": "local"})

    assert servers.alive(root) == {"kafka": False, "mongod": False}


def test_mongod_whose_port_was_taken_becomes_primary_on_another(tmp_path):
    before = mongod.server(tmp_path)
    before.start()
    with MongoClient(mongod.uri(before.port), w="majority") as client:
        client.moved.people.insert_one({"_id": "Mina"})
    before.stop()

    with socket.create_server(("127.0.0.1", before.port)):
        after = mongod.server(tmp_path)
    after.start()

    try:
        with MongoClient(mongod.uri(after.port)) as client:
            assert client.moved.people.find_one() == {"_id": "Mina"}
    finally:
        after.stop(kill=True)


def test_two_stacks_serve_side_by_side(stack, private_stack):
    other = private_stack.start()

    assert (other.kafka, other.mongodb) != (stack.kafka, stack.mongodb)
    assert kafka.serves(int(stack.kafka.rsplit(":", 1)[1]))
    assert kafka.serves(private_stack.kafka.port)


def test_a_server_that_ends_at_once_shows_its_last_words(tmp_path):
    broken = mongod.server(tmp_path)
    (tmp_path / "mongod").rmdir()

    with pytest.raises(StackError, match=r"(?s)mongod ended; end of .*mongod\.log.*exit"):
        broken.start()


@pytest.mark.parametrize(
    ("environment", "engine"),
    [
        ({"VICEVERSA_STACK": "local"}, Engine.LOCAL),
        ({"VICEVERSA_STACK": "docker"}, Engine.DOCKER),
        ({"VICEVERSA_STACK": "local", "VICEVERSA_KAFKA": "k:1", "VICEVERSA_MONGODB": "mongodb://m"}, Engine.GIVEN),
    ],
)
def test_the_environment_decides_which_servers(environment, engine):
    assert servers.choose(environment) is engine


@pytest.mark.parametrize("answers", [True, False])
def test_without_a_word_docker_is_used_only_where_its_daemon_answers(monkeypatch, answers):
    monkeypatch.setattr("deploy.local.containers.daemon_answers", lambda: answers)

    assert servers.choose({}) is (Engine.DOCKER if answers else Engine.LOCAL)


def test_an_installed_client_without_a_daemon_is_no_engine(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")

    assert servers.choose({}) is Engine.LOCAL


def test_the_image_gets_the_settings_of_a_lone_broker_and_tells_its_clients_the_port_outside():
    told = containers.kafka_environment(port=19092)

    assert told["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:19092"
    assert told["KAFKA_CONTROLLER_QUORUM_VOTERS"] == "1@127.0.0.1:9093"
    assert told["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "1"
    assert told["KAFKA_BROKER_SESSION_TIMEOUT_MS"] == "9000"


def test_servers_that_were_given_are_used_as_they_are(tmp_path):
    given = {"VICEVERSA_KAFKA": "kafka.example:9092", "VICEVERSA_MONGODB": "mongodb://mongodb.example"}

    assert servers.start(tmp_path, given) == Endpoints("kafka.example:9092", "mongodb://mongodb.example")
    assert not any(servers.alive(tmp_path).values())


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"VICEVERSA_STACK": "podman"}, "VICEVERSA_STACK is 'podman': say local or docker"),
        ({"VICEVERSA_KAFKA": "k:1"}, "VICEVERSA_KAFKA is set alone"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_one_line(environment, says):
    with pytest.raises(StackError, match=says):
        servers.choose(environment)
