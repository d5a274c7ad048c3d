"""What happens on each fact that notifications hears."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from libs.chassis.documents import Read
from libs.chassis.state import State
from libs.chassis.words import Erased, Facts, Refused, reads
from libs.contracts.events import (
    PairAtRisk,
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    ParticipantWithdrawn,
    ProgramPublished,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
)
from services.notifications.handlers.planning import reads_to_tell, release, tell
from services.notifications.handlers.reminders import plan_reminders
from services.notifications.store.notices import KeptNotice
from services.notifications.store.people import Person, Program, digest_of
from services.notifications.store.sessions import Pair, Session


@reads(lambda event: [Program.by_id(event.program_id)])
def remember_program(event: ProgramPublished, state: State, now: datetime) -> Facts:
    """The newest revision of a policy holds."""
    state[Program, event.program_id].learn(event)
    yield from ()


@reads(lambda erased: [Program.by_id(erased.key)])
def forget_program(erased: Erased, state: State, now: datetime) -> Facts:
    """Only its endings are told from now on, and no organizer or office is named any more."""
    state[Program, erased.key].forget()
    yield from ()


@reads(
    lambda event: [Person.by_id(event.key), *reads_to_tell(event)],
    lambda event, state: [KeptNotice.by_id(id) for id in state[Person, event.key].waiting],
)
def remember_person_welcome_and_tell_what_waited(event: ParticipantEnrolled, state: State, now: datetime) -> Facts:
    """The first profile welcomes; a newer one changes where and how the person is told."""
    person = state[Person, event.key]
    if refused := _refusal(person, event, state.source):
        yield refused
    elif person.contact is None or event.revision > person.contact.revision:
        person.enrol(event, state.source)
        waiting, person.waiting = person.waiting, []
        yield from tell(event, state, now)
        yield from release(waiting, person, state, now)


def _refusal(person: Person, event: ParticipantEnrolled, source: str) -> Refused | None:
    if person.owner and person.owner != source:
        return Refused("not_owner", f"the profile belongs to {person.owner}: change it there")
    contact = person.contact
    if contact and event.revision == contact.revision and digest_of(event) != contact.digest:
        return Refused("conflict", f"revision {event.revision} came before with other content: send a higher one")
    return None


@reads(lambda event: [Person.by_id(event.key)])
def stop_all_contact(event: ParticipantWithdrawn, state: State, now: datetime) -> Facts:
    """What is planned finds the withdrawal when its turn comes."""
    state[Person, event.key].withdraw(event.withdrawn_at)
    yield from ()


@reads(lambda erased: [Person.by_id(erased.key), KeptNotice.where("person", erased.key)])
def forget_person(erased: Erased, state: State, now: datetime) -> Facts:
    """Name, address and what was to be told are gone."""
    state[Person, erased.key].forget()
    for kept in state.all(KeptNotice, "person", erased.key):
        if kept.is_open:
            kept.drop("erased", now)
    yield from ()


@reads(reads_to_tell)
def tell_both_that_they_are_a_pair(event: PairCreated, state: State, now: datetime) -> Facts:
    yield from tell(event, state, now)


@reads(lambda event: [Pair.by_id(event.pair_id), *reads_to_tell(event)])
def tell_both_that_it_ended_or_thank_them(event: PairEnded, state: State, now: datetime) -> Facts:
    state[Pair, event.pair_id].ended = True
    yield from tell(event, state, now)


@reads(reads_to_tell)
def warn_the_office(event: PairAtRisk, state: State, now: datetime) -> Facts:
    yield from tell(event, state, now)


def _session_and_reads_to_tell(event: SessionScheduled | SessionCancelled | SessionCompleted) -> Iterator[Read[Any]]:
    yield Session.by_id(event.session_id)
    yield from reads_to_tell(event)


@reads(_session_and_reads_to_tell)
def invite_both_and_plan_reminders(event: SessionScheduled, state: State, now: datetime) -> Facts:
    """A higher revision of a session is a new time: its reminders take the place of the old ones."""
    session = state[Session, event.session_id]
    session.learn(event)
    yield from tell(event, state, now, meets_at=event.starts_at)
    if session.is_planned and session.revision == event.revision:
        yield from plan_reminders(event, state[Program, event.program_id].published, now)


@reads(_session_and_reads_to_tell)
def tell_both_that_it_is_cancelled(event: SessionCancelled, state: State, now: datetime) -> Facts:
    session = state[Session, event.session_id]
    session.learn(event)
    yield from tell(event, state, now, meets_at=session.scheduled.starts_at if session.scheduled else None)


@reads(_session_and_reads_to_tell)
def ask_how_it_was(event: SessionCompleted, state: State, now: datetime) -> Facts:
    """Who has not answered yet is asked, once."""
    state[Session, event.session_id].learn(event)
    yield from tell(event, state, now)


@reads(lambda event: [Session.by_id(event.session_id)])
def remember_that_it_was_missed(event: SessionMissed, state: State, now: datetime) -> Facts:
    """Nobody is told; its reminders and invitations are untrue from now on."""
    state[Session, event.session_id].learn(event)
    yield from ()
