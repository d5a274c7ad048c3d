"""The driver: the same seed asks for the same, a failure can be read, and a short run finds nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaException
from rich.console import Console

from deploy.local.demo_lag import Lags
from deploy.local.processes import Process
from deploy.local.stack import Stack
from libs.ops import topics
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.records import Record
from tests.faults.checker.violations import Kind as Broken
from tests.faults.checker.violations import Violation
from tests.faults.driver import account, campaign
from tests.faults.driver.actions import ACTIONS, steps
from tests.faults.driver.deck import Deck
from tests.faults.driver.faults import KINDS, Fault
from tests.faults.driver.faults import Line as Card
from tests.faults.driver.nemesis import TOGETHER, Nemesis
from tests.faults.driver.office import Office
from tests.faults.driver.orders import Ask, Say
from tests.faults.driver.picture import draw
from tests.faults.driver.timeline import Kind, Line, Timeline, read
from tests.faults.instruments.servers import ServerFault, heal, strike
from tests.faults.struck.points import Point

SHORT = (
    "kill -9 of a replica",
    "SIGTERM of a replica",
    "SIGSTOP of a replica",
    "broker cut",
    "database cut",
    "mongod killed",
)
STEPS = 1_500


@dataclass(slots=True)
class Birds:
    """Canaries that fly at once."""

    def fly(self, within: float) -> float:
        return within / 100


@dataclass(slots=True)
class Nobody:
    """An office in which nothing can break."""

    cluster: Any = field(default_factory=lambda: SimpleNamespace(brokers=[None]))

    def ended(self) -> list[str]:
        return []


@pytest.fixture
def nemesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nemesis:
    """Of three kinds, one of which lasts longer than the others and one never falls."""

    def make(kind: str, office: Any, random: Random) -> Fault:
        met = (lambda: False) if kind == "never met" else None
        return Fault(kind, kind, lambda: None, lambda: None, 0.01 if kind == "long" else 0, met=met)

    kinds = {kind: Card(1, make) for kind in ("a", "long", "never met")}
    monkeypatch.setattr("tests.faults.driver.nemesis.KINDS", kinds)
    monkeypatch.setattr("tests.faults.driver.nemesis.PAUSES", (0, 0))
    monkeypatch.setattr("tests.faults.driver.nemesis.AT_ONCE", (3,))
    office: Any = Nobody()
    birds: Any = Birds()
    return Nemesis(office, birds, Timeline(tmp_path), Random(7))


def _recovered(nemesis: Nemesis) -> list[list[str]]:
    """The faults after which a fact went the whole way, one or two each time."""
    lines = read(nemesis.timeline.folder)
    return [line.what["after"].split(" and ") for line in lines if line.kind is Kind.RECOVERED]


def test_the_same_seed_asks_for_the_same_and_another_for_something_else() -> None:
    first, again, other = (list(islice(steps(seed), STEPS)) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_every_action_of_the_table_asks_for_something() -> None:
    asked = Counter(step.action for step in islice(steps(7), STEPS) if step.orders)
    assert {action.__name__.replace("_", " ") for _, action in ACTIONS} <= set(asked)


def test_a_record_has_one_id_and_is_repeated_only_on_purpose() -> None:
    said: Counter[str] = Counter()
    for step in islice(steps(7), STEPS):
        ids = [order.id for order in step.orders if isinstance(order, Say) and order.id and not order.poison]
        if step.action == "say facts again":
            assert all(said[id] for id in ids)
        else:
            assert not any(said[id] for id in ids)
        said.update(ids)


def test_nobody_is_spoken_of_as_enrolled_who_is_not() -> None:
    enrolled: set[str] = set()
    for step in islice(steps(7), STEPS):
        keys = {order.key for order in step.orders if isinstance(order, Say)}
        if step.action == "enrol couples":
            enrolled |= keys
        elif step.action in {"revise a profile", "reorganise", "revise what another system owns"}:
            assert keys <= enrolled


def test_no_request_has_the_key_of_another() -> None:
    asked = (order for step in islice(steps(7), STEPS) for order in step.orders)
    keys = Counter(order.key for order in asked if isinstance(order, Ask))
    assert set(keys.values()) == {1}


def test_every_kind_of_fault_comes_once_before_any_comes_again() -> None:
    copies = {kind: line.copies for kind, line in KINDS.items()}
    deck, again = (Deck(copies, Random(7)) for _ in range(2))
    dealt = [deck.draw() for _ in range(2 * sum(copies.values()))]
    assert set(dealt[: len(copies)]) == set(copies)
    assert Counter(dealt) == {kind: 2 * number for kind, number in copies.items()}
    assert dealt == [again.draw() for _ in dealt]


def test_no_faults_come_at_once_before_the_recovery_of_each_alone_is_known(nemesis: Nemesis) -> None:
    nemesis.run(0.3)
    known: set[str] = set()
    for faults in _recovered(nemesis):
        assert len(faults) == 1 or set(faults) <= known
        known |= set(faults)
    assert set(nemesis.recovery) == {"a", "long", TOGETHER}


def test_of_faults_at_once_the_longest_strikes_first_so_that_who_starts_anew_for_it_finds_its_servers(
    nemesis: Nemesis,
) -> None:
    nemesis.run(0.3)
    struck: list[str] = []
    pairs = 0
    for line in read(nemesis.timeline.folder):
        if line.kind is Kind.STRIKE:
            struck.append(line.what["fault"])
        elif line.kind is Kind.RECOVERED:
            if {"a", "long"} <= set(struck):
                pairs += 1
                assert struck.index("long") < struck.index("a")
            struck = []
    assert pairs


def test_a_fault_that_waits_for_a_moment_which_never_comes_is_none(nemesis: Nemesis) -> None:
    nemesis.run(0.3)
    assert nemesis.unmet["never met"] > 0
    assert "never met" not in nemesis.struck
    assert "never met" not in nemesis.recovery


def test_a_run_whose_generator_ended_by_itself_is_not_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(seed: int) -> Iterator[Any]:
        raise KeyError(seed)
        yield

    monkeypatch.setattr(campaign, "steps", broken)
    complaints: list[str] = []
    nobody: Any = None
    with campaign.generating(7, nobody, nobody, complaints):
        pass
    assert complaints == ["the generator ended by itself: KeyError(7)"]


def test_only_the_blow_at_its_point_ends_a_replica_that_is_to_be_struck(tmp_path: Path) -> None:
    name, log = "matching-2", Process(tmp_path, "matching-2", "").log
    server: Any = SimpleNamespace(process=SimpleNamespace(pid=lambda: None), last_words=log.read_text)
    nobody: Any = None
    office = Office(tmp_path, nobody, nobody, nobody, nobody, {}, {name: server})
    log.parent.mkdir(parents=True, exist_ok=True)

    log.write_text("KeyError\n")
    assert not office.fell(name, Point.CLAIMED)
    log.write_text(f"struck at {Point.CLAIMED}\n")
    assert office.fell(name, Point.CLAIMED)


def test_only_single_faults_are_late() -> None:
    taken = {"broker cut": [3.0, 31.5, 40.25], "broker slow": [29.0], TOGETHER: [50.0]}
    assert account.late(taken) == {"broker cut": 40.25}


def test_growth_shows_between_the_quarter_and_the_end() -> None:
    flat = account.course([80.0] * 40)
    assert (flat["start"], flat["quarter"], flat["end"], flat["max"]) == (80, 80, 80, 80)
    growing = account.course([float(size) for size in range(100)])
    assert (growing["start"], growing["quarter"], growing["end"]) == (2, 27, 97)


def test_a_failure_reads_as_what_was_asked_struck_and_written_around_it(tmp_path: Path) -> None:
    seconds = iter(range(0, 1000, 10))
    timeline = Timeline(tmp_path, clock=lambda: float(next(seconds)))
    timeline.note(Kind.ORDER, action="enrol couples", topic="participant-enrolled", key="north/ada-17")
    timeline.note(Kind.STRIKE, fault="kill -9 of a replica", detail="matching-2")
    timeline.note(Kind.ORDER, action="enrol couples", topic="participant-enrolled", key="north/mina-99")
    timeline.note(Kind.SAMPLE, facts=3)
    timeline.close()
    written = datetime(2026, 3, 2, 9, tzinfo=UTC)
    ada, mina = (
        Record("participant-enrolled", 0, n, int(written.timestamp() * 1000), f"north/{who}".encode(), b"{}")
        for n, who in enumerate(("ada-17", "mina-99"))
    )
    evidence = Evidence(
        records=(ada, mina),
        documents={"matching": {"people": [{"_id": "north/ada-17", "seeking": True}, {"_id": "north/mina-99"}]}},
        at=written + timedelta(seconds=20),
    )
    lost = Violation(Broken.LOST_FACT, "north/ada-17", "no pair-created for her", (ada,))

    told = "\n".join(account.story(tmp_path, [lost], ["no fact came through"], evidence))

    assert "BROKEN  lost fact: north/ada-17" in told
    assert "BROKEN  no fact came through" in told
    assert "kill -9 of a replica" in told
    assert "participant-enrolled/0/0" in told
    assert "'seeking': True" in told
    assert "mina-99" not in told


def test_a_run_that_only_stood_still_tells_what_was_struck_before(tmp_path: Path) -> None:
    seconds = iter(range(0, 1000, 10))
    timeline = Timeline(tmp_path, clock=lambda: float(next(seconds)))
    timeline.note(Kind.STRIKE, fault="broker cut", detail="")
    for _ in range(9):
        timeline.note(Kind.ORDER, action="enrol couples")
    timeline.note(Kind.STRIKE, fault="kill -9 of a replica", detail="matching-2")
    timeline.note(Kind.VIOLATION, what="no fact went the whole way")
    timeline.close()

    told = "\n".join(account.story(tmp_path, [], ["no fact went the whole way"], Evidence()))

    assert "BROKEN  no fact went the whole way" in told
    assert "kill -9 of a replica" in told
    assert "broker cut" not in told


def test_the_lag_counts_at_the_first_look_after_a_recovery_at_which_it_was_known() -> None:
    kinds = [
        (Kind.SAMPLE, {"lag": 500}),
        (Kind.RECOVERED, {}),
        (Kind.SAMPLE, {"lag": None}),
        (Kind.SAMPLE, {"lag": 30}),
        (Kind.SAMPLE, {"lag": 90}),
    ]
    assert account.lags_after_recovery(Line(0.0, kind, what) for kind, what in kinds) == [30]


def test_a_run_becomes_a_picture_with_its_faults_marked(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path)
    for facts in (0, 50, 120):
        timeline.note(Kind.SAMPLE, facts=facts, lag=facts, due=None, pages=0, memory_mb={"matching": 80.0})
    timeline.note(Kind.STRIKE, fault="kill -9 of a replica", detail="matching", seconds=1)
    timeline.close()

    draw(tmp_path, tmp_path / "soak.svg")

    picture = (tmp_path / "soak.svg").read_text()
    # text is drawn as glyphs, with what it says as a comment beside it
    assert {name for name in ("lag", "pages", "matching", "kill") if f"<!-- {name} -->" not in picture} == set()
    assert 'id="fault-0-speed"' in picture
    assert 'id="fault-0-behind"' in picture


def test_nobody_knows_how_far_behind_a_frozen_broker_anybody_is(private_stack: Stack, prefix: str) -> None:
    """And who asks goes on living, also when the answer comes late."""
    private_stack.kafka.start()
    topics.apply(private_stack.kafka.address, prefix, {"matching": ["participant-enrolled"]})
    lags, ends = Lags(private_stack.kafka.address, prefix), {("participant-enrolled", 0): 1}
    strike(private_stack.kafka, ServerFault.FREEZE)
    with pytest.raises(KafkaException):
        lags.look(ends)
    heal(private_stack.kafka)
    assert lags.look(ends)["participant-enrolled"]["matching"] == 1


@pytest.mark.timeout(600)
def test_a_short_run_loses_and_doubles_nothing(tmp_path: Path) -> None:
    outcome = campaign.run(campaign.Plan(seed=4, minutes=1.2, only=SHORT, folder=tmp_path))
    console = Console(record=True, width=150)
    account.show(outcome, console)
    assert outcome.clean, console.export_text()
    assert outcome.facts > 0
    assert outcome.nemesis.struck.total() > 0
