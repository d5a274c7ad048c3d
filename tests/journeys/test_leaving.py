"""Somebody leaves, and is forgotten: what the other side hears, and what stays in three databases."""

import json
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from icalendar import Calendar
from pymongo import MongoClient

from deploy.local.stack import Endpoints
from tests.journeys.company import NAMES, Company, company, couple, program, until

GONE = ("Ada-0", "ada-0@", "falconry", "a private remark", "Countess")
ENROLLED, GRACE = "participant-enrolled", "grace-0@engines.invalid"


@pytest.fixture
def employer(stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path) -> Iterator[Company]:
    with company(stack, prefix, database_prefix, tmp_path / "employer") as made:
        made.start()
        yield made


@pytest.mark.timeout(180)
def test_who_leaves_is_cancelled_for_the_other_side_and_who_is_erased_is_nowhere(employer: Company) -> None:
    ada, grace = couple(0)
    ada = ada.model_copy(update={"goals": (ada.goals[0].model_copy(update={"topic": "falconry"}),)})
    employer.say([program(), ada, grace])
    until(lambda: employer.has_told(6), what="the first mails")
    employer.say([ada.model_copy(update={"name": "Countess"})])
    until(lambda: all(employer.count(name, "dead_letters", {"reason": "conflict"}) for name in NAMES))
    with employer.client("scheduling") as scheduling:
        (session,) = scheduling.get("/sessions").json()["items"]
        words = {"by": "mentor", "rating": 2, "comment": "a private remark"}
        assert scheduling.post(f"/sessions/{session['session_id']}/complete", json=words).status_code == 200
    until(lambda: "session_scheduled" in sent(employer, number=2), what="the second meeting's mails")
    assert all(found_in(employer, trace) for trace in GONE)

    with employer.client("matching") as matching:
        assert matching.delete(f"/programs/{ada.program_id}/participants/{ada.participant_id}").status_code == 204
    until(lambda: {"pair_ended", "session_cancelled"} <= sent(employer), what="the cancellation's mails")
    the_meeting_leaves_graces_calendar(employer)

    erase(employer, ada.key)
    until(lambda: not any(found_in(employer, trace) for trace in GONE), what="the erasure")
    assert found_in(employer, "Grace-0")
    assert all(row["said"] for row in employer.rows("matching", "people") if row["_id"] == ada.key)
    assert not any(trace in log_of(employer) for trace in GONE)


def sent(employer: Company, number: int = 1) -> set[str]:
    """What Grace was told at least so many times."""
    rows = employer.rows("notifications", "notices")
    mine = [row["notice"] for row in rows if row["state"] == "sent" and row["person"].endswith("/grace-0")]
    kinds = [notice["template"] for notice in mine]
    return {kind for kind in kinds if kinds.count(kind) >= number}


def the_meeting_leaves_graces_calendar(employer: Company) -> None:
    """The cancellation names the meeting by the UID of its invitation, with a higher SEQUENCE."""
    parts = [part for mail in employer.mails().values() if GRACE in str(mail["To"]) for part in invitations(mail)]
    (cancelled,) = [event for method, event in parts if method == "CANCEL"]
    (invited,) = [event for method, event in parts if method == "REQUEST" and event["uid"] == cancelled["uid"]]
    assert cancelled["sequence"] > invited["sequence"]
    assert cancelled["dtstart"].dt == invited["dtstart"].dt


def invitations(mail: EmailMessage) -> Iterator[tuple[str, Any]]:
    for part in mail.walk():
        if part.get_content_type() == "text/calendar":
            calendar: Any = Calendar.from_ical(part.get_content())
            yield from ((str(calendar["method"]), event) for event in calendar.walk("VEVENT"))


def erase(employer: Company, key: str) -> None:
    """As an operator or the HR system would: a null value."""
    producer = Producer({"bootstrap.servers": employer.values["VICEVERSA_KAFKA"], "partitioner": "murmur2_random"})
    for topic in (ENROLLED, "participant-withdrawn"):
        producer.produce(employer.prefix + topic, None, key)
    assert producer.flush(30) == 0


def found_in(employer: Company, trace: str) -> list[str]:
    """The collections of all three services that hold this text anywhere."""
    found = []
    with MongoClient[dict[str, Any]](employer.values["VICEVERSA_MONGODB"]) as client:
        for name in NAMES:
            database = client[f"{employer.database}_{name}"]
            for collection in database.list_collection_names():
                texts = (str(row) for row in database[collection].find({}))
                found += [f"{name}.{collection}" for text in texts if trace in text]
    return found


def log_of(employer: Company) -> str:
    lines = [line for path in (employer.root / "log").glob("*.log") for line in path.read_text().splitlines()]
    assert any(json.loads(line) for line in lines if line.startswith("{"))
    return "\n".join(lines)
