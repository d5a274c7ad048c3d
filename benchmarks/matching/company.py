"""The company that the generated people work for: offices, languages, topics, hours. Figures are shares of people."""

from itertools import product
from typing import Final, NamedTuple

from libs.contracts.profile import Goal, Skill, Window
from libs.contracts.words import Day


class Office(NamedTuple):
    """Where people sit; `share` is relative to the other offices."""

    location: str
    zone: str
    language: str
    share: float


OFFICES: Final = (
    Office("Zurich", "Europe/Zurich", "de-CH", 20),
    Office("London", "Europe/London", "en-GB", 14),
    Office("New York", "America/New_York", "en-US", 14),
    Office("Bengaluru", "Asia/Kolkata", "en-IN", 10),
    Office("Frankfurt", "Europe/Berlin", "de", 8),
    Office("Paris", "Europe/Paris", "fr", 7),
    Office("Singapore", "Asia/Singapore", "en-SG", 6),
    Office("Geneva", "Europe/Zurich", "fr-CH", 5),
    Office("Sao Paulo", "America/Sao_Paulo", "pt-BR", 4),
    Office("Tokyo", "Asia/Tokyo", "ja", 4),
    Office("Madrid", "Europe/Madrid", "es", 3),
    Office("Chicago", "America/Chicago", "en-US", 2),
    Office("Sydney", "Australia/Sydney", "en-AU", 2),
    Office("Warsaw", "Europe/Warsaw", "pl", 1),
)
ENGLISH_TOO: Final = 0.7
FURTHER_LANGUAGES: Final = ("de", "fr", "es", "it", "pt", "zh")
FURTHER_LANGUAGE: Final = 0.15

UNITS: Final = 40
FUNCTIONS: Final = 15

# grade: share of the side
MENTOR_GRADES: Final = {1: 25, 2: 30, 3: 25, 4: 15, 5: 5}
MENTEE_GRADES: Final = {8: 50, 9: 25, 10: 15, 11: 8, 12: 2}

TOPICS: Final = 300
HUB_TOPICS: Final = 6
SKILLS: Final = tuple(Skill(topic=f"Topic {n:03}", level=level) for n in range(TOPICS) for level in range(1, 6))
GOALS: Final = tuple(Goal(topic=f"Topic {n:03}", priority=level) for n in range(TOPICS) for level in range(1, 6))
"""Five per topic, in the order of their stars; shared by all people who have them."""

_DAYS: Final = ("tue thu", "mon wed fri", "mon tue wed thu fri", "mon tue", "wed fri", "mon tue wed thu")
_HOURS: Final = ("08:00-12:00", "13:00-17:00", "11:30-13:30", "16:00-19:00", "09:00-17:00", "08:30-11:30 14:00-18:00")

Windows = tuple[Window, ...]
INDIVIDUAL_HOURS: Final = 0.03


def windows(days: str, hours: str) -> Windows:
    """The same hours on each of the days."""
    spans = [span.split("-") for span in hours.split()]
    return tuple(Window(day=Day(day), start=start, end=end) for day in days.split() for start, end in spans)


USUAL_HOURS: Final = tuple(windows(days, hours) for hours, days in product(_HOURS, _DAYS))


def individual_hours(days: int, start: int, quarters: int) -> Windows:
    """One span on the working days that the bits of `days` mark, `start` and length in quarters of an hour."""
    marked = " ".join(day for bit, day in enumerate(("mon", "tue", "wed", "thu", "fri")) if days >> bit & 1)
    return windows(marked, f"{_clock(start)}-{_clock(start + quarters)}")


def _clock(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"
