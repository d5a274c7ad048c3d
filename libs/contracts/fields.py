"""The kinds of value that events are made of. Limits are for sanity and for what the stores can hold."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic import GetCoreSchemaHandler as Handler
from pydantic_core import CoreSchema, core_schema


class Part(BaseModel):
    """A frozen piece of data. Fields that this version does not know are ignored; errors never show a value."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class OrElse:
    """An optional field whose null says what its absence says: many writers put null where they have no value."""

    default: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: Handler) -> CoreSchema:
        default = self.default
        nullable = core_schema.nullable_schema(handler(source))
        return core_schema.no_info_after_validator_function(lambda value: default if value is None else value, nullable)


def to_time(value: datetime) -> datetime:
    """UTC with whole milliseconds, as MongoDB keeps it. Raises ValueError where UTC leaves the years 1 to 9999."""
    if value.utcoffset():
        try:
            value = value.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("time out of range") from error
    return value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=UTC)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    # A machine without a zone database cannot judge; it takes the name as it is.
    if name not in _zones() and _zones():
        raise ValueError("not an IANA time zone")
    return name


MAX_INTEGER: Final = 2**53 - 1  # what JSON carries exactly in every language

_EMAIL_PART: Final = r"[^@\s<>,;\x22\x00-\x1f\x7f]+"

Time = Annotated[AwareDatetime, AfterValidator(to_time)]
TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_known_zone)]

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Label = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[str, StringConstraints(max_length=2000)]
Comment = Annotated[str, StringConstraints(max_length=10_000)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=rf"^{_EMAIL_PART}@{_EMAIL_PART}$")]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s<>\x22\x00-\x1f\x7f]+$")]
Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
StartOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
EndOfDay = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]

Revision = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Grade = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Stars = Annotated[int, Field(ge=1, le=5)]
Count = Annotated[int, Field(ge=1, le=MAX_INTEGER)]

Topics = Annotated[tuple[Line, ...], Field(max_length=200)]
Languages = Annotated[tuple[Language, ...], Field(max_length=50)]
