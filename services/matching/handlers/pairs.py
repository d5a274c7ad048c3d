"""How pairs are made and how they end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from libs.chassis.documents import Read, peek
from libs.chassis.state import State
from libs.chassis.words import Answer, Facts, Later, Refused, reads
from libs.contracts.events import PairCreated, PairEnded, ProgramPublished, SessionCompleted
from libs.contracts.words import PairEndReason, Role
from services.matching.answers import pair_shown
from services.matching.messages import EndPair, EndPairs, MatchWaiting, PairsProposed, PairsToEnd, ProposedPair
from services.matching.rules.pairing import Standing, reason_to_end, refusals
from services.matching.rules.working_hours import reference_week
from services.matching.store import Pair, PairState, Person, Program

PAIRS_AT_ONCE = 250
BETWEEN_LOOKS = timedelta(seconds=1)


def _program_and_people(proposal: PairsProposed) -> Iterator[Read[Any]]:
    program = Program.by_id(proposal.program_id)
    # Closing the programme and making pairs must collide; a look that found nobody decides nothing
    yield program if proposal.pairs else peek(program)
    for pair in proposal.pairs[:PAIRS_AT_ONCE]:
        yield from (Person.by_id(f"{proposal.program_id}/{id}") for id in (pair.mentor_id, pair.mentee_id))


def _pairs_that_still_hold(proposal: PairsProposed, state: State) -> list[Read[Any]]:
    program = state[Program, proposal.program_id]
    at = proposal.last.at if proposal.last else None
    if program.published is None or not program.active or at is None:
        return []
    now_holding = (pair for pair in proposal.pairs[:PAIRS_AT_ONCE] if _holds(pair, program.published, state, at))
    return [Pair.by_id(pair.pair_id) for pair in now_holding]


@reads(_program_and_people, _pairs_that_still_hold)
def make_pairs_that_still_hold(proposal: PairsProposed, state: State, now: datetime) -> Facts:
    """People may have left, changed or been paired since the plan was made: every hard rule is asked again."""
    program = state[Program, proposal.program_id]
    if program.published and program.active and proposal.last:
        for pair in proposal.pairs[:PAIRS_AT_ONCE]:
            if _holds(pair, program.published, state, proposal.last.at):
                yield _make(pair, proposal, program.published, state, now)
    if rest := proposal.pairs[PAIRS_AT_ONCE:]:
        yield Later(proposal.model_copy(update={"pairs": rest}), now)
    elif program.rolling:
        yield Later(MatchWaiting(program_id=program.id, last=proposal.last), now + BETWEEN_LOOKS)


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
        yield Refused("not_found", "there is no such pair", 404)
    elif pair.ended:
        yield Refused("ended", f"the pair ended before: {pair.ended.reason}", more={"ended": pair_shown(pair)["ended"]})
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


def _holds(pair: ProposedPair, program: ProgramPublished, state: State, at: datetime) -> bool:
    mentor, mentee = (state[Person, f"{program.program_id}/{id}"] for id in (pair.mentor_id, pair.mentee_id))
    if not (mentor.profile and mentor.enrolled and mentee.profile and mentee.enrolled):
        return False
    return not refusals(program, mentor.profile, mentee.profile, _standing(program, mentor, mentee, at))


def _standing(program: ProgramPublished, mentor: Person, mentee: Person, at: datetime) -> Standing:
    """What the two documents know of the two, and of nobody else."""
    two = frozenset((mentor.participant_id, mentee.participant_id))
    since = at - timedelta(days=program.policy.cooldown_days)
    together = any(partner.participant_id == mentee.participant_id for partner in mentor.partners)
    cooling = any(
        former.participant_id == mentee.participant_id and former.ended_at > since for former in mentor.former
    )
    excluded = mentee.participant_id in mentor.excluded_ids or mentor.participant_id in mentee.excluded_ids
    return Standing(
        now=at,
        week=reference_week(at, program.policy.time_zone),
        taken={person.participant_id: len(person.partners) for person in (mentor, mentee)},
        together=frozenset((two,)) if together else frozenset(),
        cooling=frozenset((two,)) if cooling else frozenset(),
        excluded=frozenset((two,)) if excluded else frozenset(),
    )


def _make(
    proposed: ProposedPair, proposal: PairsProposed, program: ProgramPublished, state: State, now: datetime
) -> PairCreated:
    pair = state[Pair, proposed.pair_id]
    created = pair.create(
        PairCreated.model_validate(
            dict(proposed) | {"program_id": program.program_id, "round_id": proposal.round_id, "created_at": now}
        )
    )
    policy = program.policy
    capacity = {Role.MENTOR: policy.mentor_capacity, Role.MENTEE: policy.mentee_capacity}
    mentor, mentee = (state[Person, id] for _, id in pair.people)
    mentor.pair(pair, mentee, capacity[Role.MENTOR], now)
    mentee.pair(pair, mentor, capacity[Role.MENTEE], now)
    return created
