"""Drawn people as the contract's events, made column by column and one at a time.

`model_construct` leaves out validation, which would take ten times as long; a test validates a sample.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import repeat
from typing import Any, Final

import numpy as np

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.ids import ParticipantId, ProgramId
from libs.contracts.profile import Consent
from libs.contracts.words import Channel, Role

from .company import FURTHER_LANGUAGES, GOALS, OFFICES, SKILLS, USUAL_HOURS, Windows, individual_hours
from .draw import NOBODY, Drawn, Integers, Lists

NOW: Final = datetime(2026, 3, 4, 9, tzinfo=UTC)
PROGRAM: Final = ProgramId("2026")
_CONSENTS: Final = (Consent(matching=False), Consent(matching=True))
_FIRST: Final = ("Ada", "Grace", "Mina", "Noor", "Luca", "Emil", "Aiko", "Ravi", "Sofia", "Jonas")
_LAST: Final = ("Keller", "Okafor", "Silva", "Tanaka", "Weber", "Iyer", "Martin", "Nowak", "Garcia", "Smith")

_AT_ONCE: Final = 10_000


def ids_of(numbers: Integers) -> list[ParticipantId]:
    return [ParticipantId(f"p{number:07}") for number in numbers.tolist()]


def participants(drawn: Drawn, people: Integers) -> Iterator[ParticipantEnrolled]:
    """These people by index, in this order; a few thousand columns' values at a time."""
    for start in range(0, len(people), _AT_ONCE):
        columns = _columns(drawn, people[start : start + _AT_ONCE])
        # people share one set: a set of its own would be half of what a person takes
        given = set(columns)
        for values in zip(*columns.values(), strict=False):
            yield ParticipantEnrolled.model_construct(_fields_set=given, **dict(zip(columns, values, strict=True)))


def _columns(drawn: Drawn, people: Integers) -> dict[str, Iterable[Any]]:
    """The values of each field; those that are the same for all have no end."""
    ids, numbers = ids_of(drawn.numbers[people]), people.tolist()
    office = drawn.office[people].tolist()
    offices = [OFFICES[number] for number in office]
    english, further = drawn.english[people].tolist(), drawn.further_language[people].tolist()
    return {
        "program_id": repeat(PROGRAM),
        "participant_id": ids,
        "revision": repeat(1),
        "role": (Role.MENTEE if number < drawn.mentees else Role.MENTOR for number in numbers),
        "name": (f"{_FIRST[number % 10]} {_LAST[number // 10 % 10]}" for number in numbers),
        "email": (f"{id}@company.invalid" for id in ids),
        "grade": drawn.grade[people].tolist(),
        "unit": map("Unit {}".format, drawn.unit[people].tolist()),
        "function": map("Function {}".format, drawn.function[people].tolist()),
        "location": (office.location for office in offices),
        "time_zone": (office.zone for office in offices),
        "languages": map(_languages, office, english, further),
        "manager_ids": map(_chain, _managers(drawn, people)),
        "expertise": (tuple([SKILLS[value] for value in values]) for values in _lists(drawn.expertise, people)),
        "goals": (tuple([GOALS[value] for value in values]) for values in _lists(drawn.goals, people)),
        "capacity": (capacity or None for capacity in drawn.capacity[people].tolist()),
        "availability": map(_windows, drawn.hours[people].tolist()),
        "unavailable": repeat(()),
        "preferred_ids": (_ids(drawn, values) for values in _lists(drawn.preferred, people)),
        "locale": repeat(None),
        "channels": repeat((Channel.EMAIL,)),
        "consent": (_CONSENTS[agrees] for agrees in drawn.agrees[people].tolist()),
        "enrolled_at": (NOW - timedelta(seconds=waited) for waited in drawn.waited_seconds[people].tolist()),
    }


def _managers(drawn: Drawn, people: Integers) -> Iterator[list[int]]:
    """Chains of id numbers, nearest first, in which leads outside of the pool stand below NOBODY."""
    chains = drawn.managers[people]
    return iter(np.where(chains >= 0, drawn.numbers[chains], chains).tolist())


def _ids(drawn: Drawn, people: list[int]) -> tuple[ParticipantId, ...]:
    return tuple(ids_of(drawn.numbers[people])) if people else ()


def _lists(lists: Lists, people: Integers) -> Iterator[list[int]]:
    for start, end in zip(lists.starts[people].tolist(), lists.starts[people + 1].tolist(), strict=True):
        yield lists.values[start:end].tolist()


def _chain(managers: list[int]) -> tuple[ParticipantId, ...]:
    inside = [manager for manager in managers if manager != NOBODY]
    return tuple(
        ParticipantId(f"p{manager:07}" if manager > NOBODY else f"lead-{NOBODY - 1 - manager}") for manager in inside
    )


@cache
def _languages(office: int, english: bool, further: int) -> tuple[str, ...]:
    spoken = (OFFICES[office].language, "en" if english else "", FURTHER_LANGUAGES[further] if further >= 0 else "")
    return tuple(dict.fromkeys(language for language in spoken if language))


@cache
def _windows(hours: int) -> Windows:
    if hours < len(USUAL_HOURS):
        return USUAL_HOURS[hours]
    days_and_start, quarters = divmod(hours - len(USUAL_HOURS), 32)
    return individual_hours(*divmod(days_and_start, 64), quarters)
