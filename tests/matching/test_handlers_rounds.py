"""Rounds, capacities that change and looks at the pool: pure, with time moved by hand."""

from typing import Any

from libs.chassis.words import Erased
from libs.contracts.events import PairCreated, ParticipantEnrolled
from libs.contracts.words import Role
from services.matching.commands import AskForRound
from services.matching.store.rounds import Finding, Optimum, Round, RoundState, RoundWish
from services.matching.work import Look, PeopleToSettle, Pool, RoundPlanned, SettlePlaces, UnmatchedPerson
from tests.matching.rules_people import NOW, mentee, mentor, program
from tests.matching.world import ADA, GRACE, events, paired, person_of, program_with, proposal

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


def _plan(*twos: tuple[str, str], left: int = 0, **wish: Any) -> RoundPlanned:
    people = [UnmatchedPerson(participant_id=f"mina{n}", role=Role.MENTEE, reasons={}) for n in range(left)]
    return RoundPlanned(
        program_id="2026",
        round_id="r1",
        wish=RoundWish(**wish),
        at=NOW,
        optimum=Optimum(value=0.5, upper_bound=0.5, gap=0),
        planned=len(twos),
        pairs=proposal(*twos).pairs,
        unmatched=tuple(people),
    )


def test_a_round_makes_the_pairs_that_still_hold_and_tells_of_the_others() -> None:
    world = program_with(ADA, GRACE, mentor("Mary"))

    outcome = world.when(_plan(("ada", "grace"), ("mary", "grace")), at=NOW)

    round = world.document(Round, "2026/r1")
    assert [pair.mentor_id for pair in events(outcome, PairCreated)] == ["ada"]
    assert (round.state, round.planned, round.made) == (RoundState.DONE, 2, 1)
    assert world.document(Finding, "2026/r1/pairs/mary/grace").shown["made"] is False


def test_the_results_of_a_round_forget_an_erased_person() -> None:
    world = program_with(ADA, GRACE, mentee("Mina0"))
    world.when(_plan(("ada", "grace"), left=1), at=NOW)

    for name in ("ada", "mina0"):
        world.when(Erased(ParticipantEnrolled, f"2026/{name}"), at=NOW)

    pair = world.document(Finding, "2026/r1/pairs/ada/grace").shown
    assert (pair["rationale"], pair["score"], pair["mentee_id"]) == (None, None, "grace")
    assert world.document(Finding, "2026/r1/unmatched/mina0").shown["reasons"] is None


def test_a_dry_round_touches_neither_people_nor_pairs() -> None:
    world = program_with(ADA, GRACE)
    before = dict(world.rows["people"])

    outcome = world.when(_plan(("ada", "grace"), dry_run=True), at=NOW)

    assert (outcome.facts, world.rows["people"], world.rows.get("pairs", {})) == ([], before, {})


def test_a_long_round_is_written_down_in_parts() -> None:
    world = program_with()

    first = world.when(_plan(left=700), at=NOW)
    assert world.document(Round, "2026/r1").state is RoundState.WRITING
    world.when(first.later[0].work, at=NOW)

    assert world.document(Round, "2026/r1").state is RoundState.DONE
    assert world.document(Round, "2026/r1").unmatched == 700


def test_the_same_round_is_asked_for_once() -> None:
    world = program_with()

    first = world.when(AskForRound(program_id="2026", round_id="r1", wish=RoundWish()), at=NOW)
    again = world.when(AskForRound(program_id="2026", round_id="r1", wish=RoundWish()), at=NOW)
    other = world.when(AskForRound(program_id="2026", round_id="r1", wish=RoundWish(dry_run=True)), at=NOW)

    assert [len(outcome.later) for outcome in (first, again, other)] == [1, 0, 0]
    assert first.answer == again.answer
    assert other.refused is not None


# Looks at the pool


def test_a_turn_passes_every_part_of_the_mentors_with_every_part_of_the_mentees() -> None:
    look = Look(at=NOW, pool=Pool(revision=1, mentors=(3, NOW), mentees=(3, NOW)))
    seen = []
    while not look.complete:
        seen.append((look.mentors_after, look.mentees_after))
        mentors_after = None if look.mentors_after else (NOW, "ada")
        look = look.next(mentors_after, None if look.mentees_after else (NOW, "grace"))

    assert seen == [(mentors, mentees) for mentees in (None, (NOW, "grace")) for mentors in (None, (NOW, "ada"))]
