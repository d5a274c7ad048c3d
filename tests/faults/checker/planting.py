"""What a planted fault is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.faults.checker.records import Record
from tests.faults.checker.small_company import SmallCompany
from tests.faults.checker.violations import Kind

Change = Callable[[SmallCompany], None]


@dataclass(frozen=True, slots=True)
class Plant:
    """What is broken, how the subjects that must be named begin, one for each violation, and how to break it."""

    kind: Kind
    subjects: tuple[str, ...]
    change: Change


def into(plants: list[Plant]) -> Callable[..., Callable[[Change], Change]]:
    """A decorator that keeps a change as a plant."""

    def plant(kind: Kind, *subjects: str) -> Callable[[Change], Change]:
        def keep(change: Change) -> Change:
            plants.append(Plant(kind, subjects, change))
            return change

        return keep

    return plant


def change(made: SmallCompany, record: Record, **changed: Any) -> None:
    """Give a record other content or another place."""
    made.records[made.records.index(record)] = replace(record, **changed)
