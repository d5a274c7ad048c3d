"""The README's answer to "what happens on pair-created?" is what the services' tables say."""

import pytest

from libs.contracts.events import NotificationSent, PairAtRisk, PairCreated, SessionScheduled
from services.matching.app import service as matching
from services.matching.work import PairsProposed
from services.notifications.app import service as notifications
from services.scheduling.app import service as scheduling
from tests.docs.pages import ROOT

TRAIL = (ROOT / "README.md").read_text("utf-8").partition("## What happens on")[2].partition("\n## ")[0]


@pytest.mark.parametrize("service", [scheduling, notifications], ids=lambda service: service.name)
def test_the_trail_names_the_handler_of_each_service_that_hears_it(service) -> None:
    assert service.hears[PairCreated].__name__ in TRAIL


def test_the_trail_names_the_handler_that_lets_a_pair_say_it() -> None:
    assert matching.wakes[PairsProposed].__name__ in TRAIL
    assert PairCreated in matching.speakers
    assert PairCreated not in matching.hears


def test_the_trail_names_what_is_said_next() -> None:
    assert {SessionScheduled, PairAtRisk} <= scheduling.speakers.keys()
    assert NotificationSent in notifications.speakers
    assert all(event.__name__ in TRAIL for event in (SessionScheduled, PairAtRisk, NotificationSent))


def test_the_picture_shows_every_fact_that_services_say() -> None:
    picture = (ROOT / "README.md").read_text("utf-8").partition("```mermaid")[2].partition("```")[0]
    said = {event.topic for service in (matching, scheduling, notifications) for event in service.speakers}
    assert {topic for topic in said if topic not in picture} == set()
