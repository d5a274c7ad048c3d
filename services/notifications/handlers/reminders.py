"""Reminders: due work whose key is the meeting, so that a new time takes the place of the old one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from libs.chassis.documents import Read, peek
from libs.chassis.state import State
from libs.chassis.words import Facts, Later, reads
from libs.contracts.events import ProgramPublished, SessionScheduled
from services.notifications.handlers.planning import LONG_AGO, identity, plan, reads_of
from services.notifications.rules.notices import Notice, reminders_of
from services.notifications.store.people import Program
from services.notifications.store.sessions import Session
from services.notifications.work import PlanReminders, Remind

_UNTIL_THE_PROGRAM_IS_KNOWN: Final = timedelta(seconds=30)


def plan_reminders(event: SessionScheduled, program: ProgramPublished | None, now: datetime) -> Facts:
    """One piece of work per reminder that still lies ahead."""
    if program is None:
        later = PlanReminders(session_id=event.session_id, program_id=event.program_id)
        yield Later(later, now + _UNTIL_THE_PROGRAM_IS_KNOWN)
        return
    for minutes in sorted(set(program.policy.reminders)):
        at = event.starts_at - timedelta(minutes=minutes)
        if at > now:
            yield Later(_remind(event, minutes), at)


def _remind(event: SessionScheduled, minutes: int) -> Remind:
    return Remind(session_id=event.session_id, program_id=event.program_id, minutes=minutes)


@reads(lambda work: [Session.by_id(work.session_id), peek(Program.by_id(work.program_id))])
def plan_reminders_once_the_program_is_known(work: PlanReminders, state: State, now: datetime) -> Facts:
    session = state[Session, work.session_id]
    if session.scheduled and session.is_planned and session.scheduled.starts_at > now:
        yield from plan_reminders(session.scheduled, state[Program, work.program_id].published, now)


def _reads_of_reminders(work: Remind, state: State) -> Iterator[Read[Any]]:
    yield from reads_of(_reminders(work, state))


def _reminders(work: Remind, state: State) -> tuple[Notice, ...]:
    """The reminders of this time before the meeting, as long as it is planned for then."""
    session, program = state[Session, work.session_id], state[Program, work.program_id].published
    if session.scheduled is None or not session.is_planned or program is None:
        return ()
    at = session.scheduled.starts_at - timedelta(minutes=work.minutes)
    every = reminders_of(session.scheduled, identity(session.scheduled), LONG_AGO, program.policy)
    return tuple(notice for notice in every if notice.due_at == at)


@reads(lambda work: [Session.by_id(work.session_id), peek(Program.by_id(work.program_id))], _reads_of_reminders)
def remind_both_of_their_meeting(work: Remind, state: State, now: datetime) -> Facts:
    """A meeting that was moved, cancelled or held meanwhile is not called to mind."""
    session = state[Session, work.session_id]
    for notice in _reminders(work, state):
        if session.scheduled and notice.due_at <= now:
            yield from plan(notice, session.scheduled, state, now, meets_at=session.scheduled.starts_at)
