"""How pairs are made and how they end: pure, with time moved by hand."""

import asyncio
from datetime import timedelta

import pytest

from libs.chassis.documents import to_row
from libs.chassis.state import State
from libs.chassis.unit_of_work import UnitOfWork
from libs.chassis.words import Erased
from libs.contracts import examples
from libs.contracts.events import (
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    ParticipantWithdrawn,
    ProgramPublished,
    SessionCompleted,
)
from libs.contracts.words import PairEndReason
from services.matching.app import service
from services.matching.commands import EndPair
from services.matching.store.pairs import Pair, PairState
from services.matching.store.people import Person
from services.matching.work import (
    EndPairs,
    EverybodyMatched,
    MatchEverybody,
    MatchWaiting,
    PairsProposed,
    PairsToEnd,
)
from tests.matching.rules_people import NOW, mentee, mentor, program
from tests.matching.world import (
    ADA,
    GRACE,
    HR,
    OWN,
    enrol,
    events,
    paired,
    person_of,
    program_with,
    proposal,
    reasons,
    revised,
    withdrawn,
)

# Pairs are made


def test_a_proposed_pair_is_made_and_both_leave_the_pool() -> None:
    world = paired()

    assert [person_of(world, name).seeking for name in ("ada", "grace")] == [False, False]
    assert world.document(Pair, "ada-grace").state is PairState.IN_FORCE


@pytest.mark.parametrize(
    "meanwhile",
    [
        withdrawn("ada", NOW),
        revised(GRACE, 2, consent={"matching": False}),
        revised(GRACE, 2, manager_ids=["ada"]),
        revised(ADA, 2, capacity=0),
        revised(ADA, 2, languages=["fr"]),
        ProgramPublished.model_validate(program(mode="rolling").model_dump() | {"revision": 2, "state": "closed"}),
        Erased(ParticipantEnrolled, "2026/grace"),
    ],
)
def test_a_pair_that_no_longer_holds_is_not_made(meanwhile: object) -> None:
    world = program_with(ADA, GRACE)
    world.when(meanwhile, at=NOW, source=HR)

    outcome = world.when(proposal(("ada", "grace")), at=NOW)

    assert outcome.facts == []
    assert world.rows.get("pairs", {}) == {}


def test_an_exclusion_that_came_meanwhile_holds() -> None:
    world = program_with()
    for person in (ADA, GRACE):
        world.when(enrol(person), at=NOW, source=OWN)
    world.when(enrol(GRACE, excluded_ids=["ada"]), at=NOW, source=OWN)

    assert world.when(proposal(("ada", "grace")), at=NOW).facts == []


def test_capacity_is_checked_when_pairs_are_made_not_only_when_they_are_planned() -> None:
    world = program_with(ADA, GRACE, mentee("Mina"))

    outcome = world.when(proposal(("ada", "grace"), ("ada", "mina")), at=NOW)

    assert [pair.mentee_id for pair in events(outcome, PairCreated)] == ["grace"]
    assert person_of(world, "mina").seeking


def test_the_next_look_is_at_once_where_pairs_were_made_and_else_in_a_second() -> None:
    world = program_with(ADA, GRACE)

    made = world.when(proposal(("ada", "grace")), at=NOW)
    none = world.when(proposal(("ada", "grace")), at=NOW)

    assert [later.at - NOW for later in (*made.later, *none.later)] == [timedelta(), timedelta(seconds=1)]


def test_who_has_a_place_left_stays_in_the_pool() -> None:
    world = program_with(ADA, GRACE, mentor_capacity=2)

    world.when(proposal(("ada", "grace")), at=NOW)

    assert [person_of(world, name).seeking for name in ("ada", "grace")] == [True, False]


def test_a_long_plan_is_made_in_parts_and_then_the_next_look_is_planned() -> None:
    world = program_with()
    plan = proposal(*((f"ada{n}", f"grace{n}") for n in range(300)))

    first = world.when(plan, at=NOW)
    rest = first.later[0].work
    second = world.when(rest, at=NOW)

    assert isinstance(rest, PairsProposed)
    assert len(rest.pairs) == 50
    again = tuple(id for pair in plan.pairs for id in (pair.mentor_id, pair.mentee_id))
    assert second.later[0].work == MatchWaiting(program_id="2026", last=plan.last, again=again)
    assert second.later[0].at == NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("held", "complete", "pause"),
    [
        (True, True, timedelta(minutes=10)),
        (False, True, timedelta(minutes=1)),
        (True, False, timedelta()),
    ],
)
def test_everybody_is_looked_at_again_after_a_while_sooner_if_pairs_failed_at_once_if_more_were_found(
    held: bool, complete: bool, pause: timedelta
) -> None:
    world = program_with(*([ADA, GRACE] if held else [ADA]))
    plan = EverybodyMatched(
        program_id="2026", round_id="r1", at=NOW, pairs=proposal(("ada", "grace")).pairs, complete=complete
    )

    outcome = world.when(plan, at=NOW)

    assert len(events(outcome, PairCreated)) == int(held)
    assert [(later.work, later.at - NOW) for later in outcome.later] == [(MatchEverybody(program_id="2026"), pause)]


@pytest.mark.parametrize("change", [{"state": "closed"}, {"state": "draft"}, {"mode": "rounds"}])
def test_a_program_that_does_not_match_as_people_arrive_plans_no_look(change: dict[str, str]) -> None:
    world = program_with()
    said = program(mode=change.get("mode", "rolling")).model_dump() | {"revision": 2, **change}
    world.when(ProgramPublished.model_validate(said), at=NOW)

    assert world.when(proposal(), at=NOW).later == []


# Pairs end


def _completed(series_done: bool, pair_id: str = "ada-grace") -> SessionCompleted:
    said = examples.SESSION_COMPLETED.model_dump() | {"pair_id": pair_id, "series_done": series_done}
    return SessionCompleted.model_validate(said)


def test_a_done_series_completes_the_pair_once() -> None:
    world = paired()

    assert reasons(world.when(_completed(False), at=NOW)) == []
    assert reasons(world.when(_completed(True), at=NOW)) == ["completed"]
    assert reasons(world.when(_completed(True), at=NOW)) == []
    assert [person_of(world, name).seeking for name in ("ada", "grace")] == [True, True]


def test_a_session_of_an_unknown_pair_is_no_error() -> None:
    world = program_with()

    assert world.when(_completed(True, "unheard"), at=NOW).refused is None
    assert world.rows.get("pairs", {}) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (revised(GRACE, 2, manager_ids=["boss", "ada"]), "reporting_line"),
        (revised(ADA, 2, consent={"matching": False}), "consent_revoked"),
        (revised(ADA, 2, role="mentee"), "rule_broken"),
        (withdrawn("ada", NOW), "withdrawn"),
        (Erased(ParticipantWithdrawn, "2026/ada"), "erased"),
    ],
)
def test_a_change_that_stands_against_a_pair_ends_it(change: object, reason: str) -> None:
    world = paired()

    outcome = world.when(change, at=NOW, source=HR)

    assert reasons(outcome) == [reason]
    assert [person_of(world, name).partners for name in ("ada", "grace")] == [[], []]


def test_a_change_that_stands_against_no_rule_for_pairs_in_force_leaves_them() -> None:
    world = paired()

    assert world.when(revised(ADA, 2, unit="Retail", languages=["fr"]), at=NOW, source=HR).facts == []
    assert not person_of(world, "ada").seeking


def test_who_was_asked_to_part_is_not_paired_again_within_the_cooldown() -> None:
    world = paired(cooldown_days=30)
    wish = EndPair(pair_id="ada-grace", reason=PairEndReason.MISMATCH, ended_by="grace")

    ended = world.when(wish, at=NOW)
    again = world.when(wish, at=NOW)

    assert [(event.reason, event.ended_by) for event in events(ended, PairEnded)] == [("mismatch", "grace")]
    assert again.refused is not None
    assert (again.refused.reason, again.refused.status) == ("ended", 409)
    assert world.when(proposal(("ada", "grace")), at=NOW).facts == []


def test_pairs_of_a_closed_program_end_until_none_is_left() -> None:
    world = paired()
    closed = program(mode="rolling").model_dump() | {"revision": 2, "state": "closed"}
    world.when(ProgramPublished.model_validate(closed), at=NOW)

    outcome = world.when(PairsToEnd(program_id="2026", pair_ids=("ada-grace",)), at=NOW)
    last = world.when(PairsToEnd(program_id="2026", pair_ids=()), at=NOW)

    assert reasons(outcome) == ["program_closed"]
    assert [later.work for later in outcome.later] == [EndPairs(program_id="2026")]
    assert last.later == []


def test_who_enrols_and_is_erased_in_one_batch_leaves_nothing() -> None:
    world = program_with()
    batch = UnitOfWork(world._find, service.speakers)

    for message in (ADA, Erased(ParticipantEnrolled, ADA.key)):
        handler = service.handler_of(message)
        assert handler
        asyncio.run(batch.run(handler, message, NOW, State(HR)))

    [ada] = [row for collection, new, _ in batch.writes() if collection == Person.collection for row in new]
    assert ada | {"version": 0} == to_row(Person(id=ADA.key))


def test_an_erased_person_leaves_a_number_and_nothing_else() -> None:
    world = paired()
    world.when(EndPair(pair_id="ada-grace", reason=PairEndReason.REQUESTED, ended_by="Ada's boss"), at=NOW)
    world.when(enrol(mentor("Mina")), at=NOW, source=OWN)

    for name in ("ada", "mina", "nobody"):
        world.when(Erased(ParticipantEnrolled, f"2026/{name}"), at=NOW)

    assert to_row(person_of(world, "mina")) | {"version": 0} == to_row(Person(id="2026/mina", said=1))
    pair = world.document(Pair, "ada-grace")
    assert (pair.created, pair.ended.ended_by, pair.ended.reason) == (None, None, PairEndReason.REQUESTED)
    assert "2026/nobody" not in world.rows["people"]
