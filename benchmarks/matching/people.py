"""Drawn people as the contract's events, made column by column and one at a time.

`model_construct` leaves out validation, which would take ten times as long; a test validates a sample.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise, repeat
from typing import Any, Final, TypeVar

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.ids import ParticipantId, ProgramId
from libs.contracts.profile import Consent
from libs.contracts.words import Channel, Role

from .company import FURTHER_LANGUAGES, GOALS, OFFICES, SKILLS, USUAL_HOURS, Windows, individual_hours
from .draw import NOBODY, Drawn, Lists

NOW: Final = datetime(2026, 3, 4, 9, tzinfo=UTC)
PROGRAM: Final = ProgramId("2026")
_CONSENTS: Final = (Consent(matching=False), Consent(matching=True))
_FIRST: Final = ("Ada", "Grace", "Mina", "Noor", "Luca", "Emil", "Aiko", "Ravi", "Sofia", "Jonas")
_LAST: Final = ("Keller", "Okafor", "Silva", "Tanaka", "Weber", "Iyer", "Martin", "Nowak", "Garcia", "Smith")

T = TypeVar("T")


def ids_of(drawn: Drawn) -> list[ParticipantId]:
    """Ids in the order of people; sorted, they mix executives and juniors."""
    return [ParticipantId(f"p{number:07}") for number in drawn.numbers.tolist()]


def participants(drawn: Drawn) -> Iterator[ParticipantEnrolled]:
    """Executives first, then juniors."""
    columns = _columns(drawn, ids_of(drawn))
    # people share one set: a set of its own would be half of what a person takes
    given = set(columns)
    for values in zip(*columns.values(), strict=False):
        yield ParticipantEnrolled.model_construct(_fields_set=given, **dict(zip(columns, values, strict=True)))


def _columns(drawn: Drawn, ids: list[ParticipantId]) -> dict[str, Iterable[Any]]:
    """The values of each field; those that are the same for all have no end."""
    people = range(len(ids))
    offices = [OFFICES[office] for office in drawn.office.tolist()]
    return {
        "program_id": repeat(PROGRAM),
        "participant_id": ids,
        "revision": repeat(1),
        "role": (Role.MENTEE if index < drawn.mentees else Role.MENTOR for index in people),
        "name": (f"{_FIRST[index % 10]} {_LAST[index // 10 % 10]}" for index in people),
        "email": (f"{id}@company.invalid" for id in ids),
        "grade": drawn.grade.tolist(),
        "unit": map("Unit {}".format, drawn.unit.tolist()),
        "function": map("Function {}".format, drawn.function.tolist()),
        "location": (office.location for office in offices),
        "time_zone": (office.zone for office in offices),
        "languages": map(_languages, drawn.office.tolist(), drawn.english.tolist(), drawn.further_language.tolist()),
        "manager_ids": (tuple(_chain(chain, ids)) for chain in drawn.managers.tolist()),
        "expertise": _lists(drawn.expertise, SKILLS),
        "goals": _lists(drawn.goals, GOALS),
        "capacity": (capacity or None for capacity in drawn.capacity.tolist()),
        "availability": map(_windows, drawn.hours.tolist()),
        "unavailable": repeat(()),
        "preferred_ids": _lists(drawn.preferred, ids),
        "locale": repeat(None),
        "channels": repeat((Channel.EMAIL,)),
        "consent": (_CONSENTS[agrees] for agrees in drawn.agrees.tolist()),
        "enrolled_at": (NOW - timedelta(seconds=waited) for waited in drawn.waited_seconds.tolist()),
    }


def _lists(lists: Lists, things: Sequence[T]) -> Iterator[tuple[T, ...]]:
    values = lists.values.tolist()
    for start, end in pairwise(lists.starts.tolist()):
        yield tuple([things[value] for value in values[start:end]])


def _chain(chain: list[int], ids: list[ParticipantId]) -> Iterator[ParticipantId]:
    for manager in chain:
        if manager == NOBODY:
            return
        yield ids[manager] if manager > NOBODY else ParticipantId(f"lead-{NOBODY - 1 - manager}")


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
