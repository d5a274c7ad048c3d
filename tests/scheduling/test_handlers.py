from itertools import permutations

import pytest

from libs.chassis.words import Erased
from libs.contracts.events import (
    PairAtRisk,
    ParticipantEnrolled,
    ProgramPublished,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
)
from services.scheduling.app import service
from services.scheduling.commands import (
    CancelSession,
    CompleteSession,
    ConfirmSession,
    LookAgain,
    MarkAbsent,
    MoveSession,
    NoShowCheck,
)
from services.scheduling.store.pairs import Pair
from services.scheduling.store.people import Diary, Person
from services.scheduling.store.sessions import Session
from tests.given import Given, given
from tests.scheduling.journeys import MONDAY, PROGRAM, pair_created, pair_ended, person, program, time, withdrawn

FIRST = "ada-grace.1"


def world(*messages: object, at: str = MONDAY) -> Given:
    """A world in which these facts became known."""
    scheduling = given(service)
    for message in messages:
        scheduling.when(message, at=at)
    return scheduling


def a_pair(**policy) -> Given:
    """Ada and Grace with their first session on Tuesday at nine in Zurich."""
    return world(program(**policy), person("Ada"), person("Grace"), pair_created())


def facts(outcome) -> list:
    return [said.event for said in outcome.facts]


def kinds(outcome) -> list[type]:
    return [type(fact) for fact in facts(outcome)]


def stored(scheduling: Given) -> dict:
    """All that is stored, but for what only counts writes and facts, and ids put aside."""
    return {
        collection: {
            id: {name: value for name, value in row.items() if name not in ("version", "said", "planned_at")}
            for id, row in rows.items()
            if row.get("state") != "unplanned"
        }
        for collection, rows in scheduling.rows.items()
    }


def completed(by="mentor", session=FIRST, **more) -> CompleteSession:
    return CompleteSession(session_id=session, by=by, **more)


def test_a_new_pair_meets_at_the_earliest_slot_from_the_next_working_day_on():
    scheduling = world(program(), person("Ada"), person("Grace", hours="10:00-12:00"))

    outcome = scheduling.when(pair_created(), at=MONDAY)

    (session,) = facts(outcome)
    assert (session.session_id, session.number, session.revision) == (FIRST, 1, 1)
    assert session.starts_at == time("2026-03-03T10:00+01:00")
    (check,) = outcome.later
    assert (check.work, check.at) == (NoShowCheck(session_id=FIRST, revision=1), time("2026-03-05T10:00Z"))


def test_a_pair_without_a_common_slot_is_a_warning_not_silence():
    scheduling = world(program(), person("Ada", zone="Asia/Tokyo"), person("Grace", zone="America/New_York"))

    outcome = scheduling.when(pair_created(), at=MONDAY)

    (sign,) = facts(outcome)
    assert (sign.sign, sign.detail) == ("no_common_slot", "working hours never overlap in 8 weeks")
    assert scheduling.document(Pair, "ada-grace").at_risk
    assert [later.work for later in outcome.later] == [LookAgain(pair_id="ada-grace")]


ARRIVALS = [program(), person("Ada"), person("Grace"), pair_created()]


@pytest.mark.parametrize("order", list(permutations(ARRIVALS)), ids=str)
def test_the_first_session_does_not_hang_on_the_order_of_arrival(order):
    scheduling = given(service)

    said = [fact for message in order for fact in facts(scheduling.when(message, at=MONDAY))]

    assert [type(fact) for fact in said] == [SessionScheduled]
    assert stored(scheduling) == stored(a_pair())


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("order", list(permutations(ARRIVALS)), ids=str)
def test_a_pair_that_ended_has_no_planned_session_wherever_its_end_arrives(order, place):
    scheduling = given(service)
    messages = [*order[:place], pair_ended(), *order[place:]]

    said = [type(fact) for message in messages for fact in facts(scheduling.when(message, at=MONDAY))]

    assert said in ([], [SessionScheduled, SessionCancelled])
    assert not scheduling.document(Pair, "ada-grace").session_id
    for key in (f"{PROGRAM}/ada", f"{PROGRAM}/grace"):
        assert scheduling.document(Diary, key).meetings == []
        assert scheduling.document(Diary, key).waiting == []
