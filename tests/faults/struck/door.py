"""A company at whose door people enrol while its replicas are struck, and what must be true of it in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from deploy.local.stack import Endpoints
from libs.contracts.envelope import Reason
from libs.contracts.events import ParticipantEnrolled
from tests.faults.checker.evidence import Evidence, gather
from tests.faults.checker.told import Fault, Told
from tests.faults.driver.orders import Say
from tests.faults.driver.speaker import Speaker
from tests.faults.driver.town import Town
from tests.journeys.company import NAMES, Company, company, couple, program, until

MAILS_PER_COUPLE = 6


@dataclass(slots=True)
class Door:
    """One couple enrols after the other, and with each comes a record that nobody can read."""

    office: Company
    speaker: Speaker
    told: Told
    couples: int = 0
    _town: Town = field(default_factory=lambda: Town(Random(7)))

    def enrol(self) -> None:
        number, self.couples = self.couples, self.couples + 1
        for person in couple(number):
            self.speaker.say(self._town.say(person))
        poison = b"nobody says so, %d" % number
        self.speaker.say(Say(ParticipantEnrolled.topic, f"mina-{number}", poison, poison=Reason.MISSING_ATTRIBUTE))

    def until_all_is_told(self) -> None:
        """Every mail is sent, every poison parked, and nothing waits any more."""
        office, couples = self.office, self.couples
        assert self.speaker.finish(60) == 0
        until(lambda: office.has_told(couples * MAILS_PER_COUPLE), within=120, what="every mail")
        until(lambda: all(office.count(name, "dead_letters", {}) == couples for name in NAMES), what="every poison")
        until(lambda: not office.waiting_pages(), what="an empty outbox")
        late = {"due_at": {"$lt": datetime.now(UTC)}}
        until(lambda: not any(office.count(name, "due", late) for name in NAMES), what="an end of what is due")

    def evidence(self, repeated_mails: int = 0) -> Evidence:
        """What is left behind. So many mails may be repeated."""
        office = self.office
        whole = Fault("all of it", datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), repeated_mails)
        self.told.faults[:] = [whole]
        return gather(
            office.values["VICEVERSA_KAFKA"],
            office.values["VICEVERSA_MONGODB"],
            office.prefix,
            office.database,
            office.root / "mails",
            self.told,
        )


@contextmanager
def door_of(stack: Endpoints, prefix: str, database_prefix: str, root: Path) -> Iterator[Door]:
    """A programme is published; no service runs yet."""
    with company(stack, prefix, database_prefix, root) as office:
        told = Told()
        office.say([program()])
        yield Door(office, Speaker(stack.kafka, prefix, told), told)
