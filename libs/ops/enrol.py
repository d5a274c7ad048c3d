"""Enrol a file's people in two passes: a manager chain needs the whole file, which may not fit in memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from libs.contracts.events import ParticipantEnrolled
from libs.ops.directory import Directory, counts
from libs.ops.known import Known, digest
from libs.ops.people import BadRow, Enrolment, Refusal
from libs.ops.rows import Broken, Progress, Row, read


class Outcome(StrEnum):
    """What became of a row."""

    ENROLLED = "enrolled"  # new in the programme
    CHANGED = "changed"  # known, and said again under the next revision
    UNCHANGED = "unchanged"  # known as it stands: nothing is said
    LEFT_OUT = "left_out"  # the mapping's `where` does not hold
    REFUSED = "refused"  # bad, and told with line and reason


Say = Callable[[ParticipantEnrolled], None]


@dataclass(slots=True)
class Report:
    """Counts by outcome, and what an operator has to look at."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, line: int, id: str, reason: str) -> None:
        self.counts[Outcome.REFUSED] += 1
        self.refusals.append(Refusal(line, id, reason))


def enrol(
    path: Path, run: Enrolment, known: Mapping[str, Known], say: Say, progress: Progress = lambda _: None
) -> Report:
    """Says what is new or changed. `say` may refuse a row by BadRow. Raises Misused for a file that is no table."""
    report = Report()
    directory = look_through(path, run, progress)
    for row in read(path, run.mapping, progress):
        if isinstance(row, Broken):
            report.refuse(row.line, "", row.reason)
        elif not counts(row, run.mapping):
            report.counts[Outcome.LEFT_OUT] += 1
        else:
            _take(row, run, directory, known, say, report)
    report.notes.extend(directory.notes())
    return report


def look_through(path: Path, run: Enrolment, progress: Progress = lambda _: None) -> Directory:
    """The first pass."""
    directory = Directory(run.mapping)
    for row in _readable(path, run, progress):
        directory.add(row)
    return directory


def _readable(path: Path, run: Enrolment, progress: Progress) -> Iterator[Row]:
    return (row for row in read(path, run.mapping, progress) if isinstance(row, Row))


def _take(row: Row, run: Enrolment, directory: Directory, known: Mapping[str, Known], say: Say, report: Report) -> None:
    id = row.cells[run.mapping.columns["participant_id"]]
    before = known.get(id)
    try:
        if before and before.owner:
            raise BadRow(f"the profile belongs to {before.owner}")
        report.counts[_say(run.profile(row, directory, before), before, say)] += 1
    except BadRow as problem:
        report.refuse(row.line, id, str(problem))


def _say(event: ParticipantEnrolled, before: Known | None, say: Say) -> Outcome:
    if before and digest(event) == before.digest:
        return Outcome.UNCHANGED
    say(event.model_copy(update={"revision": event.revision + 1}))
    return Outcome.CHANGED if before else Outcome.ENROLLED
