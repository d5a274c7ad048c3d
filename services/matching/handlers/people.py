"""What matching does when people enrol, change, leave or are erased.

Enrolment is light: one document is read and written. Who matches whom is decided by work that comes due.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from libs.chassis.documents import Read, peek
from libs.chassis.state import State
from libs.chassis.words import Answer, Erased, Facts, Refused, reads
from libs.contracts.events import ParticipantEnrolled, ParticipantWithdrawn
from libs.contracts.words import PairEndReason, Role
from services.matching.answers import person_shown
from services.matching.commands import EnrolParticipant, WithdrawParticipant
from services.matching.handlers.pairs import end_pairs_of, end_pairs_that_broke, pairs_and_partners
from services.matching.store.pairs import Pair
from services.matching.store.people import Person, Program
from services.matching.store.rounds import Finding


def _if_new(event: ParticipantEnrolled, state: State) -> list[Read[Any]]:
    # What a revision already says stays said, so a fact of ours that comes back costs no write
    known = state[Person, event.key].outdates(event, state.source)
    return [] if known else [Person.by_id(event.key)]


def _its_pairs(event: ParticipantEnrolled, state: State) -> list[Read[Any]]:
    person = state[Person, event.key]
    return pairs_and_partners(person) if person.partners else []


@reads(lambda event: [peek(Person.by_id(event.key))], _if_new, _its_pairs)
def remember_participant(event: ParticipantEnrolled, state: State, now: datetime) -> Facts:
    """A profile belongs to the source that enrolled the person first, and the revision orders that source's facts."""
    person = state[Person, event.key]
    if person.outdates(event, state.source):
        return
    if refusal := _refusal(person, event, state.source):
        yield refusal
        return
    person.enrol(event, state.source, now)
    yield from end_pairs_that_broke(person, state, now)


@reads(
    lambda command: [peek(Program.by_id(command.program_id)), Person.by_id(command.key)],
    lambda command, state: pairs_and_partners(state[Person, command.key]),
)
def enrol_participant(command: EnrolParticipant, state: State, now: datetime) -> Facts:
    """Enrol or change a person on behalf of a caller; the same content again is no new fact."""
    person = state[Person, command.key]
    if refusal := _not_open(state[Program, command.program_id]) or _other_revision(person, command.if_match):
        yield refusal
        return
    if refusal := _other_owner(person, state.source):
        yield refusal
        return
    known = person.profile
    event = command.enrolment.event(
        command.program_id, command.participant_id, person.revision + 1, _moment(person, command, now)
    )
    if command.enrolment.excluded_ids is not None:
        person.excluded_ids = list(command.enrolment.excluded_ids)
        person.settle(now)
    if known is None or event != known.model_copy(update={"revision": event.revision}):
        yield person.enrol(event, state.source, now)
        yield from end_pairs_that_broke(person, state, now)
    yield Answer(person_shown(person), 200 if known else 201, {"ETag": f'"{person.revision}"'})


def _to_end(event: ParticipantWithdrawn, state: State) -> Iterator[Read[Any]]:
    person = state[Person, event.key]
    if not person.knows_withdrawal(event):
        yield Person.by_id(event.key)
        yield from pairs_and_partners(person)


@reads(lambda event: [peek(Person.by_id(event.key))], _to_end)
def remember_withdrawal(event: ParticipantWithdrawn, state: State, now: datetime) -> Facts:
    """Anyone may withdraw a person; it holds against every enrolment that is not later."""
    person = state[Person, event.key]
    if person.knows_withdrawal(event):
        return
    person.withdraw(event, now)
    if not person.enrolled:
        yield from end_pairs_of(person, PairEndReason.WITHDRAWN, state, now)


@reads(
    lambda command: [Person.by_id(command.key)],
    lambda command, state: pairs_and_partners(state[Person, command.key]),
)
def withdraw_participant(command: WithdrawParticipant, state: State, now: datetime) -> Facts:
    """The person leaves, whoever enrolled them; a person who has left stays so."""
    person = state[Person, command.key]
    if person.profile is None:
        yield Refused("not_found", "nobody of this id was enrolled in this programme: check both ids", 404)
        return
    if refusal := _other_revision(person, command.if_match):
        yield refusal
        return
    if person.enrolled:
        yield person.withdraw(
            ParticipantWithdrawn(
                program_id=command.program_id,
                participant_id=command.participant_id,
                revision=person.revision + 1,
                reason=command.reason,
                withdrawn_at=max(now, person.profile.enrolled_at),
            ),
            now,
        )
        yield from end_pairs_of(person, PairEndReason.WITHDRAWN, state, now)
    yield Answer({}, 204, {"ETag": f'"{person.revision}"'})


def _known_traces(erased: Erased, state: State) -> Iterator[Read[Any]]:
    person = state[Person, erased.key]
    if person.heard_of:
        yield Person.by_id(erased.key)
        yield from pairs_and_partners(person)
        yield from (Pair.by_id(former.pair_id) for former in person.former)
        yield from (Finding.where(role.value, erased.key) for role in Role)


@reads(lambda erased: [peek(Person.by_id(erased.key))], _known_traces)
def forget_participant(erased: Erased, state: State, now: datetime) -> Facts:
    """Pairs in force end, and nothing that tells of the person stays."""
    person = state[Person, erased.key]
    if not person.heard_of:
        return
    yield from end_pairs_of(person, PairEndReason.ERASED, state, now)
    for former in person.former:
        state[Pair, former.pair_id].forget()
    for role in Role:
        for finding in state.all(Finding, role.value, erased.key):
            finding.forget()
    person.erase()


def _refusal(person: Person, event: ParticipantEnrolled, source: str) -> Refused | None:
    if refusal := _other_owner(person, source):
        return refusal
    if person.profile and person.profile.revision == event.revision:
        return Refused("conflict", "this revision was said with another content: send a higher one")
    return None


def _other_owner(person: Person, source: str) -> Refused | None:
    if person.owner in ("", source):
        return None
    return Refused("not_owner", f"the profile belongs to {person.owner}: change it there", more={"owner": person.owner})


def _not_open(program: Program) -> Refused | None:
    if program.published is None:
        return Refused("not_found", "there is no such programme: PUT it at /programs/{program_id}", 404)
    if not program.active:
        return Refused("not_open", f"the programme is {program.published.state}: publish it as open or running")
    return None


def _other_revision(person: Person, if_match: int | None) -> Refused | None:
    if if_match is None or (person.profile and if_match == person.revision):
        return None
    detail = "the person has another revision: GET it, and send its ETag as If-Match"
    return Refused("changed", detail, 412, more=person_shown(person))


def _moment(person: Person, command: EnrolParticipant, now: datetime) -> datetime:
    """When this enrolment was: as said, as before, or now, which after a withdrawal is a return."""
    if command.enrolment.enrolled_at:
        return command.enrolment.enrolled_at
    if person.profile and person.enrolled:
        return person.profile.enrolled_at
    return max(now, person.withdrawal.withdrawn_at + timedelta(milliseconds=1)) if person.withdrawal else now
