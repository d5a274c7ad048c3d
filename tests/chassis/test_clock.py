"""Replicas go by the clock of the database, whatever their own say."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.chassis import clock
from libs.chassis.clock import Clock
from libs.chassis.mongo import Database
from tests.faults.struck.clock import clock_of

NOW = datetime(2026, 3, 2, 9, 0, 0, 123_456, tzinfo=UTC)


class Asked:
    """A server that needs four seconds for an answer, and the clock of who asks."""

    def __init__(self, ahead: timedelta) -> None:
        self.here = NOW + ahead

    def now(self, zone: object) -> datetime:
        return self.here

    async def time(self) -> datetime:
        self.here += timedelta(seconds=4)
        return NOW + timedelta(seconds=2)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1), timedelta()])
async def test_a_clock_is_set_by_the_middle_of_the_question(ahead: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, mine = Asked(ahead), Clock()
    monkeypatch.setattr(clock, "datetime", asked)

    await mine.set(asked.time)

    assert mine.now() == NOW + timedelta(seconds=4) - timedelta(microseconds=456)


async def test_a_process_with_a_wrong_clock_learns_the_time_of_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "datetime", clock_of(timedelta(hours=5)))
    assert database.now() - datetime.now(UTC) > timedelta(hours=4)

    await database.set_clock()

    assert abs(database.now() - datetime.now(UTC)) < timedelta(hours=1)
