"""How pairs are made: what was planned outside the transaction is checked again inside it."""

from collections.abc import Generator, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from libs.chassis.documents import Read, peek
from libs.chassis.state import State
from libs.chassis.words import Facts, Later, reads
from libs.contracts.events import PairCreated, ProgramPublished
from libs.contracts.ids import ParticipantId
from libs.contracts.words import Role
from services.matching.rules.pairing import Standing, refusals
from services.matching.rules.working_hours import reference_week
from services.matching.store.pairs import Pair
from services.matching.store.people import Person, Program
from services.matching.work import (
    EverybodyMatched,
    MatchEverybody,
    MatchWaiting,
    PairsProposed,
    Proposal,
    ProposedPair,
)

PAIRS_AT_ONCE = 250
BETWEEN_LOOKS = timedelta(seconds=1)
# Time alone opens a way (a cool-down ends, clocks change), so everybody is looked at now and then, sooner where pairs
# of the last look could not be made
LOOK_AGAIN = timedelta(minutes=10)
LOOK_AGAIN_SOON = timedelta(minutes=1)


def program_and_people(program_id: str, pairs: Iterable[ProposedPair]) -> Iterator[Read[Any]]:
    """The reads that making these pairs decides on. Closing a programme and making pairs in it must collide."""
    pairs = list(pairs)
    program = Program.by_id(program_id)
    yield program if pairs else peek(program)
    for pair in pairs:
        yield from two_people(program_id, pair)


def two_people(program_id: str, pair: ProposedPair) -> Iterator[Read[Person]]:
    return (Person.by_id(f"{program_id}/{id}") for id in (pair.mentor_id, pair.mentee_id))


def pairs_that_still_hold(
    program: Program, pairs: Iterable[ProposedPair], state: State, at: datetime, loosened: bool = False
) -> Iterator[ProposedPair]:
    """People may have left, changed or been paired since the plan was made: every hard rule is asked again."""
    if program.published and program.active:
        yield from (pair for pair in pairs if _holds(pair, program.published, state, at, loosened))


def make(pair: ProposedPair, program: Program, round_id: str, state: State, now: datetime) -> PairCreated:
    """The pair is in force, and its people have a place less."""
    its = state[Pair, pair.pair_id]
    said = {"program_id": program.id, "round_id": round_id, "created_at": now}
    created = its.create(PairCreated.model_validate(dict(pair) | said))
    mentor, mentee = (state[Person, id] for _, id in its.people)
    mentor.pair(its, mentee, program.places[Role.MENTOR], now)
    mentee.pair(its, mentor, program.places[Role.MENTEE], now)
    return created


def _first(proposal: Proposal) -> tuple[ProposedPair, ...]:
    return proposal.pairs[:PAIRS_AT_ONCE]


def _pairs_to_make(proposal: Proposal, state: State) -> list[Read[Any]]:
    held = pairs_that_still_hold(state[Program, proposal.program_id], _first(proposal), state, proposal.at)
    return [Pair.by_id(pair.pair_id) for pair in held]


@reads(lambda proposal: program_and_people(proposal.program_id, _first(proposal)), _pairs_to_make)
def make_pairs_that_still_hold(proposal: PairsProposed, state: State, now: datetime) -> Facts:
    """A handful at a time; after the last of them the next look is planned, at once where more may be waiting."""
    program = state[Program, proposal.program_id]
    again = yield from _make_some(proposal, state, now)
    if proposal.pairs[PAIRS_AT_ONCE:] or not program.rolling:
        return
    made_some = len(again) - len(proposal.again) < 2 * len(proposal.pairs)
    goes_on = made_some or not (proposal.last and proposal.last.complete)
    pause = timedelta() if goes_on else BETWEEN_LOOKS
    yield Later(MatchWaiting(program_id=program.id, last=proposal.last, again=again), now + pause)


@reads(lambda proposal: program_and_people(proposal.program_id, _first(proposal)), _pairs_to_make)
def make_pairs_among_everybody(proposal: EverybodyMatched, state: State, now: datetime) -> Facts:
    """The same for a look at everybody; those whose pairs fail changed meanwhile, and looks at arrivals see them."""
    program = state[Program, proposal.program_id]
    again = yield from _make_some(proposal, state, now)
    if proposal.pairs[PAIRS_AT_ONCE:] or not program.rolling:
        return
    pause = LOOK_AGAIN_SOON if again else LOOK_AGAIN
    yield Later(MatchEverybody(program_id=program.id), now + (pause if proposal.complete else timedelta()))


def _make_some(
    proposal: Proposal, state: State, now: datetime
) -> Generator[PairCreated | Later, None, tuple[ParticipantId, ...]]:
    """Make the first pairs and plan for the others; everybody of a pair that did not hold."""
    program, made = state[Program, proposal.program_id], set()
    for pair in pairs_that_still_hold(program, _first(proposal), state, proposal.at):
        yield make(pair, program, proposal.round_id, state, now)
        made.add(pair.pair_id)
    lost = [pair for pair in _first(proposal) if pair.pair_id not in made]
    again = proposal.again + tuple(id for pair in lost for id in (pair.mentor_id, pair.mentee_id))
    if rest := proposal.pairs[PAIRS_AT_ONCE:]:
        yield Later(proposal.model_copy(update={"pairs": rest, "again": again}), now)
    return again


def _holds(pair: ProposedPair, program: ProgramPublished, state: State, at: datetime, loosened: bool) -> bool:
    mentor, mentee = (state[Person, f"{program.program_id}/{id}"] for id in (pair.mentor_id, pair.mentee_id))
    if not (mentor.profile and mentor.enrolled and mentee.profile and mentee.enrolled):
        return False
    return not refusals(program, mentor.profile, mentee.profile, _standing(program, mentor, mentee, at, loosened))


def _standing(program: ProgramPublished, mentor: Person, mentee: Person, at: datetime, loosened: bool) -> Standing:
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
        cooldown_loosened=loosened,
    )
