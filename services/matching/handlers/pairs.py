"""How pairs end."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from libs.chassis.documents import Read, peek
from libs.chassis.state import State
from libs.chassis.words import Answer, Facts, Later, Refused, reads
from libs.contracts.events import PairEnded, SessionCompleted
from libs.contracts.words import PairEndReason
from services.matching.answers import pair_shown
from services.matching.commands import EndPair
from services.matching.rules.pairing import reason_to_end
from services.matching.store.pairs import Pair, PairState
from services.matching.store.people import Person, Program
from services.matching.work import EndPairs, PairsToEnd


def _people_of(pair: Pair) -> list[Read[Any]]:
    return [Person.by_id(id) for _, id in pair.people] if pair.state is PairState.IN_FORCE else []


def _pair_of_a_done_series(event: SessionCompleted) -> list[Read[Any]]:
    return [peek(Pair.by_id(event.pair_id))] if event.series_done else []


def _it_and_its_people(event: SessionCompleted, state: State) -> list[Read[Any]]:
    # A pair that ended never comes back, so what is not in force needs no guard
    if not event.series_done or state[Pair, event.pair_id].state is not PairState.IN_FORCE:
        return []
    return [Pair.by_id(event.pair_id), *_people_of(state[Pair, event.pair_id])]


@reads(_pair_of_a_done_series, _it_and_its_people)
def complete_pair_when_its_series_is_done(event: SessionCompleted, state: State, now: datetime) -> Facts:
    """All sessions were held: the two are free for others."""
    if event.series_done and state[Pair, event.pair_id].state is PairState.IN_FORCE:
        yield _end(state[Pair, event.pair_id], PairEndReason.COMPLETED, state, now)


@reads(
    lambda command: [Pair.by_id(command.pair_id)],
    lambda command, state: _people_of(state[Pair, command.pair_id]),
)
def end_pair(command: EndPair, state: State, now: datetime) -> Facts:
    """Somebody asks for it; the two cool down and go back to the pool."""
    pair = state[Pair, command.pair_id]
    if pair.state is PairState.UNKNOWN:
        yield Refused("not_found", "there is no such pair: GET /programs/{program_id}/pairs lists them", 404)
    elif pair.ended:
        detail = f"the pair ended before ({pair.ended.reason}): nothing is left to do"
        yield Refused("ended", detail, more={"ended": pair_shown(pair)["ended"]})
    else:
        yield _end(pair, command.reason, state, now, command.ended_by)
        yield Answer(pair_shown(pair))


@reads(
    lambda work: [peek(Program.by_id(work.program_id)), *(Pair.by_id(id) for id in work.pair_ids)],
    lambda work, state: [read for id in work.pair_ids for read in _people_of(state[Pair, id])],
)
def end_pairs_of_closed_program(work: PairsToEnd, state: State, now: datetime) -> Facts:
    """A handful at a time, until none is left."""
    if state[Program, work.program_id].active:
        return
    for pair in (state[Pair, id] for id in work.pair_ids):
        if pair.state is PairState.IN_FORCE:
            yield _end(pair, PairEndReason.PROGRAM_CLOSED, state, now)
    if work.pair_ids:
        yield Later(EndPairs(program_id=work.program_id), now)


def pairs_and_partners(person: Person) -> list[Read[Any]]:
    """The reads that ending a person's pairs needs."""
    reads: list[Read[Any]] = [peek(Program.by_id(person.program_id))] if person.partners else []
    for partner in person.partners:
        reads += [Pair.by_id(partner.pair_id), Person.by_id(f"{person.program_id}/{partner.participant_id}")]
    return reads


def end_pairs_of(person: Person, reason: PairEndReason, state: State, now: datetime) -> Iterator[PairEnded]:
    """All pairs of a person end for the same reason."""
    for partner in list(person.partners):
        yield _end(state[Pair, partner.pair_id], reason, state, now)


def end_pairs_that_broke(person: Person, state: State, now: datetime) -> Iterator[PairEnded]:
    """After a profile changed: a reporting line or a consent may now stand against a pair."""
    if person.partners and not person.enrolled:
        yield from end_pairs_of(person, PairEndReason.WITHDRAWN, state, now)
    for partner in list(person.partners):
        pair, program = state[Pair, partner.pair_id], state[Program, person.program_id].published
        mentor, mentee = (state[Person, id].profile for _, id in pair.people)
        if program and mentor and mentee and (reason := reason_to_end(program, mentor, mentee)):
            yield _end(pair, reason, state, now)


def _end(pair: Pair, reason: PairEndReason, state: State, now: datetime, ended_by: str | None = None) -> PairEnded:
    ended = pair.end(reason, now, ended_by)
    for _, id in pair.people:
        state[Person, id].part(ended, now)
    return ended
