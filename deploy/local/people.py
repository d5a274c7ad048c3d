"""`python -m deploy.local.people --count 300 --seed 7 > people.csv`: a company for the demo.

The same seed gives the same company. Five levels under one chief executive, in offices of several zones and languages.
Skills are as unevenly spread as in life: a few that many have and many that few have.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any, TextIO

import typer

from deploy.local.people_words import (
    FIRST,
    FUNCTIONS,
    LAST,
    OFFICES,
    TAUGHT_BY_JUNIORS,
    TAUGHT_BY_SENIORS,
    UNITS,
    Office,
)

SMALLEST = 10
# Share of the company on each level from the second on; the fifth takes the rest
_SHARES = (0.025, 0.08, 0.22)
_GRADES = ((15, 15), (13, 14), (10, 12), (8, 9), (2, 5))
_SENIOR_LEVELS = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the company; `manager` is the number of the person above."""

    number: int
    level: int
    manager: int | None
    unit: str


def company(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """A row for each person, managers before their people."""
    if count < SMALLEST:
        raise ValueError(f"at least {SMALLEST} people")
    random = Random(seed)
    return (_person(place, random) for place in _places(count, random))


def _places(count: int, random: Random) -> Iterator[Place]:
    sizes = [1, *(max(1, round(count * share)) for share in _SHARES)]
    sizes.append(count - sum(sizes))
    above: list[Place] = []
    number = 0
    for level, size in enumerate(sizes):
        here = []
        for index in range(size):
            manager = above[index % len(above)] if above else None
            unit = UNITS[index % len(UNITS)] if level == 1 else (manager.unit if manager else "Executive Board")
            number += 1
            here.append(Place(number, level, manager.number if manager else None, unit))
        random.shuffle(here)
        yield from here
        above = here


def _person(place: Place, random: Random) -> dict[str, Any]:
    office = random.choices(OFFICES, [office.weight for office in OFFICES])[0]
    senior = place.level < _SENIOR_LEVELS
    first, last = random.choice(FIRST[office.names]), random.choice(LAST[office.names])
    languages = _languages(office, random)
    teaches, learns = (TAUGHT_BY_SENIORS, TAUGHT_BY_JUNIORS) if senior else (TAUGHT_BY_JUNIORS, TAUGHT_BY_SENIORS)
    return {
        "employee_id": _id(place.number),
        "name": f"{first} {last}",
        "email": f"{_id(place.number)}@viceversa.invalid",
        "role": "mentee" if senior else "mentor",
        "grade": random.randint(*_GRADES[place.level]),
        "unit": place.unit,
        "function": random.choice(FUNCTIONS),
        "location": office.city,
        "time_zone": office.zone,
        "languages": ";".join(languages),
        "locale": "de" if languages[0] == "de" else "en",
        "manager_id": _id(place.manager) if place.manager else "",
        "expertise": _skills(teaches, random.randint(2, 4), random),
        "goals": _skills(learns, random.randint(2, 4), random),
        "capacity": 2 if not senior and random.random() < 0.1 else "",
        "availability": _hours(random),
        "consent": "yes",
    }


def _id(number: int) -> str:
    return f"e{number:05d}"


def _languages(office: Office, random: Random) -> list[str]:
    spoken = [office.languages[0]]
    spoken += [language for language in office.languages[1:] if random.random() < 0.35]
    return spoken if "en" in spoken or random.random() < 0.06 else [*spoken, "en"]


def _skills(topics: Sequence[str], count: int, random: Random) -> str:
    """The nth topic is about 1/n as popular as the first."""
    chosen: list[str] = []
    weights = [1 / (rank + 1) for rank in range(len(topics))]
    while len(chosen) < count:
        topic = random.choices(topics, weights)[0]
        if topic not in chosen:
            chosen.append(topic)
    return ";".join(f"{topic}:{random.choice((2, 3, 4, 4, 5))}" for topic in chosen)


def _hours(random: Random) -> str:
    days = random.choice(("mon-fri", "mon-fri", "mon-fri", "mon-fri", "mon-thu", "tue-fri"))
    start, end = random.choice((("08:00", "17:00"), ("09:00", "18:00"), ("07:30", "16:30"), ("10:00", "19:00")))
    return f"{days} {start}-12:00;{days} 13:00-{end}"


def write(file: TextIO, count: int, seed: int) -> None:
    """The company as CSV."""
    people = list(company(count, seed))
    table = csv.DictWriter(file, people[0])
    table.writeheader()
    table.writerows(people)


def main(
    count: Annotated[int, typer.Option(min=SMALLEST, help="How many people.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed gives the same company.")] = 7,
) -> None:
    """Write a company to standard output."""
    write(sys.stdout, count, seed)


if __name__ == "__main__":
    typer.run(main)
