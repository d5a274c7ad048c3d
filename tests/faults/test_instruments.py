"""Each instrument of the nemesis does to real servers and clients what it says, and undoes it."""

import shutil
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient
from pymongo.errors import ConnectionFailure, NetworkTimeout, OperationFailure, PyMongoError

from deploy.local import cluster
from deploy.local.cluster import Cluster
from deploy.local.processes import wait_until
from tests.faults.instruments.clients import Writer, commit, create_letters, database, insert, is_there, letters
from tests.faults.instruments.detours import Detours, proxied
from tests.faults.instruments.failpoints import DatabaseFault, FailPoints
from tests.faults.instruments.proxy import Way
from tests.faults.instruments.servers import ServerFault, heal, strike


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    root = tmp_path_factory.mktemp("servers")
    made = cluster.embedded(root, nodes=1, detour=True)
    try:
        create_letters(made.start().kafka)
        yield made
    finally:
        made.stop(kill=True)
        shutil.rmtree(root)


@pytest.fixture
def detours(servers: Cluster) -> Iterator[Detours]:
    with proxied(servers) as made:
        yield made


def test_who_comes_by_the_proxy_is_sent_back_to_it(servers, detours):
    [by_proxy] = AdminClient({"bootstrap.servers": detours.endpoints.kafka}).list_topics(timeout=10).brokers.values()
    [direct] = AdminClient({"bootstrap.servers": servers.endpoints.kafka}).list_topics(timeout=10).brokers.values()

    assert by_proxy.port == detours.brokers[0].port
    assert direct.port == servers.brokers[0].port


def test_a_producer_behind_a_half_open_proxy_times_out_and_recovers(detours):
    writer, [proxy] = Writer(detours.endpoints.kafka), detours.brokers
    writer.get_through("Ada, before")

    proxy.half_open()
    assert writer.write("Ada, meanwhile").code() == KafkaError._MSG_TIMED_OUT

    proxy.heal()
    writer.get_through("Ada, after")


def test_what_is_held_on_its_way_back_has_happened(servers, detours):
    writer, [proxy] = Writer(detours.endpoints.kafka), detours.brokers
    writer.get_through("Mina, before")

    proxy.half_open(Way.BACK)
    assert writer.write("Mina, unanswered").code() == KafkaError._MSG_TIMED_OUT

    assert "Mina, unanswered" in letters(servers.endpoints.kafka)


def test_a_cut_connection_is_made_anew(detours):
    writer, [proxy] = Writer(detours.endpoints.kafka), detours.brokers
    writer.get_through("Grace, before")
    accepted = proxy.accepted

    proxy.cut()

    writer.get_through("Grace, after")
    assert proxy.accepted > accepted


def test_nobody_gets_through_a_proxy_that_refuses(detours):
    with database(detours.endpoints.mongodb) as client:
        client.admin.command("ping")
        detours.mongodb.refuse()
        with pytest.raises(ConnectionFailure):
            client.admin.command("ping")

        detours.mongodb.heal()
        client.admin.command("ping")


@pytest.mark.parametrize("limits", [{"delay_seconds": 1}, {"bytes_per_second": 10}], ids=["late", "thin"])
def test_a_slow_proxy_is_too_slow_for_an_impatient_client(detours, limits):
    with database(detours.endpoints.mongodb) as client:
        client.admin.command("ping")
        detours.mongodb.slow(**limits)
        with pytest.raises(PyMongoError):
            client.admin.command("ping")

    detours.mongodb.heal()
    with database(detours.endpoints.mongodb) as client:
        client.admin.command("ping")


@pytest.mark.parametrize(
    ("fault", "act", "happens", "label"),
    [
        (DatabaseFault.COMMIT_REFUSED, commit, False, "TransientTransactionError"),
        (DatabaseFault.COMMIT_UNKNOWN, commit, True, "UnknownTransactionCommitResult"),
        (DatabaseFault.COMMIT_CLOSED, commit, False, "UnknownTransactionCommitResult"),
        (DatabaseFault.NOT_PRIMARY, commit, False, "TransientTransactionError"),
        (DatabaseFault.DISK_FULL, commit, False, ""),
        (DatabaseFault.DISK_FULL, insert, False, ""),
        (DatabaseFault.WRITE_ERROR, insert, False, ""),
        (DatabaseFault.NOT_PRIMARY, insert, False, "RetryableWriteError"),
        (DatabaseFault.CLOSED, insert, False, "RetryableWriteError"),
    ],
)
def test_a_database_in_trouble_tells_its_client_and_is_well_again(servers, fault, act, happens, label):
    points, name = FailPoints(servers.mongods[0]), f"Grace, {fault}, {act.__name__}"
    with database(servers.endpoints.mongodb) as client:
        client.admin.command("ping")
        points.inflict(fault)
        try:
            with pytest.raises(PyMongoError) as told:
                act(client, name)
        finally:
            points.heal()
    assert not label or told.value.has_error_label(label)
    assert is_there(servers.endpoints.mongodb, name) == happens
    with database(servers.endpoints.mongodb, seconds=20) as client:
        act(client, f"{name}, after")


def test_a_slow_database_is_too_slow_for_an_impatient_client(servers):
    with database(servers.endpoints.mongodb) as client:
        client.people.people.find_one()
        FailPoints(servers.mongods[0]).inflict(DatabaseFault.SLOW, times=2, delay_seconds=3)
        with pytest.raises(NetworkTimeout):
            client.people.people.find_one()
        client.people.people.find_one()


def test_a_fault_strikes_as_often_as_wished(servers):
    points = FailPoints(servers.mongods[0])
    points.inflict(DatabaseFault.WRITE_ERROR, times=1)
    with database(servers.endpoints.mongodb, seconds=20) as client:
        with pytest.raises(OperationFailure):
            insert(client, "Mina, once")
        insert(client, "Mina, once")


def test_conflicts_without_a_rival_end_transactions(servers):
    points = FailPoints(servers.mongods[0])
    with database(servers.endpoints.mongodb, seconds=20) as client:
        points.inflict(DatabaseFault.WRITE_CONFLICT, share=0.9)
        try:
            with pytest.raises(OperationFailure, match=r"(?i)write ?conflict"):
                commit(client, *(f"Ada, {number}" for number in range(50)))
        finally:
            points.heal()
        commit(client, "Ada, after")


def test_an_aborted_transaction_can_not_be_committed(servers):
    with database(servers.endpoints.mongodb, seconds=20) as client, client.start_session() as session:
        session.start_transaction()
        client.people.people.insert_one({"_id": "Ada, aborted"}, session=session)
        FailPoints(servers.mongods[0]).abort_transactions()
        with pytest.raises(OperationFailure) as told:
            session.commit_transaction()

    assert told.value.has_error_label("TransientTransactionError")
    assert not is_there(servers.endpoints.mongodb, "Ada, aborted")


def test_a_primary_that_stepped_down_is_elected_again(servers):
    [server] = servers.mongods
    FailPoints(server).step_down(1)
    wait_until(lambda: servers.primary() is server, 20, "the primary")


def test_a_frozen_mongod_answers_nobody_and_goes_on_when_thawed(servers):
    [server] = servers.mongods
    pid = server.process.pid()
    with database(servers.endpoints.mongodb) as client:
        client.admin.command("ping")
        strike(server, ServerFault.FREEZE)
        with pytest.raises(PyMongoError):
            client.admin.command("ping")
        heal(server)
        client.admin.command("ping")

    assert server.process.pid() == pid


def test_a_frozen_broker_answers_nobody_and_goes_on_when_thawed(servers):
    [server] = servers.brokers
    pid, writer = server.process.pid(), Writer(servers.endpoints.kafka)
    writer.get_through("Mina, before the frost")

    strike(server, ServerFault.FREEZE)
    assert writer.write("Mina, in the frost").code() == KafkaError._MSG_TIMED_OUT

    heal(server)
    writer.get_through("Mina, after the frost")
    assert server.process.pid() == pid


def test_a_lone_broker_that_was_frozen_still_leads_what_it_led(servers):
    [server] = servers.brokers
    log = server.process.root / "log" / "kafka.log"
    before = log.read_text().count("Fencing broker")

    strike(server, ServerFault.FREEZE)
    time.sleep(5)
    heal(server)
    Writer(servers.endpoints.kafka).get_through("Hedy, after a long frost")

    assert log.read_text().count("Fencing broker") == before


def test_a_broker_whose_disk_is_full_is_healed_with_what_it_had(servers):
    [server], writer = servers.brokers, Writer(servers.endpoints.kafka)
    writer.get_through("Grace, while there was space")

    strike(server, ServerFault.FULL_DISK)
    assert writer.write("Grace, on a full disk") is not None

    heal(server)
    assert "Grace, while there was space" in letters(servers.endpoints.kafka)


@pytest.mark.parametrize("fault", [ServerFault.STOP, ServerFault.FULL_DISK])
def test_a_mongod_that_ended_is_healed_with_what_it_had(servers, fault):
    [server] = servers.mongods
    with database(servers.endpoints.mongodb) as client:
        insert(client, f"Grace, before {fault}")
        strike(server, fault)
        with pytest.raises(PyMongoError):
            insert(client, f"Grace, after {fault}")

    heal(server)
    assert is_there(servers.endpoints.mongodb, f"Grace, before {fault}")
