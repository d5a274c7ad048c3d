"""What matching does when a round is asked for, and when it is planned."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from libs.chassis.documents import Read, peek
from libs.chassis.state import State
from libs.chassis.words import Answer, Facts, Later, Refused, reads
from libs.contracts.events import PairCreated
from services.matching.answers import pair_found, person_found, round_shown
from services.matching.commands import AskForRound
from services.matching.handlers.making import PAIRS_AT_ONCE, make, pairs_that_still_hold, program_and_people
from services.matching.store.pairs import Pair
from services.matching.store.people import Program
from services.matching.store.rounds import Finding, Round, RoundState
from services.matching.work import PlanRound, ProposedPair, RoundPlanned

PEOPLE_AT_ONCE = 500


@reads(lambda command: [peek(Program.by_id(command.program_id)), Round.by_id(command.key)])
def ask_for_round(command: AskForRound, state: State, now: datetime) -> Facts:
    """It is planned in its own time; asking again for the same is no second round."""
    program, round = state[Program, command.program_id], state[Round, command.key]
    if refusal := _refusal(program, round, command):
        yield refusal
        return
    if round.state is RoundState.UNKNOWN:
        round.ask(command.program_id, command.wish, now)
        yield Later(PlanRound(program_id=command.program_id, round_id=command.round_id, wish=command.wish), now)
    place = f"/programs/{command.program_id}/rounds/{command.round_id}"
    yield Answer(round_shown(round), 202, {"Location": place})


def _all_it_touches(plan: RoundPlanned) -> Iterator[Read[Any]]:
    yield Round.by_id(plan.key)
    yield from program_and_people(plan.program_id, _pairs_to_try(plan))
    yield from (Finding.by_id(_line(plan, "pairs", f"{p.mentor_id}/{p.mentee_id}")) for p in _some_pairs(plan))
    yield from (Finding.by_id(_line(plan, "unmatched", p.participant_id)) for p in plan.unmatched[:PEOPLE_AT_ONCE])


def _pairs_to_make(plan: RoundPlanned, state: State) -> list[Read[Any]]:
    return [Pair.by_id(pair.pair_id) for pair in _held(plan, state)]


@reads(_all_it_touches, _pairs_to_make)
def write_down_round(plan: RoundPlanned, state: State, now: datetime) -> Facts:
    """A handful of pairs and people at a time, until all of the plan is written."""
    round, program = state[Round, plan.key], state[Program, plan.program_id]
    made: dict[str, PairCreated] = {}
    for pair in _held(plan, state):
        made[pair.pair_id] = make(pair, program, plan.round_id, state, now)
        yield made[pair.pair_id]
    for pair in _some_pairs(plan):
        line = state[Finding, _line(plan, "pairs", f"{pair.mentor_id}/{pair.mentee_id}")]
        line.results, line.shown = f"{plan.key}/pairs", pair_found(pair, made=pair.pair_id in made)
        line.mentor, line.mentee = (f"{plan.program_id}/{id}" for id in (pair.mentor_id, pair.mentee_id))
    for person in plan.unmatched[:PEOPLE_AT_ONCE]:
        line = state[Finding, _line(plan, "unmatched", person.participant_id)]
        line.results, line.shown = f"{plan.key}/unmatched", person_found(person)
        setattr(line, person.role.value, f"{plan.program_id}/{person.participant_id}")
    rest = {"pairs": plan.pairs[PAIRS_AT_ONCE:], "unmatched": plan.unmatched[PEOPLE_AT_ONCE:]}
    round.begin(plan.planned, plan.optimum, plan.refused_pins)
    round.write(len(made), min(len(plan.unmatched), PEOPLE_AT_ONCE))
    if any(rest.values()):
        yield Later(plan.model_copy(update=rest), now)
    else:
        round.state, round.done_at = RoundState.DONE, now


def _refusal(program: Program, round: Round, command: AskForRound) -> Refused | None:
    if program.published is None:
        return Refused("not_found", "there is no such programme: PUT it at /programs/{program_id}", 404)
    if round.state is not RoundState.UNKNOWN and round.wish != command.wish:
        return Refused("asked_before", "a round of this id was asked for with other words: take another id")
    if not program.active and not command.wish.dry_run:
        return Refused(
            "not_open",
            f"the programme is {program.published.state}: publish it as open or running, or ask for a dry run",
        )
    return None


def _some_pairs(plan: RoundPlanned) -> tuple[ProposedPair, ...]:
    return plan.pairs[:PAIRS_AT_ONCE]


def _pairs_to_try(plan: RoundPlanned) -> tuple[ProposedPair, ...]:
    return () if plan.wish.dry_run else _some_pairs(plan)


def _held(plan: RoundPlanned, state: State) -> Iterator[ProposedPair]:
    program = state[Program, plan.program_id]
    return pairs_that_still_hold(program, _pairs_to_try(plan), state, plan.at, plan.wish.loosen_cooldown)


def _line(plan: RoundPlanned, results: str, what: str) -> str:
    return f"{plan.key}/{results}/{what}"
