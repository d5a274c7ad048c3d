"""What matching does when a programme is published, closed or forgotten."""

from datetime import datetime

from libs.chassis.documents import peek
from libs.chassis.state import State
from libs.chassis.words import Answer, Erased, Facts, Later, Refused, reads
from libs.contracts.events import ProgramPublished
from libs.contracts.words import ProgramState, Role
from services.matching.answers import program_shown
from services.matching.commands import PublishProgram
from services.matching.store.people import Person, Program
from services.matching.work import EndPairs, MatchEverybody, MatchWaiting, PeopleToSettle, SettlePlaces


@reads(lambda event: [Program.by_id(event.program_id)])
def remember_program(event: ProgramPublished, state: State, now: datetime) -> Facts:
    """The highest revision counts, whatever the order of arrival."""
    program = state[Program, event.program_id]
    known = program.published
    if known and known.revision == event.revision and known != event:
        yield Refused("conflict", "this revision was published with another content: publish a higher one")
    elif known is None or known.revision < event.revision:
        places = program.places
        program.publish(event)
        yield from _work_of(program, places, now)


@reads(lambda command: [Program.by_id(command.program_id)])
def publish_program(command: PublishProgram, state: State, now: datetime) -> Facts:
    """The revision is counted here; the same content again is no new one."""
    program = state[Program, command.program_id]
    before = program.published
    if command.if_match is not None and (before is None or command.if_match != before.revision):
        detail = "the programme has another revision: GET it, and send its ETag as If-Match"
        yield Refused("changed", detail, 412, more=program_shown(program))
        return
    event = command.wish.event(command.program_id, program.revision + 1)
    if before is None or event != before.model_copy(update={"revision": event.revision}):
        places = program.places
        yield program.publish(event)
        yield from _work_of(program, places, now)
    yield Answer(
        program_shown(program),
        200 if before else 201,
        {"ETag": f'"{program.revision}"', "Location": f"/programs/{program.id}"},
    )


@reads(lambda erased: [Program.by_id(erased.key)])
def forget_program(erased: Erased, state: State, now: datetime) -> Facts:
    """Its pairs end, as those of a closed programme do."""
    state[Program, erased.key].published = None
    yield Later(EndPairs(program_id=erased.key), now)


@reads(lambda work: [peek(Program.by_id(work.program_id)), *(Person.by_id(id) for id in work.person_ids)])
def settle_places(work: PeopleToSettle, state: State, now: datetime) -> Facts:
    """A handful at a time: who has a place left goes back to the pool."""
    places = state[Program, work.program_id].places
    for person in (state[Person, id] for id in work.person_ids):
        person.places = next((places[role] for role in Role if role == person.role), 1)
        person.settle(now)
    if work.person_ids:
        yield Later(SettlePlaces(program_id=work.program_id, after=work.person_ids[-1]), now)


def _work_of(program: Program, before: dict[Role, int], now: datetime) -> Facts:
    if program.rolling:
        yield Later(MatchWaiting(program_id=program.id), now)
        yield Later(MatchEverybody(program_id=program.id), now)
    elif program.published and program.published.state is ProgramState.CLOSED:
        yield Later(EndPairs(program_id=program.id), now)
    if program.active and program.places != before:
        yield Later(SettlePlaces(program_id=program.id), now)
