"""From a fact to its notices: who is to be told, and when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from libs.chassis.documents import Read, peek
from libs.chassis.state import State
from libs.chassis.words import Facts, Later
from libs.contracts.events import Event, PairAtRisk, PairEvent, ParticipantEnrolled, SessionEvent, SessionScheduled
from services.notifications.rules.notices import OFFICE, Notice, notices_about
from services.notifications.rules.timing import not_before
from services.notifications.store.notices import KeptNotice
from services.notifications.store.people import Person, Program
from services.notifications.work import SendNotice

Told = PairEvent | ParticipantEnrolled
LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)


def identity(event: Told) -> str:
    """What makes a fact one and the same, however often and under whatever event ids it comes."""
    match event:
        case SessionEvent():
            return f"{event.topic}/{event.session_id}/{event.revision}"
        case PairAtRisk():
            return f"{event.topic}/{event.pair_id}/{event.sign}/{event.since.isoformat()}"
        case _:
            return f"{event.topic}/{event.key}"


def person_of(notice: Notice) -> str:
    return f"{notice.program_id}/{notice.participant_id}"


def reads_to_tell(event: Told) -> Iterator[Read[Any]]:
    """What `tell` needs to have read."""
    yield peek(Program.by_id(event.program_id))
    yield from reads_of(notices_about(event, identity(event), LONG_AGO))


def reads_of(notices: tuple[Notice, ...]) -> Iterator[Read[Any]]:
    for notice in notices:
        yield KeptNotice.by_id(notice.notification_id)
        yield Person.by_id(person_of(notice))


def tell(event: Told, state: State, now: datetime, meets_at: datetime | None = None) -> Facts:
    """Plan the notices about a fact; what was planned before stays as it is."""
    for notice in notices_about(event, identity(event), now):
        yield from plan(notice, event, state, now, meets_at)


def plan(notice: Notice, fact: Event, state: State, now: datetime, meets_at: datetime | None = None) -> Facts:
    """Plan one notice; without a profile it waits for one."""
    kept, person = state[KeptNotice, notice.notification_id], state[Person, person_of(notice)]
    if kept.notice is not None:
        return
    kept.keep(notice, person.id, fact, state.event_id)
    if person.erased:
        kept.drop("erased", now)
    elif person.contact is None and notice.participant_id != OFFICE:
        kept.wait()
        person.waiting.append(kept.id)
    else:
        yield _later(kept, person, state[Program, notice.program_id], now, meets_at)


def release(waiting: list[str], person: Person, state: State, now: datetime) -> Facts:
    """The profile has come: tell what waited for it."""
    for id in waiting:
        kept = state[KeptNotice, id]
        if kept.is_open:
            fact = kept.event
            meets_at = fact.starts_at if isinstance(fact, SessionScheduled) else None
            yield _later(kept, person, state[Program, kept.told.program_id], now, meets_at)


def _later(kept: KeptNotice, person: Person, program: Program, now: datetime, meets_at: datetime | None) -> Later:
    at = _when(person, program, max(now, kept.told.due_at), meets_at)
    kept.plan(at)
    return Later(SendNotice(notification_id=kept.id, person=person.id), at)


def _when(person: Person, program: Program, earliest: datetime, meets_at: datetime | None) -> datetime:
    policy = program.published.policy if program.published else None
    quiet = person.preferences.quiet_hours or (policy.quiet_hours if policy else None)
    office_zone = policy.time_zone if policy else "UTC"
    return not_before(earliest, person.contact.time_zone if person.contact else office_zone, quiet, meets_at)
