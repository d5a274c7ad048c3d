"""What people and other systems do, as a table: a new capability adds its line. The same seed gives the same steps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any, TypeAlias

from libs.contracts.events import ParticipantWithdrawn
from libs.contracts.examples import PARTICIPANT_WITHDRAWN
from tests.faults.driver.orders import Ask, Order, Say, Step, Want, Wish
from tests.faults.driver.poison import POISONS
from tests.faults.driver.town import PROGRAMS, UNITS, Person, Town, programme, programmes

Orders: TypeAlias = Iterator[Order]
Body: TypeAlias = dict[str, Any]
COUPLES_AT_ONCE = 8
MEETINGS_AT_ONCE = 12
MOVED_AT_ONCE = 160
NOT_SAID_BY_HTTP = {"program_id", "participant_id", "revision"}


def enrol_couples(town: Town) -> Orders:
    program_id = town.random.choice(PROGRAMS)
    for _ in range(COUPLES_AT_ONCE):
        yield from (_said(town, person) for person in town.couple(program_id))


def enrol_a_couple_by_http(town: Town) -> Orders:
    for person in town.couple(town.random.choice(PROGRAMS), by_http=True):
        yield _put(town, person)


def revise_a_profile(town: Town) -> Orders:
    if person := town.somebody(by_http=False):
        _change(town, person)
        yield _said(town, person)


def reorganise(town: Town) -> Orders:
    """As a personnel system tells it: many revisions at once."""
    moved = {person.event.key: person for _ in range(MOVED_AT_ONCE) if (person := town.somebody(by_http=False))}
    for person in moved.values():
        _change(town, person)
        yield _said(town, person)


def revise_a_profile_by_http(town: Town) -> Orders:
    if person := town.somebody(by_http=True):
        _change(town, person)
        yield _put(town, person)


def say_revision_three_before_two(town: Town) -> Orders:
    if person := town.somebody(by_http=False):
        _change(town, person)
        earlier = town.say(person.event)
        _change(town, person)
        yield _said(town, person)
        yield earlier


def hold_meetings(town: Town) -> Orders:
    """One side says so, mostly the other one as well, and some have an opinion."""
    for key in town.random.sample(town.meeting, min(MEETINGS_AT_ONCE, len(town.meeting))):
        mentor = town.people[key]
        first, second = (_word(town, side) for side in town.random.sample(("mentor", "mentee"), 2))
        yield _want(town, mentor, Wish.COMPLETE, first, second if town.random.random() < 0.8 else None)
        mentor.meetings_owed -= 1
        if not mentor.meetings_owed:
            town.meeting.remove(key)


def move_a_meeting(town: Town) -> Orders:
    yield from _of_who_meets(town, Wish.MOVE, {"reason": "a visitor"})


def cancel_a_meeting(town: Town) -> Orders:
    yield from _of_who_meets(town, Wish.CANCEL, {"reason": "a strike of trains"})


def end_a_pair(town: Town) -> Orders:
    yield from _of_who_meets(town, Wish.END, {"reason": "requested", "ended_by": "office"})


def withdraw_somebody(town: Town) -> Orders:
    if person := town.somebody(by_http=False):
        town.forget(person)
        yield town.say(_withdrawal(town, person))


def withdraw_somebody_by_http(town: Town) -> Orders:
    if person := town.somebody(by_http=town.random.random() < 0.5):
        town.forget(person)
        yield Ask("matching", "DELETE", _path(person), town.id(), again=town.random.random() < 0.3)


def say_a_withdrawal_before_its_enrolment(town: Town) -> Orders:
    person = town.stranger(town.random.choice(PROGRAMS))
    yield town.say(_withdrawal(town, person))
    yield town.say(person.event)


def erase_somebody(town: Town) -> Orders:
    if person := town.somebody(by_http=False):
        town.forget(person)
        for topic in ("participant-enrolled", "participant-withdrawn"):
            yield Say(topic, person.event.key, None)


def say_facts_again(town: Town) -> Orders:
    """The same ids, as a system does that has not heard the broker's answer."""
    if (person := town.somebody(by_http=False)) and person.said:
        yield from town.random.sample(person.said, min(2, len(person.said)))


def say_a_revision_with_other_content(town: Town) -> Orders:
    if person := town.somebody(by_http=False):
        _change(town, person)
        yield _said(town, person)
        said = town.say(person.event.model_copy(update={"unit": "Elsewhere"}))
        yield replace(said, poison="conflict")


def revise_what_another_system_owns(town: Town) -> Orders:
    if person := town.somebody(by_http=False):
        event = person.event.model_copy(update={"revision": person.event.revision + 1})
        yield replace(town.say(event, source="/crm"), poison="not_owner")


def poison_a_topic(town: Town) -> Orders:
    spoil = town.random.choice(POISONS)
    yield spoil(town.say(town.stranger(town.random.choice(PROGRAMS)).event))


def ask_for_a_round(town: Town) -> Orders:
    """Over everybody whom rolling matching has not paired, and twice at once now and then."""
    path = f"/programs/{town.random.choice(PROGRAMS)}/rounds"
    for _ in range(town.random.randint(1, 2)):
        body = {"round_id": town.id(), "dry_run": town.random.random() < 0.3}
        yield Ask("matching", "POST", path, town.id(), body, again=town.random.random() < 0.3)


def revise_a_programme(town: Town) -> Orders:
    id = town.random.choice(PROGRAMS)
    town.revisions[id] += 1
    yield town.say(programme(id, town.revisions[id]))


ACTIONS: tuple[tuple[int, Callable[[Town], Orders]], ...] = (
    (24, enrol_couples),
    (5, enrol_a_couple_by_http),
    (6, revise_a_profile),
    (2, revise_a_profile_by_http),
    (10, reorganise),
    (2, say_revision_three_before_two),
    (34, hold_meetings),
    (4, move_a_meeting),
    (4, cancel_a_meeting),
    (3, end_a_pair),
    (2, withdraw_somebody),
    (2, withdraw_somebody_by_http),
    (2, say_a_withdrawal_before_its_enrolment),
    (1, erase_somebody),
    (4, say_facts_again),
    (1, say_a_revision_with_other_content),
    (1, revise_what_another_system_owns),
    (2, poison_a_topic),
    (1, revise_a_programme),
    (2, ask_for_a_round),
)
"""How often something happens against the others, and what it is."""
WRONGS = tuple(
    action.__name__.replace("_", " ")
    for action in (
        say_facts_again,
        say_revision_three_before_two,
        say_a_withdrawal_before_its_enrolment,
        say_a_revision_with_other_content,
        revise_what_another_system_owns,
        poison_a_topic,
    )
)
"""The steps with duplicate and reordered facts and with poison: they come all the time."""


def steps(seed: int) -> Iterator[Step]:
    """Without end; first come the programmes."""
    town = Town(Random(seed))
    weights, actions = [weight for weight, _ in ACTIONS], [action for _, action in ACTIONS]
    yield Step(0, "publish programmes", tuple(programmes(town)))
    for number in count(1):
        action = town.random.choices(actions, weights)[0]
        yield Step(number, action.__name__.replace("_", " "), tuple(action(town)))


def _said(town: Town, person: Person) -> Say:
    said = town.say(person.event)
    person.said.append(said)
    return said


def _put(town: Town, person: Person) -> Ask:
    body = person.event.model_dump(mode="json", exclude=NOT_SAID_BY_HTTP)
    return Ask("matching", "PUT", _path(person), town.id(), body, again=town.random.random() < 0.3)


def _change(town: Town, person: Person) -> None:
    changed = {"revision": person.event.revision + 1, "unit": town.random.choice(UNITS), "location": town.id()}
    person.event = person.event.model_copy(update=changed)


def _of_who_meets(town: Town, wish: Wish, body: Body) -> Orders:
    if town.meeting:
        yield _want(town, town.people[town.random.choice(town.meeting)], wish, body)


def _want(town: Town, person: Person, wish: Wish, body: Body, then: Body | None = None) -> Want:
    return Want(person.event.program_id, person.event.participant_id, wish, town.id(), body, then)


def _word(town: Town, side: str) -> Body:
    return {"by": side} | ({"rating": town.random.randint(1, 5)} if town.random.random() < 0.6 else {})


def _withdrawal(town: Town, person: Person) -> ParticipantWithdrawn:
    changed = {
        "program_id": person.event.program_id,
        "participant_id": person.event.participant_id,
        "revision": person.event.revision + 1,
        "withdrawn_at": town.moment(),
    }
    return ParticipantWithdrawn.model_validate(PARTICIPANT_WITHDRAWN.model_dump() | changed)


def _path(person: Person) -> str:
    return f"/programs/{person.event.program_id}/participants/{person.event.participant_id}"
