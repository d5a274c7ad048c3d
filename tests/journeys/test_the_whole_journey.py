"""A pair from enrolment to the end of its series, through the three services, by their doors alone."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.audit import audit, read
from deploy.local.demo_facts import Facts, Follower
from deploy.local.demo_owed import Mails, doubled, missing
from deploy.local.stack import Endpoints
from libs.contracts.events import ParticipantEnrolled
from tests.journeys.company import Company, company, couple, program, until

ADA, GRACE = couple(1)


@pytest.fixture
def office(stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path) -> Iterator[Company]:
    with company(stack, prefix, database_prefix, tmp_path) as made:
        made.start()
        yield made


@pytest.fixture
def heard(office: Company) -> Iterator[Follower]:
    with Follower(office.values["VICEVERSA_KAFKA"], office.prefix) as follower:
        yield follower


def test_two_people_enrol_are_paired_meet_twice_and_are_told_of_each_step_once(
    office: Company, heard: Follower
) -> None:
    with office.client("matching") as matching, office.client("scheduling") as scheduling:
        publish(matching, sessions=2)
        enrol(matching, ADA, GRACE)
        pair = only(matching, f"/programs/{ADA.program_id}/pairs")
        assert (pair["mentor_id"], pair["mentee_id"]) == (ADA.participant_id, GRACE.participant_id)

        first = planned(scheduling, pair, number=1)
        complete(scheduling, first, "mentor")
        until(lambda: told(heard)[GRACE.participant_id, "session_completed"] == 1, what="Grace is asked how it was")
        second = planned(scheduling, pair, number=2)
        complete(scheduling, second, "mentee")
        until(lambda: told(heard)[ADA.participant_id, "thank_you"] == 1, what="Ada is thanked")
        until(lambda: told(heard)[GRACE.participant_id, "thank_you"] == 1, what="Grace is thanked")
        until(lambda: told(heard)[ADA.participant_id, "session_completed"] == 1, what="Ada is asked how it was")

        ended = matching.get(f"/pairs/{pair['pair_id']}").json()
        assert (ended["state"], ended["ended"]["reason"]) == ("ended", "completed")
        assert items(scheduling, "/sessions", state="planned") == []
    each = ("welcome", "pair_created", "session_scheduled", "session_scheduled", "session_completed", "thank_you")
    people = (ADA.participant_id, GRACE.participant_id)
    assert told(heard) == Counter((who, template) for who in people for template in each)
    everything_was_said_and_mailed_once(office)


def test_who_withdraws_hears_no_more_and_the_other_is_told_and_meets_somebody_new(
    office: Company, heard: Follower
) -> None:
    eve = couple(1)[1].model_copy(update={"participant_id": "eve-1", "name": "Eve", "email": "eve-1@engines.invalid"})
    with office.client("matching") as matching, office.client("scheduling") as scheduling:
        publish(matching, sessions=2)
        enrol(matching, ADA, GRACE)
        pair = only(matching, f"/programs/{ADA.program_id}/pairs")
        session = planned(scheduling, pair, number=1)
        until(lambda: told(heard)[GRACE.participant_id, "session_scheduled"] == 1, what="Grace is invited")
        until(lambda: told(heard)[ADA.participant_id, "session_scheduled"] == 1, what="Ada is invited")

        person = f"/programs/{GRACE.program_id}/participants/{GRACE.participant_id}"
        assert matching.delete(person, params={"reason": "left_company"}).status_code == 204
        until(lambda: scheduling.get(f"/sessions/{session['session_id']}").json()["state"] == "cancelled")
        until(lambda: told(heard)[ADA.participant_id, "pair_ended"] == 1, what="Ada is told")
        enrol(matching, eve)
        until(lambda: told(heard)[eve.participant_id, "session_scheduled"] == 1, what="Eve is invited")
        until(lambda: told(heard)[ADA.participant_id, "session_scheduled"] == 2, what="Ada is invited again")
    assert {template for who, template in told(heard) if who == GRACE.participant_id} <= {
        "welcome",
        "pair_created",
        "session_scheduled",
    }
    everything_was_said_and_mailed_once(office, left=GRACE.participant_id)


def publish(matching: httpx.Client, *, sessions: int) -> None:
    published = program(sessions=sessions)
    wish = published.model_dump(mode="json", include={"name", "state", "policy"})
    assert matching.put(f"/programs/{published.program_id}", json=wish).status_code == 201


def enrol(matching: httpx.Client, *people: ParticipantEnrolled) -> None:
    for person in people:
        profile = person.model_dump(mode="json", exclude={"program_id", "participant_id", "revision", "enrolled_at"})
        path = f"/programs/{person.program_id}/participants/{person.participant_id}"
        assert matching.put(path, json=profile).status_code == 201


def items(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    return list(client.get(path, params=query).raise_for_status().json()["items"])


def only(client: httpx.Client, path: str, **query: str) -> dict[str, Any]:
    """The one item that the list has, in the end."""
    until(lambda: bool(items(client, path, **query)), within=30, what=f"{path} {query}")
    (item,) = items(client, path, **query)
    return item


def planned(scheduling: httpx.Client, pair: dict[str, Any], *, number: int) -> dict[str, Any]:
    session = only(scheduling, "/sessions", pair_id=pair["pair_id"], state="planned")
    assert session["number"] == number
    return session


def complete(scheduling: httpx.Client, session: dict[str, Any], side: str) -> None:
    words = {"by": side, "rating": 5, "topics": ["generative-ai"]}
    scheduling.post(f"/sessions/{session['session_id']}/complete", json=words).raise_for_status()


def told(heard: Follower) -> Counter[tuple[str, str]]:
    """How often whom which kind of message reached, as the topic says by now."""
    while heard.read():
        pass
    return Counter((fact["participant_id"], fact["template"]) for fact in heard.facts["notification-sent"])


def everything_was_said_and_mailed_once(office: Company, left: str = "") -> None:
    records = list(read(office.values["VICEVERSA_KAFKA"], office.prefix))
    found, facts, mails = audit(records), Facts().add(records), Mails(office.message_ids())
    assert found.clean, found
    assert facts.dead_letters == 0
    assert [line for line in missing(facts, mails) if not left or left not in line] == []
    assert list(doubled(facts, mails)) == []
    assert mails.count == len(facts["notification-sent"])
