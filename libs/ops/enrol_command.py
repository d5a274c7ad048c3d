"""`viceversa enrol`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.contracts.events import ParticipantEnrolled
from libs.contracts.ids import is_key
from libs.ops import api_enrolment, screen
from libs.ops.endpoints import endpoint, full_name
from libs.ops.enrol import Outcome, Report, Say
from libs.ops.enrol import enrol as enrol_file
from libs.ops.failures import Misused
from libs.ops.known import read_back
from libs.ops.mapping import Mapping
from libs.ops.people import Enrolment
from libs.ops.remote import Remote
from libs.ops.speaker import speaking
from libs.ops.topic_commands import AsJson
from libs.ops.yaml_file import load


class Via(StrEnum):
    """The way into the programme."""

    TOPIC = "topic"  # as the HR system, on `participant-enrolled`
    API = "api"  # as matching's own enrolments


def enrol(
    file: Annotated[Path, typer.Argument(help="The export.", metavar="FILE.csv")],
    program: Annotated[str, typer.Option(help="Id of the programme.")],
    map_: Annotated[Path, typer.Option("--map", help="How columns become profiles.", metavar="MAP.yaml")],
    assume_consent: Annotated[bool, typer.Option("--assume-consent", help="Where the file does not say it.")] = False,
    source: Annotated[
        str | None, typer.Option(help="Whose profiles they are, instead of the mapping's source.")
    ] = None,
    via: Annotated[Via, typer.Option(help="Kafka, or matching's API.")] = Via.TOPIC,
    as_json: AsJson = False,
) -> None:
    """Enrol the people of a file. Run again it says only what has changed."""
    if not is_key(program, 1):
        raise Misused("--program: an id has 1 to 128 of A-Z a-z 0-9 . _ ~ : @ -", "say the id, not the name")
    mapping = load(map_, Mapping, **({"source": source} if source else {}))
    now = datetime.now(UTC)
    run = Enrolment(program, mapping, assume_consent, now.replace(microsecond=now.microsecond // 1000 * 1000))
    if via is Via.API:
        run = replace(run, mapping=mapping.model_copy(update={"source": api_enrolment.SOURCE}))
    bootstrap, topic = endpoint("KAFKA"), full_name(ParticipantEnrolled.topic)
    known = read_back(bootstrap, topic, program, run.mapping.source)
    with _way(via, bootstrap, topic, run) as say, screen.reading(file) as progress:
        report = enrol_file(file, run, known, say, progress)
    _tell(report, as_json)
    raise typer.Exit(1 if report.refusals else 0)


@contextmanager
def _way(via: Via, bootstrap: str, topic: str, run: Enrolment) -> Iterator[Say]:
    if via is Via.TOPIC:
        with speaking(bootstrap, topic, run.mapping.source, run.now) as speaker:
            yield speaker.say
    else:
        with Remote("matching") as remote:
            yield _through(remote)


def _through(remote: Remote) -> Callable[[ParticipantEnrolled], None]:
    return lambda event: api_enrolment.enrol(remote, event)


def _tell(report: Report, as_json: bool) -> None:
    refused = [asdict(refusal) for refusal in report.refusals]
    counts: dict[str, Any] = {outcome.value: report.counts[outcome] for outcome in Outcome}
    if as_json:
        screen.data({**counts, "refusals": refused, "notes": report.notes})
        return
    for note in report.notes:
        screen.said(f"note: {note}", style="yellow")
    if refused:
        screen.listing("refused", ("line", "participant_id", "reason"), refused, as_json=False)
    screen.said(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()), style="bold")
