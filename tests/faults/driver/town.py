"""Who lives in the generator's world: programmes and people, as far as what was said about them goes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import Event, ParticipantEnrolled, ProgramPublished
from libs.contracts.examples import PARTICIPANT_ENROLLED, PROGRAM_PUBLISHED
from tests.faults.driver.orders import Say

HR = "/hr"
PROGRAMS = ("north", "south", "east")
CANARY = "canary"
SESSIONS = 3
COUPLES_OF_A_GRADE = 4
EPOCH = datetime(2026, 2, 2, 8, tzinfo=UTC)
WEEK = ("mon", "tue", "wed", "thu", "fri")
UNITS = ("Legal", "Finance", "Research", "Sales")


@dataclass(slots=True)
class Person:
    """What was said of a person. `by_http` tells that matching owns the profile."""

    event: ParticipantEnrolled
    by_http: bool = False
    meetings_owed: int = SESSIONS
    said: list[Say] = field(default_factory=list)


@dataclass(slots=True)
class Town:
    """The generator's memory. All chance comes from `random`, and time from a count."""

    random: Random
    people: dict[str, Person] = field(default_factory=dict)
    meeting: list[str] = field(default_factory=list)
    """Keys of mentors who have meetings before them."""
    revisions: dict[str, int] = field(default_factory=dict)
    couples: int = 0
    moments: int = 0

    def id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def moment(self) -> datetime:
        self.moments += 1
        return EPOCH + timedelta(seconds=self.moments)

    def somebody(self, *, by_http: bool) -> Person | None:
        """One of those who are enrolled, if there is one."""
        keys = [key for key in self._sample() if self.people[key].by_http is by_http]
        return self.people[keys[0]] if keys else None

    def say(self, event: Event, source: str = HR) -> Say:
        envelope = describe(event, id=self.id(), source=source, time=self.moment())
        return Say(event.topic, event.key, encode(event), tuple(headers(envelope)), envelope.id, envelope.source)

    def couple(self, program_id: str, *, by_http: bool = False) -> Sequence[Person]:
        """Two newcomers; now and then a mentor who has two places comes with two mentees."""
        newcomers = self._newcomers(program_id, by_http)
        self.people.update({person.event.key: person for person in newcomers})
        self.meeting.append(newcomers[0].event.key)
        return newcomers

    def stranger(self, program_id: str) -> Person:
        """Somebody of whom the town does not hear."""
        return self.random.choice(self._newcomers(program_id))

    def forget(self, person: Person) -> None:
        """Nothing more is said of the person."""
        self.people.pop(person.event.key, None)
        if person.event.key in self.meeting:
            self.meeting.remove(person.event.key)

    def _sample(self) -> list[str]:
        keys = list(self.people)
        return self.random.sample(keys, min(30, len(keys)))

    def _newcomers(self, program_id: str, by_http: bool = False) -> Sequence[Person]:
        """Some couples share their grades, so that matching has a choice."""
        number, self.couples = self.couples, self.couples + 1
        grade = 3 * (number // COUPLES_OF_A_GRADE)
        mentees = ("grace", "mina") if number % COUPLES_OF_A_GRADE == 0 else ("grace",)
        profiles = [
            self._profile(program_id, f"ada-{number}", "mentor", grade, len(mentees)),
            *(self._profile(program_id, f"{name}-{number}", "mentee", grade + 1, 1) for name in mentees),
        ]
        return [Person(each, by_http) for each in profiles]

    def _profile(self, program_id: str, id: str, role: str, grade: int, capacity: int) -> ParticipantEnrolled:
        unit = self.random.choice(UNITS)
        return profile(program_id, id, role, grade, self.moment(), unit=unit, capacity=capacity)


def profile(
    program_id: str, id: str, role: str, grade: int, enrolled_at: datetime, unit: str = UNITS[0], capacity: int = 1
) -> ParticipantEnrolled:
    """Somebody whom nothing but the grade keeps from being paired."""
    changed: Mapping[str, Any] = {
        "program_id": program_id,
        "participant_id": id,
        "revision": 1,
        "role": role,
        "name": id.title(),
        "email": f"{id}@engines.invalid",
        "grade": grade,
        "unit": unit,
        "manager_ids": (),
        "preferred_ids": (),
        "languages": ("en",),
        "locale": "en",
        "channels": ("email",),
        "capacity": capacity,
        "availability": [{"day": day, "start": "09:00", "end": "17:00"} for day in WEEK],
        "unavailable": (),
        "consent": {"matching": True},
        "enrolled_at": enrolled_at,
    }
    return ParticipantEnrolled.model_validate(PARTICIPANT_ENROLLED.model_dump() | changed)


def programme(id: str, revision: int = 1) -> ProgramPublished:
    """Nobody sleeps and nobody is reminded; it matches as people arrive."""
    policy = PROGRAM_PUBLISHED.policy.model_dump() | {
        "min_grade_gap": 1,
        "max_grade_gap": 1,
        "different_unit": "ignored",
        "different_function": "ignored",
        "sessions_per_pair": SESSIONS,
        "reminders": (),
        "quiet_hours": None,
    }
    changed = {"program_id": id, "revision": revision, "name": f"{id} {revision}", "policy": policy}
    return ProgramPublished.model_validate(PROGRAM_PUBLISHED.model_dump() | changed)


def programmes(town: Town) -> Iterable[Say]:
    """What a run begins with."""
    for id in (*PROGRAMS, CANARY):
        town.revisions[id] = 1
        yield town.say(programme(id))
