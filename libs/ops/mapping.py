"""How an export's columns become profiles: what stands in a mapping file. docs/operations/enrolment.md explains it."""

import codecs
from collections.abc import Iterator
from functools import cached_property
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from libs.contracts.fields import TimeZone
from libs.ops.cells import PARSERS, Format, parse
from libs.ops.names import comparable

Column = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Fields = dict[str, Any]
# YAML reads the words yes and no, and numbers, as values of their own; a cell is always text
Cell = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, (int, float)) else value)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Section):
    """A row counts only where the column holds one of these words (or none of those in `is_not`)."""

    column: Column
    is_: Annotated[list[Cell], Field(alias="is")] = []
    is_not: list[Cell] = []

    def holds(self, cell: str) -> bool:
        word = cell.casefold()
        return (not self.is_ or word in self._wanted) and word not in self._unwanted

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset(" ".join(word.split()).casefold() for word in self.is_)

    @cached_property
    def _unwanted(self) -> frozenset[str]:
        return frozenset(" ".join(word.split()).casefold() for word in self.is_not)

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.is_ and not self.is_not:
            raise ValueError("say `is` or `is_not`")
        return self


class Table(Section):
    """Fields that follow from a column's word, such as grade and skills from a position."""

    column: Column
    rows: dict[Cell, Fields]
    otherwise: Fields | None = None
    """For a word that is not in `rows`; without it such a row is refused."""

    def of(self, cell: str) -> Fields | None:
        return self._known.get(cell.casefold(), self.otherwise)

    @cached_property
    def _known(self) -> dict[str, Fields]:
        return {" ".join(word.split()).casefold(): fields for word, fields in self.rows.items()}

    @model_validator(mode="after")
    def _gives_fields(self) -> Self:
        for fields in (*self.rows.values(), self.otherwise or {}):
            _check(fields)
        return self


class Managers(Section):
    """How a row leads to the manager."""

    by: Literal["name", "id"]
    column: Column
    id_column: Column | None = None
    """With `by: name`: another system's id of the manager, only to tell where one name has several."""
    absent: Literal["top", "refuse"] = "refuse"
    """A manager who is in no row: `top` closes the chain with a synthetic id, or with the id itself."""
    empty: Literal["top", "refuse"] = "top"
    """A row without a manager."""
    several_ids: Literal["one_person", "refuse"] = "refuse"
    """One absent name with several ids: taken for one person (nobody below that name is paired within), or refused."""
    own_manager: Literal["top", "refuse"] = "refuse"
    """A row that names itself."""
    known: dict[Cell, Cell] = {}
    """Names that are spelt in another way, or that two people share, with the participant's id."""

    @cached_property
    def known_ids(self) -> dict[str, str]:
        return {comparable(name): id for name, id in self.known.items()}


class Mapping(Section):
    """A mapping file. A field comes from a column; where its cell is empty from a table, else from a constant."""

    source: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]{1,199}$")]
    """The URI reference of the system that the profiles belong to, such as `/hr/export`."""
    encoding: str = "utf-8-sig"
    delimiter: Annotated[str, StringConstraints(pattern=r'^[^"\r\n]$')] = ","
    list_separator: Annotated[str, StringConstraints(min_length=1, max_length=3)] = ";"
    date_format: str | None = None
    """As in Python's strptime; ISO 8601 without it."""
    date_zone: TimeZone = "UTC"
    where: list[Condition] = []
    constants: Fields = {}
    tables: list[Table] = []
    columns: dict[str, Column]
    templates: dict[str, str] = {}
    """Texts made of other fields, `email: "{participant_id}@people.invalid"`."""
    managers: Managers | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            found = codecs.lookup(name).name
            "Ada".encode(found).decode(found)
        except (LookupError, UnicodeError):
            raise ValueError("no such encoding; utf-8, cp1252 and iso-8859-1 are common") from None
        return "utf-8-sig" if found == "utf-8" else found

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, columns: dict[str, str]) -> dict[str, str]:
        if missing := {"participant_id", "name"} - columns.keys():
            raise ValueError(f"{', '.join(sorted(missing))}: must come from a column")
        if unknown := sorted(columns.keys() - PARSERS.keys()):
            raise ValueError(f"no such field: {', '.join(unknown)}; there are {', '.join(PARSERS)}")
        return columns

    @field_validator("constants")
    @classmethod
    def _give_fields(cls, constants: Fields) -> Fields:
        return _check(constants)

    @field_validator("templates")
    @classmethod
    def _made_of_fields(cls, templates: dict[str, str]) -> dict[str, str]:
        for field, template in templates.items():
            parts = [part for part in Formatter().parse(template) if part[1] is not None]
            names, formats = {name for _, name, _, _ in parts}, {part for _, _, *rest in parts for part in rest if part}
            if field not in PARSERS or not names <= PARSERS.keys() or formats:
                raise ValueError(f"{field}: only fields of a profile can be made, and of fields such as {{name}}")
        return templates

    @cached_property
    def format(self) -> Format:
        return Format(self.list_separator, self.date_format, self.date_zone)

    def needed(self) -> Iterator[str]:
        """Every column that the file must have."""
        yield from self.columns.values()
        yield from (condition.column for condition in self.where)
        yield from (table.column for table in self.tables)
        if self.managers:
            yield self.managers.column
            if self.managers.id_column:
                yield self.managers.id_column


def _check(fields: Fields) -> Fields:
    if unknown := sorted(fields.keys() - PARSERS.keys()):
        raise ValueError(f"no such field: {', '.join(map(str, unknown))}; there are {', '.join(PARSERS)}")
    for field, value in fields.items():
        try:
            parse(field, value, Format())
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from None
    return fields
