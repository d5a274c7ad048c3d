"""The parts of a person's profile."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import ConfigDict, model_validator

from .fields import EndOfDay, Line, OrElse, Part, Stars, StartOfDay
from .words import Day


class Skill(Part):
    """Something that a person can teach."""

    topic: Line
    level: Stars


class Goal(Part):
    """Something that a person wants to learn."""

    topic: Line
    priority: Stars


class Window(Part):
    """Working hours on a day of the local week. What passes midnight is two windows; `24:00` ends the day."""

    day: Day
    start: StartOfDay
    end: EndOfDay

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class DateRange(Part):
    """Local days, both ends included."""

    start: date
    end: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError("end must not be before start")
        return self


def _is_consent(name: str, value: Any) -> bool:
    return isinstance(value, bool) and name.isidentifier() and len(name) <= 64


class Consent(Part):
    """What a person agrees to. Other consents than `matching` are kept when they are true or false, else ignored."""

    model_config = ConfigDict(extra="allow")

    matching: Annotated[bool, OrElse(False)] = False
    """Without it a person is in nobody's pool."""

    @model_validator(mode="after")
    def _keep_consents_only(self) -> Self:
        extra = self.__pydantic_extra__
        for name in [name for name, value in (extra or {}).items() if not _is_consent(name, value)]:
            del extra[name]  # type: ignore[union-attr]
        return self
