"""What happens when somebody asks for something about a meeting. A wish that is not allowed changes nothing."""

from datetime import datetime

from libs.chassis.state import State
from libs.chassis.words import Answer, Facts, Reads, Refused, reads
from libs.contracts.parts import Answer as SaidBySide
from services.scheduling.commands import (
    CancelSession,
    CompleteSession,
    ConfirmSession,
    MarkAbsent,
    MoveSession,
    SessionCommand,
)
from services.scheduling.handlers.planning import (
    around,
    calendars,
    day_after,
    diaries,
    next_meeting,
    no_show_check,
    plan_next,
)
from services.scheduling.rules.diaries import Slot
from services.scheduling.rules.slots import NoSlot, WishRefusal, check_wish, earliest_common_slot
from services.scheduling.store.pairs import Pair
from services.scheduling.store.people import Program
from services.scheduling.store.sessions import Session, SessionState, Word


def _its_pair(wish: SessionCommand, state: State) -> Reads:
    session = state[Session, wish.session_id]
    return [] if session.state is SessionState.UNPLANNED else [Pair.by_id(session.pair_id)]


def _its_surroundings(wish: SessionCommand, state: State) -> Reads:
    session = state[Session, wish.session_id]
    return around(session) if session.state is SessionState.PLANNED else []


def _what_follows(wish: SessionCommand, state: State) -> Reads:
    session = state[Session, wish.session_id]
    if session.state is not SessionState.PLANNED:
        return []
    held = 1 if isinstance(wish, CompleteSession | ConfirmSession) else 0
    return next_meeting(state[Pair, session.pair_id], session, state, held=held)


_session = reads(lambda wish: [Session.by_id(wish.session_id)], _its_pair)
_session_and_people = reads(lambda wish: [Session.by_id(wish.session_id)], _its_pair, _its_surroundings)
_session_and_next = reads(lambda wish: [Session.by_id(wish.session_id)], _its_pair, _its_surroundings, _what_follows)


@_session_and_next
def confirm_session(wish: ConfirmSession, state: State, now: datetime) -> Facts:
    """Before its start a side says that it will come; from then on that the meeting was held."""
    session = state[Session, wish.session_id]
    if refused := _refusal(wish, session, SessionState.PLANNED, SessionState.COMPLETED):
        yield refused
        return
    if session.state is SessionState.PLANNED and session.slot.starts_at > now:
        session.confirmed_by = sorted({*session.confirmed_by, wish.by})
    else:
        yield from _hear(Word(wish.by, *_times(session, None, None, now)), session, state, now)
    yield _shown(session)


@_session_and_next
def complete_session_and_plan_the_next(wish: CompleteSession, state: State, now: datetime) -> Facts:
    """The first word decides that the meeting was held; later ones add to it, also when the pair has ended."""
    session = state[Session, wish.session_id]
    if refused := _refusal(wish, session, SessionState.PLANNED, SessionState.COMPLETED):
        yield refused
        return
    answer = SaidBySide(rating=wish.rating, comment=wish.comment) if wish.rating else None
    times = _times(session, wish.started_at, wish.ended_at, now)
    yield from _hear(Word(wish.by, *times, wish.topics, answer), session, state, now)
    yield _shown(session)


@_session_and_people
def move_session(wish: MoveSession, state: State, now: datetime) -> Facts:
    """To the wished time if it suits both, else to the next common slot on a later day."""
    session = state[Session, wish.session_id]
    if refused := _refusal(wish, session, SessionState.PLANNED) or _ended(session, state):
        yield refused
        return
    match _new_slot(wish, session, state, now):
        case Refused() as refused:
            yield refused
        case Slot() as slot if slot == session.slot:
            yield _shown(session)
        case slot:
            policy = state[Program, session.program_id].policy
            yield state[Pair, session.pair_id].move(session, slot, diaries(session, state), now, wish.reason)
            if policy:
                yield no_show_check(session, policy)
            yield _shown(session)


@_session_and_next
def cancel_session_and_replace_it(wish: CancelSession, state: State, now: datetime) -> Facts:
    """The series goes on: what replaces the meeting keeps its number."""
    session = state[Session, wish.session_id]
    if refused := _refusal(wish, session, SessionState.PLANNED):
        yield refused
        return
    pair = state[Pair, session.pair_id]
    yield pair.cancel(session, diaries(session, state), wish.reason, now)
    yield from pair.lose(session, now)
    yield from plan_next(pair, state, now)
    yield _shown(session)


@_session_and_next
def miss_session_and_replace_it(wish: MarkAbsent, state: State, now: datetime) -> Facts:
    """Somebody did not come."""
    session = state[Session, wish.session_id]
    if refused := _refusal(wish, session, SessionState.PLANNED) or _not_begun(session, now):
        yield refused
        return
    pair = state[Pair, session.pair_id]
    yield pair.miss(session, diaries(session, state), wish.absent, now)
    yield from pair.lose(session, now)
    yield from plan_next(pair, state, now)
    yield _shown(session)


def _hear(word: Word, session: Session, state: State, now: datetime) -> Facts:
    pair = state[Pair, session.pair_id]
    if session.state is SessionState.COMPLETED:
        if fact := pair.add(session, word, now):
            yield fact
        return
    policy = state[Program, session.program_id].policy
    most = policy.sessions_per_pair if policy else pair.held + 2
    yield pair.complete(session, word, diaries(session, state), most, now)
    yield from plan_next(pair, state, now)


def _times(
    session: Session, started_at: datetime | None, ended_at: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """When the meeting was held: as told, else as planned, else (held early) until now."""
    slot = session.slot
    start = started_at or min(slot.starts_at, ended_at or now)
    end = ended_at or (start + (slot.ends_at - slot.starts_at) if started_at else min(slot.ends_at, now))
    return start, max(start, end)


def _new_slot(wish: MoveSession, session: Session, state: State, now: datetime) -> Slot | Refused:
    both, policy = calendars(session, state, but=session.id), state[Program, session.program_id].policy
    if not both or not policy:
        return Refused(
            "hours_unknown",
            "the hours of one of the two, or the policy, are not known: enrol both, publish the programme, try again",
        )
    if wish.starts_at:
        match check_wish(*both, wish.starts_at, minutes=policy.session_minutes, after=now):
            case WishRefusal() as why:
                told = why.value.replace("_", " ")
                return Refused(why.value, f"{told}: wish another time, or none for the next common slot")
            case slot:
                return slot
    later = day_after(session.slot.starts_at, both[0].zone)
    match earliest_common_slot(*both, minutes=policy.session_minutes, after=now, on_or_after=later):
        case NoSlot() as none:
            return Refused("no_common_slot", f"{none.why}: change the hours of one of the two")
        case slot:
            return slot


def _refusal(wish: SessionCommand, session: Session, *allowed: SessionState) -> Refused | None:
    if session.state is SessionState.UNPLANNED:
        return Refused("unknown_session", "there is no such session: GET /sessions lists them", 404)
    if wish.revision is not None and wish.revision != session.revision:
        present = {"present": session.shown()}
        detail = f"the session is at revision {session.revision}: decide on `present`, then send its revision"
        return Refused("precondition_failed", detail, 412, present)
    if session.state not in allowed:
        detail = f"the session is {session.state} already: GET /sessions?state=planned lists those that can change"
        return Refused(f"already_{session.state}", detail)
    return None


def _ended(session: Session, state: State) -> Refused | None:
    ended = state[Pair, session.pair_id].ended_at
    detail = "the pair has ended: GET /sessions?state=planned lists the meetings that can change"
    return Refused("pair_ended", detail) if ended else None


def _not_begun(session: Session, now: datetime) -> Refused | None:
    if session.slot.starts_at <= now:
        return None
    return Refused("not_begun", "nobody can miss a meeting that has not begun: move or cancel it")


def _shown(session: Session) -> Answer:
    return Answer(session.shown(), headers={"ETag": f'"{session.revision}"'})
