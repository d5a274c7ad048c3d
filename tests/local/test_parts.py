import json
from urllib.request import urlopen

import pytest

from deploy.local import parts
from deploy.local.parts import Part
from deploy.local.processes import Process, StackError

CLOCK = Part("clock", "tests.local.fake_service")
LAMP = Part("lamp", "tests.local.fake_service")
BROKEN = Part("broken", "tests.local.no_such_service")


@pytest.fixture
def root(stack, prefix, tmp_path, monkeypatch):
    """A root whose services use the servers that all tests share."""
    monkeypatch.setenv("VICEVERSA_KAFKA", stack.kafka)
    monkeypatch.setenv("VICEVERSA_MONGODB", stack.mongodb)
    monkeypatch.setenv("VICEVERSA_PREFIX", prefix)
    yield tmp_path
    parts.down(tmp_path, [CLOCK, LAMP])


def up(root, *services: Part) -> dict[str, str]:
    return parts.up(root, services, hears={}, report=lambda _: None)


def pids(root) -> dict[str, int | None]:
    return {process.name: process.pid() for process in parts.processes(root, [CLOCK, LAMP])}


def test_up_returns_when_all_parts_are_ready_and_each_knows_the_others(root, stack):
    values = up(root, CLOCK, LAMP)

    assert parts.endpoints_of(root) == values
    with urlopen(values["VICEVERSA_CLOCK"], timeout=5) as answer:
        known = json.load(answer)
    assert known["VICEVERSA_KAFKA"] == stack.kafka
    assert {name: known[name] for name in values} == values


def test_up_again_starts_only_what_is_not_running(root):
    values = up(root, CLOCK, LAMP)
    before = pids(root)
    Process(root, "lamp", LAMP.module).stop(kill=True)

    assert up(root, CLOCK, LAMP) == values

    after = pids(root)
    assert all(after.values())
    assert {name for name in before if before[name] != after[name]} == {"lamp"}


def test_down_stops_every_part_with_its_replicas(root):
    values = up(root, CLOCK)
    second = parts.service(root, Part("clock-2", CLOCK.module), values)
    second.start()

    assert set(parts.down(root, [CLOCK])) == {"clock", "clock-2", "mail"}
    assert second.process.pid() is None
    assert parts.endpoints_of(root) == {}


def test_a_service_that_does_not_come_up_shows_the_end_of_its_log(root):
    with pytest.raises(StackError, match=r"(?s)broken ended; end of .*broken\.log.*no_such_service"):
        up(root, BROKEN)


def test_the_api_token_stands_in_the_endpoints_file_that_only_the_owner_reads(root, monkeypatch):
    monkeypatch.setenv("VICEVERSA_API_TOKEN", "lamp-light")

    parts.start_servers(root)

    assert parts.endpoints_of(root)["VICEVERSA_API_TOKEN"] == "lamp-light"
    assert (root / "endpoints.env").stat().st_mode & 0o077 == 0
