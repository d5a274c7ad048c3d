"""Facts that come in the other order lead the three services to the same state."""

from itertools import chain
from pathlib import Path
from typing import Any

from deploy.local.audit import audit, read
from deploy.local.demo_facts import Facts
from deploy.local.stack import Endpoints
from libs.contracts.events import Event, ParticipantWithdrawn, SessionCompleted
from libs.contracts.examples import PARTICIPANT_WITHDRAWN, SESSION_COMPLETED
from tests.journeys.company import NAMES, Company, company, couple, program, until

# What says when something was heard, or how often a document was written.
TRACES = ("_id", "version", "said", "changed_at", "waiting_since")


def test_facts_in_the_other_order_lead_to_the_same_state(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path
) -> None:
    """Revision 3 before 2, withdrawn before enrolled, a meeting of a pair that nobody knows."""
    with company(stack, prefix, database_prefix, tmp_path) as office:
        office.start()
        office.say([program()])
        until(lambda: all(handled(office, name) == 1 for name in NAMES), what="the programme")
        forth, back = story(1), list(reversed(story(2)))
        for fact in chain(*zip(forth, back, strict=True)):
            office.say([fact])
        until(lambda: [handled(office, name) for name in NAMES] == [11, 9, 11], what="every fact")
        for name in NAMES:
            known = people(office, name)
            assert known["mina-1"] == known["mina-2"], name
            assert known["omar-1"] == known["omar-2"], name
        records = list(read(stack.kafka, prefix))
    assert audit(records).clean
    assert Facts().add(records).dead_letters == 0


def story(number: int) -> list[Event]:
    """Mina changes her profile, Omar leaves, and a pair of somebody else's is done."""
    mentor = couple(number)[0]
    mina, omar = (
        mentor.model_copy(update={"participant_id": f"{name}-{number}", "name": name, "email": f"{name}@x.invalid"})
        for name in ("mina", "omar")
    )
    left: dict[str, Any] = {"participant_id": omar.participant_id, "revision": 9}
    done: dict[str, Any] = {"pair_id": f"unknown-{number}", "session_id": f"unknown-{number}", "series_done": True}
    return [
        mina.model_copy(update={"revision": 2}),
        omar,
        mina.model_copy(update={"revision": 3, "unit": "Legal"}),
        ParticipantWithdrawn.model_validate(PARTICIPANT_WITHDRAWN.model_dump() | left),
        SessionCompleted.model_validate(SESSION_COMPLETED.model_dump() | done),
    ]


def handled(office: Company, name: str) -> int:
    """How many events of the outside the service has taken in."""
    return sum("/hr" in str(row["_id"]) for row in office.rows(name, "inbox", ["_id"]))


def people(office: Company, name: str) -> dict[str, dict[str, Any]]:
    return {row["_id"].partition("/")[2]: _timeless(row) for row in office.rows(name, "people")}


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in TRACES}
    return {name: _same_person(value) for name, value in kept.items()}


def _same_person(value: Any) -> Any:
    """Ids, grades and digests tell the two tellings apart, and nothing else may."""
    if isinstance(value, dict):
        return {name: _same_person(inner) for name, inner in value.items() if name not in ("grade", "digest")}
    if isinstance(value, list):
        return [_same_person(inner) for inner in value]
    return value.replace("-2", "-1") if isinstance(value, str) and value[:4] in ("mina", "omar") else value
