"""What matching does when a round is asked for, when it is planned, and when the pairs of its plan have their turn."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from libs.chassis.documents import Read
from libs.chassis.state import State
from libs.chassis.words import Answer, Facts, Later, Refused, reads
from services.matching.answers import round_shown
from services.matching.commands import AskForRound
from services.matching.handlers.making import make, pairs_that_still_hold, two_people
from services.matching.store.pairs import Pair
from services.matching.store.people import Program
from services.matching.store.rounds import Finding, Round, RoundState, sheet
from services.matching.work import (
    DropLists,
    MakePairs,
    OfRound,
    PlanRound,
    ProposedPair,
    RoundFailed,
    RoundPlanned,
    SweepAttempts,
)

# Longer than a transaction lives that could still erase somebody in a plan
SWEPT_AFTER = timedelta(minutes=5)
LISTS_KEPT = timedelta(days=90)


@reads(lambda command: [Program.by_id(command.program_id), Round.by_id(command.key)])
def ask_for_round(command: AskForRound, state: State, now: datetime) -> Facts:
    """It is planned in its own time; asking again for the same is no second round, and one runs at a time."""
    program, round = state[Program, command.program_id], state[Round, command.key]
    if refusal := _refusal(program, round, command):
        yield refusal
        return
    if round.state is RoundState.UNKNOWN:
        round.ask(command.program_id, command.wish, now)
        program.round_id = command.round_id
        yield Later(PlanRound(program_id=command.program_id, round_id=command.round_id, wish=command.wish), now)
    yield Answer(round_shown(round), 202, {"Location": _place(command.program_id, command.round_id)})


def _its_documents(work: OfRound) -> list[Read[Any]]:
    return [Round.by_id(work.key), Program.by_id(work.program_id)]


@reads(_its_documents)
def begin_round(planned: RoundPlanned, state: State, now: datetime) -> Facts:
    """The plan of this attempt counts. Its pairs are made a sheet at a time."""
    round = state[Round, planned.key]
    if round.state is not RoundState.PLANNING:
        return
    round.begin(planned.plan, planned.at)
    yield Later(_sweep(planned), now + SWEPT_AFTER)
    yield Later(DropLists(program_id=planned.program_id, round_id=planned.round_id), now + LISTS_KEPT)
    if round.wish.dry_run or not round.sheets:
        _end(planned, state, now)
    else:
        yield Later(MakePairs(program_id=planned.program_id, round_id=planned.round_id, sheet=0), now)


@reads(_its_documents)
def give_round_up(failed: RoundFailed, state: State, now: datetime) -> Facts:
    """It tells why, and another round can be asked for."""
    if state[Round, failed.key].state is RoundState.PLANNING:
        _end(failed, state, now, failed.reason)
        yield Later(_sweep(failed), now + SWEPT_AFTER)


def _its_sheet(work: MakePairs, state: State) -> list[Read[Any]]:
    # Closing a programme and making pairs in it must collide, so the programme is no reference data
    return [Program.by_id(work.program_id), Finding.where("sheet", sheet(state[Round, work.key].attempt, work.sheet))]


def _its_people(work: MakePairs, state: State) -> Iterator[Read[Any]]:
    for pair in _proposed(work, state):
        yield from two_people(work.program_id, pair)


def _pairs_to_make(work: MakePairs, state: State) -> list[Read[Any]]:
    return [Pair.by_id(pair.pair_id) for pair in _held(work, state)]


@reads(lambda work: [Round.by_id(work.key)], _its_sheet, _its_people, _pairs_to_make)
def make_pairs_of_sheet(work: MakePairs, state: State, now: datetime) -> Facts:
    """People may have left, changed or been paired since the plan was made: what does not hold any more is left out."""
    round, program = state[Round, work.key], state[Program, work.program_id]
    if round.state is not RoundState.WRITING:
        return
    lines, made = {line.pair_id: line for line in _lines(work, state)}, 0
    for pair in _held(work, state):
        yield make(pair, program, work.round_id, state, now)
        lines[pair.pair_id].make()
        made += 1
    round.write(len(lines), made)
    if work.sheet + 1 < round.sheets:
        yield Later(work.model_copy(update={"sheet": work.sheet + 1}), now)
    else:
        _end(work, state, now)


@reads(lambda work: [])
def note_what_is_swept(work: SweepAttempts, state: State, now: datetime) -> Facts:
    """It was done in the preparation."""
    yield from ()


@reads(lambda work: [Round.by_id(work.key)])
def note_that_lists_are_dropped(work: DropLists, state: State, now: datetime) -> Facts:
    """It was done in the preparation."""
    state[Round, work.key].lists_dropped = True
    yield from ()


def _refusal(program: Program, round: Round, command: AskForRound) -> Refused | None:
    if program.published is None:
        return Refused("not_found", "there is no such programme: PUT it at /programs/{program_id}", 404)
    if round.state is not RoundState.UNKNOWN:
        detail = "a round of this id was asked for with other words: take another id"
        return Refused("asked_before", detail) if round.wish != command.wish else None
    if not program.active and not command.wish.dry_run:
        return Refused(
            "not_open",
            f"the programme is {program.published.state}: publish it as open or running, or ask for a dry run",
        )
    if program.round_id:
        place = _place(command.program_id, program.round_id)
        detail = f"a round of this programme is running: ask again when GET {place} says that it is done"
        return Refused("running", detail, more={"round_id": program.round_id, "location": place})
    return None


def _end(work: OfRound, state: State, now: datetime, failure: str | None = None) -> None:
    state[Round, work.key].end(now, failure)
    program = state[Program, work.program_id]
    if program.round_id == work.round_id:
        program.round_id = ""


def _sweep(work: OfRound) -> SweepAttempts:
    return SweepAttempts(program_id=work.program_id, round_id=work.round_id)


def _lines(work: MakePairs, state: State) -> list[Finding]:
    return state.all(Finding, "sheet", sheet(state[Round, work.key].attempt, work.sheet))


def _proposed(work: MakePairs, state: State) -> Iterator[ProposedPair]:
    """The pairs of the sheet, without those that an erasure has taken out."""
    for line in _lines(work, state):
        if line.shown["rationale"]:
            yield ProposedPair.model_validate(line.shown | {"pair_id": line.pair_id})


def _held(work: MakePairs, state: State) -> Iterator[ProposedPair]:
    round, program = state[Round, work.key], state[Program, work.program_id]
    if round.planned_at:
        pairs = list(_proposed(work, state))
        yield from pairs_that_still_hold(program, pairs, state, round.planned_at, round.wish.loosen_cooldown)


def _place(program_id: str, round_id: str) -> str:
    return f"/programs/{program_id}/rounds/{round_id}"
