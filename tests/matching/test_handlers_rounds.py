"""Rounds and capacities that change: pure, with time moved by hand."""

from datetime import timedelta
from typing import Any

from libs.chassis.documents import to_row
from libs.chassis.unit_of_work import Outcome
from libs.chassis.words import Erased
from libs.contracts.events import PairCreated, ParticipantEnrolled
from libs.contracts.words import ProgramState
from services.matching.answers import pair_found
from services.matching.commands import AskForRound, EndPair
from services.matching.handlers.rounds import LISTS_KEPT
from services.matching.store.rounds import (
    Finding,
    Optimum,
    Plan,
    Round,
    RoundState,
    RoundWish,
    results,
    sheet,
)
from services.matching.work import (
    DropLists,
    MakePairs,
    PeopleToSettle,
    RoundFailed,
    RoundPlanned,
    SettlePlaces,
    SweepAttempts,
)
from tests.given import Given
from tests.matching.rules_people import NOW, mentee, mentor, program
from tests.matching.world import (
    ADA,
    GRACE,
    HR,
    events,
    paired,
    person_of,
    program_with,
    proposal,
    revised,
    withdrawn,
)

# Capacity and rounds


def test_a_higher_capacity_brings_who_is_paired_back_to_the_pool() -> None:
    world = paired()
    changed = program(mode="rolling", mentor_capacity=2).model_copy(update={"revision": 2})

    told = world.when(changed, at=NOW)
    more = world.when(PeopleToSettle(program_id="2026", person_ids=("2026/ada", "2026/grace")), at=NOW)
    last = world.when(PeopleToSettle(program_id="2026", person_ids=()), at=NOW)

    assert SettlePlaces(program_id="2026") in [later.work for later in told.later]
    assert [later.work for later in more.later] == [SettlePlaces(program_id="2026", after="2026/grace")]
    assert last.later == []
    assert [person_of(world, name).seeking for name in ("ada", "grace")] == [True, False]


def planned(*twos: tuple[str, str], attempt: str = "2026/r1/1") -> RoundPlanned:
    plan = Plan(
        attempt=attempt,
        people=5,
        planned=len(twos),
        unmatched=1,
        sheets=len(twos),
        optimum=Optimum(value=0.5, upper_bound=0.5, gap=0),
    )
    return RoundPlanned(program_id="2026", round_id="r1", at=NOW, plan=plan)


def ask(world: Given, round_id: str = "r1", **wish: Any) -> Outcome:
    return world.when(AskForRound(program_id="2026", round_id=round_id, wish=RoundWish(**wish)), at=NOW)


def store(world: Given, *twos: tuple[str, str], attempt: str = "2026/r1/1") -> None:
    """The findings of an attempt, with a pair a sheet, as they stand beside all transactions."""
    for number, pair in enumerate(proposal(*twos).pairs):
        line = Finding(
            id=f"{attempt}/pairs/{pair.mentor_id}/{pair.mentee_id}",
            version=1,
            results=results(attempt, "pairs"),
            sheet=sheet(attempt, number),
            pair_id=pair.pair_id,
            mentor=f"2026/{pair.mentor_id}",
            mentee=f"2026/{pair.mentee_id}",
            shown=pair_found(pair),
        )
        world.rows.setdefault("findings", {})[line.id] = to_row(line)


def begun(world: Given, *twos: tuple[str, str], **wish: Any) -> Outcome:
    """A round whose plan is stored and counts."""
    ask(world, **wish)
    store(world, *twos)
    return world.when(planned(*twos), at=NOW)


def sheet_of(number: int) -> MakePairs:
    return MakePairs(program_id="2026", round_id="r1", sheet=number)


def run(world: Given, outcome: Outcome) -> list[PairCreated]:
    """All that the round still has to do; the pairs that it makes."""
    made: list[PairCreated] = []
    while works := [later.work for later in outcome.later if isinstance(later.work, MakePairs)]:
        outcome = world.when(works[0], at=NOW)
        made += events(outcome, PairCreated)
    return made


def test_a_round_makes_the_pairs_that_still_hold_and_tells_of_the_others() -> None:
    world = program_with(ADA, GRACE, mentor("Mary"))

    made = run(world, begun(world, ("ada", "grace"), ("mary", "grace")))

    round = world.document(Round, "2026/r1")
    assert [pair.mentor_id for pair in made] == ["ada"]
    assert (round.state, round.planned, round.written, round.made) == (RoundState.DONE, 2, 2, 1)
    shown = {id.rpartition("/pairs/")[2]: row["shown"] for id, row in world.rows["findings"].items()}
    assert (shown["ada/grace"]["made"], shown["ada/grace"]["pair_id"]) == (True, "ada-grace")
    assert (shown["mary/grace"]["made"], shown["mary/grace"]["pair_id"]) == (False, None)


def test_nobody_is_paired_before_the_whole_plan_is_stored_and_counts() -> None:
    world = program_with(ADA, GRACE)
    ask(world)
    store(world, ("ada", "grace"))

    outcome = world.when(sheet_of(0), at=NOW)

    assert (outcome.facts, outcome.later) == ([], [])


def test_the_first_attempt_that_is_stored_counts_and_a_later_one_changes_nothing() -> None:
    world = program_with(ADA, GRACE, mentor("Mary"))
    begun(world, ("ada", "grace"))
    store(world, ("mary", "grace"), attempt="2026/r1/2")

    late = world.when(planned(("mary", "grace"), attempt="2026/r1/2"), at=NOW)
    (made,) = events(world.when(sheet_of(0), at=NOW), PairCreated)

    assert (late.facts, late.later, made.mentor_id) == ([], [], "ada")


def test_a_sheet_that_comes_again_after_the_round_makes_nothing_again() -> None:
    world = program_with(ADA, GRACE, mentee_capacity=5)
    run(world, begun(world, ("ada", "grace")))
    before = world.document(Round, "2026/r1")

    assert world.when(sheet_of(0), at=NOW).facts == []
    assert world.document(Round, "2026/r1").written == before.written == 1


def test_a_round_that_is_under_way_takes_note_of_who_leaves_and_of_smaller_capacities() -> None:
    world = program_with(ADA, mentor("Mary"), GRACE, mentee("Mina"), mentor_capacity=2)
    first = begun(world, ("ada", "grace"), ("ada", "mina"), ("mary", "mina"))
    world.when(sheet_of(0), at=NOW)
    world.when(revised(ADA, 2, capacity=1), at=NOW, source=HR)
    world.when(withdrawn("mary", NOW), at=NOW, source=HR)

    made = [pair for number in (1, 2) for pair in events(world.when(sheet_of(number), at=NOW), PairCreated)]

    assert [type(later.work) for later in first.later] == [SweepAttempts, DropLists, MakePairs]
    assert (made, [len(person_of(world, name).partners) for name in ("ada", "mina")]) == ([], [1, 0])
    assert world.document(Round, "2026/r1").state is RoundState.DONE


def test_a_programme_that_closes_ends_its_round_without_further_pairs() -> None:
    world = program_with(ADA, GRACE)
    outcome = begun(world, ("ada", "grace"))
    world.when(program().model_copy(update={"revision": 2, "state": ProgramState.CLOSED}), at=NOW)

    assert run(world, outcome) == []
    assert world.document(Round, "2026/r1").state is RoundState.DONE


def test_what_a_round_found_is_dropped_long_after_and_the_round_says_so() -> None:
    world = program_with(ADA, GRACE)
    outcome = begun(world, ("ada", "grace"))
    (drop,) = (later for later in outcome.later if isinstance(later.work, DropLists))
    run(world, outcome)

    world.when(drop.work, at=drop.at)

    round = world.document(Round, "2026/r1")
    assert drop.at == NOW + LISTS_KEPT
    assert (round.lists_dropped, round.state, round.made) == (True, RoundState.DONE, 1)


def test_the_results_of_a_round_forget_an_erased_person() -> None:
    world = program_with(ADA, GRACE)
    run(world, begun(world, ("ada", "grace")))

    world.when(Erased(ParticipantEnrolled, "2026/ada"), at=NOW)

    pair = world.document(Finding, "2026/r1/1/pairs/ada/grace").shown
    assert (pair["rationale"], pair["score"], pair["mentee_id"]) == (None, None, "grace")


def test_who_is_erased_while_a_round_is_under_way_is_not_paired() -> None:
    world = program_with(ADA, GRACE)
    outcome = begun(world, ("ada", "grace"))
    world.when(Erased(ParticipantEnrolled, "2026/ada"), at=NOW)

    assert run(world, outcome) == []
    assert world.document(Round, "2026/r1").written == 1
    assert world.document(Finding, "2026/r1/1/pairs/ada/grace").shown["rationale"] is None


def test_a_dry_round_touches_neither_people_nor_pairs() -> None:
    world = program_with(ADA, GRACE)
    before = dict(world.rows["people"])

    outcome = begun(world, ("ada", "grace"), dry_run=True)

    assert run(world, outcome) == []
    assert (world.rows["people"], world.rows.get("pairs", {})) == (before, {})
    assert world.document(Round, "2026/r1").state is RoundState.DONE


def test_the_same_round_is_asked_for_once() -> None:
    world = program_with()

    first, again, other = ask(world), ask(world), ask(world, dry_run=True)

    assert [len(outcome.later) for outcome in (first, again, other)] == [1, 0, 0]
    assert first.answer == again.answer
    assert other.refused is not None
    assert other.refused.reason == "asked_before"


def test_one_round_of_a_programme_runs_at_a_time_and_the_next_one_is_told_which() -> None:
    world = program_with(ADA, GRACE)
    ask(world)

    second = ask(world, "r2", dry_run=True).refused
    assert second is not None
    assert (second.reason, second.more["round_id"], second.status) == ("running", "r1", 409)

    store(world, ("ada", "grace"))
    run(world, world.when(planned(("ada", "grace")), at=NOW))
    assert ask(world, "r2").refused is None


def test_a_round_that_cannot_be_planned_says_why_and_stands_in_nobodys_way() -> None:
    world = program_with()
    ask(world)

    world.when(RoundFailed(program_id="2026", round_id="r1", reason="MemoryError"), at=NOW)

    round = world.document(Round, "2026/r1")
    assert (round.state, round.failure) == (RoundState.FAILED, "MemoryError")
    assert world.when(planned(("ada", "grace")), at=NOW).later == []
    assert ask(world, "r2").refused is None


# Waiting


def test_who_was_in_a_pair_waits_from_its_end_and_not_from_the_enrolment() -> None:
    world = program_with(ADA)
    enrolled_at = person_of(world, "ada").waiting_since
    world = paired()
    later = NOW + timedelta(days=30)

    world.when(EndPair(pair_id="ada-grace", reason="mismatch"), at=later)

    ada = person_of(world, "ada")
    assert (enrolled_at, ada.waiting_since) == (ADA.enrolled_at, later)
    assert ada.as_waiting(ADA).enrolled_at == later
    assert ada.profile == ADA


def test_who_has_a_pair_and_a_place_left_waits_from_the_making_of_that_pair() -> None:
    world = paired(ADA, GRACE, mentor_capacity=2)

    assert (person_of(world, "ada").seeking, person_of(world, "ada").waiting_since) == (True, NOW)


def test_a_changed_profile_does_not_begin_the_waiting_again_but_a_return_to_the_pool_does() -> None:
    world = program_with(ADA)
    world.when(revised(ADA, 2, unit="Legal"), at=NOW + timedelta(days=1), source=HR)
    assert person_of(world, "ada").waiting_since == ADA.enrolled_at

    world.when(revised(ADA, 3, consent={"matching": False}), at=NOW + timedelta(days=2), source=HR)
    world.when(revised(ADA, 4), at=NOW + timedelta(days=9), source=HR)

    assert person_of(world, "ada").waiting_since == NOW + timedelta(days=9)
