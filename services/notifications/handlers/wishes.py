"""What people and mail servers ask of notifications by HTTP."""

from datetime import datetime

from libs.chassis.state import State
from libs.chassis.words import Answer, Facts, Refused, reads
from services.notifications.commands import ReportBounce, SetPreferences
from services.notifications.store.people import Person


@reads(lambda wish: [Person.by_id(wish.person)])
def set_preferences(wish: SetPreferences, state: State, now: datetime) -> Facts:
    """They hold for everything that is told from now on."""
    person = state[Person, wish.person]
    if person.contact is None:
        yield Refused("unknown", "nobody of this id is enrolled: check both ids", 404)
    elif wish.expected is not None and wish.expected != person.preferences_revision:
        detail = "the preferences were changed meanwhile: GET them, and send their ETag as If-Match"
        yield Refused("changed", detail, 412, person.wishes)
    else:
        person.wish(wish.preferences)
        yield Answer(person.wishes, headers={"ETag": f'"{person.preferences_revision}"'})


@reads(lambda bounce: [Person.where("address", bounce.normalised)])
def stop_writing_to_the_address(bounce: ReportBounce, state: State, now: datetime) -> Facts:
    """Nothing goes to an address that came back until the profile names another."""
    people = state.all(Person, "address", bounce.normalised)
    for person in people:
        person.bounced = person.address
    yield Answer({"participants": len(people)})
