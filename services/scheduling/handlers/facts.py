"""What happens in scheduling when something became known, or due."""

from datetime import datetime

from libs.chassis.documents import peek
from libs.chassis.state import State
from libs.chassis.words import Erased, Facts, Reads, Refused, reads
from libs.contracts.events import PairCreated, PairEnded, ParticipantEnrolled, ParticipantWithdrawn, ProgramPublished
from libs.contracts.words import Role, Sign
from services.scheduling.handlers.planning import (
    around,
    diaries,
    next_meeting,
    plan_all,
    plan_next,
    waiting_pairs,
)
from services.scheduling.store.pairs import Pair
from services.scheduling.store.people import Diary, Person, Program, keys_of
from services.scheduling.store.sessions import Session, SessionState
from services.scheduling.work import LookAgain, NoShowCheck


@reads(
    lambda event: [Program.by_id(event.key)],
    lambda event, state: map(Pair.by_id, state[Program, event.key].waiting),
    lambda event, state: _around_all(state[Program, event.key].waiting, state),
    lambda event, state: _next_of_all(state[Program, event.key].waiting, state, news=event.key),
)
def remember_program_and_wake_waiting_pairs(event: ProgramPublished, state: State, now: datetime) -> Facts:
    """The newest policy counts, from the next meeting on."""
    program = state[Program, event.key]
    if program.learn(event):
        waiting, program.waiting = program.waiting, []
        yield from plan_all(waiting, state, now)


@reads(
    lambda event: [Person.by_id(event.key), Diary.by_id(event.key)],
    lambda event, state: map(Pair.by_id, state[Diary, event.key].waiting),
    lambda event, state: _around_all(state[Diary, event.key].waiting, state),
    lambda event, state: _next_of_all(state[Diary, event.key].waiting, state, news=event.key),
)
def remember_person_and_wake_waiting_pairs(event: ParticipantEnrolled, state: State, now: datetime) -> Facts:
    """New hours may give a time to pairs that had none. A profile belongs to the source that enrolled the person."""
    person = state[Person, event.key]
    if refused := _refusal(person, event, state.source):
        yield refused
    elif person.learn(event, state.source):
        yield from plan_all(tuple(state[Diary, event.key].waiting), state, now)


@reads(lambda event: [Person.by_id(event.key)])
def remember_withdrawal(event: ParticipantWithdrawn, state: State, now: datetime) -> Facts:
    """Nothing new is planned with the person; the meetings that are planned end with the pair."""
    person = state[Person, event.key]
    person.withdrawn_at = max(person.withdrawn_at or event.withdrawn_at, event.withdrawn_at)
    yield from ()


@reads(
    lambda event: [Pair.by_id(event.pair_id), *around(event)],
    lambda event, state: next_meeting(state[Pair, event.pair_id], event, state),
)
def schedule_first_session(event: PairCreated, state: State, now: datetime) -> Facts:
    """A new pair meets at the earliest slot that suits both, from the next working day on."""
    pair = state[Pair, event.pair_id]
    pair.start(event)
    yield from plan_next(pair, state, now)


@reads(
    lambda event: [Pair.by_id(event.pair_id), *map(Diary.by_id, keys_of(event))],
    lambda event, state: _undecided(state[Pair, event.pair_id]),
)
def cancel_future_sessions(event: PairEnded, state: State, now: datetime) -> Facts:
    """A pair that ended meets no more. A meeting that has begun may still be told of."""
    pair = state[Pair, event.pair_id]
    pair.end(event)
    for diary in diaries(event, state):
        diary.no_longer_waits(pair.id)
    if pair.session_id and (session := state[Session, pair.session_id]).slot.starts_at > now:
        yield pair.cancel(session, diaries(event, state), "pair_ended", now)


@reads(
    lambda work: [Session.by_id(work.session_id)],
    lambda work, state: [Pair.by_id(state[Session, work.session_id].pair_id)] if _still_planned(work, state) else (),
    lambda work, state: around(state[Session, work.session_id]) if _still_planned(work, state) else (),
    lambda work, state: _replacement(work, state) if _still_planned(work, state) else (),
)
def miss_session_nobody_confirmed(work: NoShowCheck, state: State, now: datetime) -> Facts:
    """A meeting without a word until the grace period is over counts as missed, and is replaced."""
    session = state[Session, work.session_id]
    if _still_planned(work, state):
        pair = state[Pair, session.pair_id]
        yield pair.miss(session, diaries(pair, state), (), now)
        yield from pair.lose(session, now)
        yield from plan_next(pair, state, now)


@reads(
    lambda work: [Pair.by_id(work.pair_id)],
    lambda work, state: _around_all([work.pair_id], state),
    lambda work, state: _next_of_all([work.pair_id], state),
)
def look_again_for_a_slot(work: LookAgain, state: State, now: datetime) -> Facts:
    """A pair without a meeting is tried again as the weeks pass; one that still misses something is a warning."""
    pair = state[Pair, work.pair_id]
    yield from plan_next(pair, state, now)
    if pair.wants_a_session and not pair.warnings:
        yield from pair.warn(Sign.STALLED, "the programme or the profile of one of the two is not known", now)


@reads(lambda erased: [Program.by_id(erased.key)])
def forget_program(erased: Erased, state: State, now: datetime) -> Facts:
    program = state[Program, erased.key]
    program.revision, program.policy = -1, None
    yield from ()


@reads(
    lambda erased: [Person.by_id(erased.key), Diary.by_id(erased.key), *map(peek, _sessions_with(erased))],
    lambda erased, state: [Session.by_id(each.id) for each, _ in _sessions_of(erased, state)],
)
def forget_person(erased: Erased, state: State, now: datetime) -> Facts:
    """The profile, the diary and what the person said about meetings go; the pair's end does the rest."""
    person, diary = state[Person, erased.key], state[Diary, erased.key]
    person.forget()
    diary.meetings, diary.waiting = [], []
    for session, role in _sessions_of(erased, state):
        session.forget(role)
    yield from ()


def _refusal(person: Person, event: ParticipantEnrolled, source: str) -> Refused | None:
    if person.owner and person.owner != source:
        return Refused("not_owner", f"the profile belongs to {person.owner}: change it there")
    if person.contradicts(event):
        return Refused("conflict", f"revision {event.revision} came before with other content: send a higher one")
    return None


def _around_all(pair_ids: list[str], state: State) -> Reads:
    return [read for pair in waiting_pairs(pair_ids, state) for read in around(pair)]


def _next_of_all(pair_ids: list[str], state: State, *, news: str = "") -> Reads:
    return [read for pair in waiting_pairs(pair_ids, state) for read in next_meeting(pair, pair, state, news=news)]


def _undecided(pair: Pair) -> Reads:
    return [Session.by_id(pair.session_id)] if pair.session_id else []


def _still_planned(work: NoShowCheck, state: State) -> bool:
    session = state[Session, work.session_id]
    return session.state is SessionState.PLANNED and session.revision == work.revision


def _replacement(work: NoShowCheck, state: State) -> Reads:
    pair = state[Pair, state[Session, work.session_id].pair_id]
    return next_meeting(pair, pair, state)


def _sessions_with(erased: Erased) -> Reads:
    _, participant_id = erased.key.split("/")
    return [Session.where(f"{role.value}_id", participant_id) for role in Role]


def _sessions_of(erased: Erased, state: State) -> list[tuple[Session, Role]]:
    program_id, participant_id = erased.key.split("/")
    return [
        (session, role)
        for role in Role
        for session in state.all(Session, f"{role.value}_id", participant_id)
        if session.program_id == program_id
    ]
