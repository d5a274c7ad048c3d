"""The servers go away and come back while people enrol."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.audit import audit, read
from deploy.local.demo_facts import Facts
from deploy.local.demo_owed import Mails, doubled, missing
from deploy.local.processes import Server
from deploy.local.stack import Stack
from tests.journeys.company import NAMES, Company, company, couple, program, until

COUPLES, MAILS_PER_COUPLE = 20, 6


@pytest.fixture
def office(private_stack: Stack, prefix: str, database_prefix: str, tmp_path: Path) -> Iterator[Company]:
    endpoints = private_stack.start()
    with company(endpoints, prefix, database_prefix, tmp_path, VICEVERSA_OUTBOX_AGE_LIMIT="5") as made:
        made.start()
        made.say([program()])
        until(lambda: made.count("matching", "programs", {}) == 1)
        yield made


def test_an_outage_of_kafka_parks_loses_and_doubles_nothing_and_callers_are_served_meanwhile(
    office: Company, private_stack: Stack
) -> None:
    enrol(office, 0)
    with away(office, private_stack.kafka, seconds=20, red={"matching"}), office.client("matching") as matching:
        for person in couple(COUPLES):
            profile = person.model_dump(mode="json", exclude={"program_id", "participant_id", "revision"})
            path = f"/programs/{person.program_id}/participants/{person.participant_id}"
            assert matching.put(path, json=profile).status_code == 201
    enrol(office, 1)
    all_is_told_once(office, 2 * COUPLES + 1)


def test_an_outage_of_mongodb_parks_loses_and_doubles_nothing(office: Company, private_stack: Stack) -> None:
    enrol(office, 0)
    with away(office, private_stack.mongod, seconds=5, red=set(NAMES)):
        pass
    enrol(office, 1)
    all_is_told_once(office, 2 * COUPLES)


def enrol(office: Company, turn: int) -> None:
    """The caller goes on while the services are still at work."""
    before = office.count("notifications", "notices", {"state": "sent"})
    couples = range(turn * (COUPLES + 1), turn * (COUPLES + 1) + COUPLES)
    office.say([person for number in couples for person in couple(number)])
    until(lambda: office.count("notifications", "notices", {"state": "sent"}) > before, what="a first mail")


@contextmanager
def away(office: Company, server: Server, seconds: float, red: set[str]) -> Iterator[None]:
    """Every service stays live; those in `red` say that they are not ready, until the server is back."""
    server.stop(kill=True)
    limit = time.monotonic() + seconds
    yield

    def over() -> bool:
        assert [name for name in NAMES if office.answers(name, "/health/live") != 200] == []
        red.difference_update([name for name in red if office.answers(name, "/health/ready") == 503])
        return time.monotonic() > limit and not red

    until(over, within=60, what="an outage that is noticed")
    server.start()
    until(lambda: all(office.answers(name, "/health/ready") == 200 for name in NAMES), what="readiness")


def all_is_told_once(office: Company, couples: int) -> None:
    until(lambda: office.has_told(couples * MAILS_PER_COUPLE), what="every mail")
    records = list(read(office.values["VICEVERSA_KAFKA"], office.prefix))
    found, facts, mails = audit(records), Facts().add(records), Mails(office.message_ids())
    assert found.clean, (found.doubled[:5], found.lost[:5], found.reordered[:5])
    assert facts.dead_letters == 0
    assert [*missing(facts, mails), *doubled(facts, mails)] == []
