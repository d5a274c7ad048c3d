"""Second pass: a row as the profile of a person in a programme, or the reasons why not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from libs.contracts.envelope import encode
from libs.contracts.events import ParticipantEnrolled
from libs.contracts.topics import topic_of
from libs.ops.cells import parse
from libs.ops.directory import Directory, NoChain
from libs.ops.known import Known
from libs.ops.mapping import Fields, Mapping
from libs.ops.names import written
from libs.ops.rows import Row

_LARGEST = topic_of(ParticipantEnrolled).max_bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is not enrolled. It names line, id and field, never a cell."""

    line: int
    participant_id: str
    reason: str


class BadRow(Exception):
    """Carries the reason."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What one run goes by. `now` becomes `enrolled_at` where neither the file nor an earlier run says it."""

    program_id: str
    mapping: Mapping
    assume_consent: bool
    now: datetime

    def profile(self, row: Row, directory: Directory, known: Known | None) -> ParticipantEnrolled:
        """The person under the next revision. Raises BadRow."""
        fields = self._fields(row)
        id = str(fields["participant_id"])
        if not directory.stands(id, row.line):
            raise BadRow(f"participant_id: line {directory.entries[id].line} has it already")
        self._settle_consent(fields, known)
        try:
            fields["manager_ids"] = directory.chain(id)
        except NoChain as problem:
            raise BadRow(f"manager_ids: {problem}") from None
        fields.setdefault("enrolled_at", known.enrolled_at if known else self.now)
        return self._validated(fields, known)

    def _fields(self, row: Row) -> Fields:
        fields = dict(self._sources(row))
        if not fields.get("participant_id"):
            raise BadRow("participant_id: is empty")
        fields = {field: self._parsed(field, value) for field, value in fields.items()}
        for field, template in self.mapping.templates.items():
            if field not in fields:
                fields[field] = _made(field, template, fields)
        return fields

    def _sources(self, row: Row) -> Iterator[tuple[str, Any]]:
        """Fields with their values; a later one counts more."""
        yield from self.mapping.constants.items()
        for table in self.mapping.tables:
            found = table.of(row.cells[table.column])
            if found is None:
                raise BadRow(f"{table.column}: the mapping's table has no such word")
            yield from found.items()
        for field, column in self.mapping.columns.items():
            if cell := row.cells[column]:
                yield field, written(cell) if field == "name" else cell

    def _parsed(self, field: str, value: Any) -> Any:
        try:
            return parse(field, value, self.mapping.format)
        except ValueError as error:
            raise BadRow(f"{field}: {error}") from None

    def _settle_consent(self, fields: Fields, known: Known | None) -> None:
        """A `no` is passed on for somebody who is in the programme; silence is consent only if the operator says so."""
        said = fields.get("consent")
        if said is None and self.assume_consent:
            fields["consent"] = {"matching": True}
        elif said is None:
            raise BadRow("consent: the file does not say it (--assume-consent if all of them agreed)")
        elif not (said["matching"] or known):
            raise BadRow("consent: not given")

    def _validated(self, fields: Fields, known: Known | None) -> ParticipantEnrolled:
        revision = known.revision if known else 0
        try:
            event = ParticipantEnrolled.model_validate({**fields, "program_id": self.program_id, "revision": revision})
        except ValidationError as error:
            raise BadRow("; ".join(_problem(each["loc"], each["msg"]) for each in error.errors())) from None
        if len(encode(event)) > _LARGEST:
            raise BadRow(f"the whole profile takes more than {_LARGEST} bytes")
        return event


def _made(field: str, template: str, fields: Fields) -> str:
    try:
        return template.format_map(fields)
    except KeyError as missing:
        raise BadRow(f"{field}: is made of {missing.args[0]}, which is empty") from None


def _problem(loc: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, loc))}: {message.removeprefix('Value error, ')}"
