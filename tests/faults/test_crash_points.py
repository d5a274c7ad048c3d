"""Each named point of the chassis's sequence is struck while people enrol: a process is killed there, or freezes."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.stack import Endpoints
from tests.faults.checker.check import check
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.records import Record
from tests.faults.checker.story import OURS
from tests.faults.struck.door import MAILS_PER_COUPLE, Door, door_of
from tests.faults.struck.points import RELAY, Point
from tests.faults.struck.replicas import launch, struck_at, terminated
from tests.journeys.company import NAMES, Company

# Every point, with the services in which it can be met.
STRIKES = {
    "matching": (
        Point.DECODED,
        Point.DEAD_LETTER,
        Point.TO_COMMIT,
        Point.IN_COMMIT,
        Point.COMMITTED,
        Point.PREPARED,
    ),
    "scheduling": RELAY,
    "notifications": (
        Point.TO_COMMIT_OFFSETS,
        Point.OFFSETS_COMMITTED,
        Point.CLAIMED,
        Point.PREPARED,
    ),
}
NOTIFIERS = len(STRIKES["notifications"])


def test_every_point_is_struck() -> None:
    assert {point for points in STRIKES.values() for point in points} == set(Point)


@pytest.mark.timeout(600)
def test_a_process_that_is_killed_at_any_point_loses_and_doubles_nothing(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path
) -> None:
    with door_of(stack, prefix, database_prefix, tmp_path) as door:
        with struck_at(door, STRIKES, signal.SIGKILL) as replicas:
            for replica in replicas:
                assert f"struck at {replica.point}\n" in replica.log.read_text()
                assert replica.process.exitcode == -signal.SIGKILL
            door.until_all_is_told()
        nothing_is_broken(door, door.evidence(repeated_mails=NOTIFIERS))


@pytest.mark.timeout(600)
def test_a_process_that_freezes_at_any_point_and_comes_back_after_others_took_over_loses_and_doubles_nothing(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path
) -> None:
    with door_of(stack, prefix, database_prefix, tmp_path) as door:
        with struck_at(door, STRIKES, signal.SIGSTOP) as replicas:
            door.until_all_is_told()
            assert [str(replica.point) for replica in replicas if not replica.is_frozen] == []
            for replica in replicas:
                replica.go_on()
            for _ in range(3):
                door.enrol()
            door.until_all_is_told()
            assert terminated(replicas) == {-signal.SIGTERM}
            door.until_all_is_told()
        nothing_is_broken(door, door.evidence(repeated_mails=NOTIFIERS))


@pytest.mark.timeout(300)
def test_replicas_whose_clocks_are_two_hours_apart_go_by_the_database_and_lose_and_double_nothing(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path
) -> None:
    with door_of(stack, prefix, database_prefix, tmp_path) as door:
        with wrong_clocks(door.office):
            for _ in range(20):
                door.enrol()
            door.until_all_is_told()
        found = door.evidence()
        nothing_is_broken(door, found)
        assert hours_told(found.records) == {0}


def nothing_is_broken(door: Door, found: Evidence) -> None:
    assert list(map(str, check(found))) == []
    assert len(found.taken) == door.couples * MAILS_PER_COUPLE


@contextmanager
def wrong_clocks(office: Company) -> Iterator[None]:
    """Two replicas of each service, one an hour ahead and one an hour behind."""
    replicas = [launch(office, name, f"{hour:+d}", "--clock", str(hour * 3600)) for name in NAMES for hour in (1, -1)]
    try:
        yield
    finally:
        ends = terminated(replicas)
    assert ends == {-signal.SIGTERM}


def hours_told(records: Sequence[Record]) -> set[int]:
    """How many hours the facts that the services just said are away from now."""
    now = datetime.now(UTC)
    times = [record.text("ce_time") for record in records if record.text("ce_source").startswith(OURS)]
    return {round((datetime.fromisoformat(time) - now) / timedelta(hours=1)) for time in times}
