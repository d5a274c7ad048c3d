"""Small exports and mappings for the tests of enrolment."""

from collections.abc import Mapping as Values
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from libs.contracts.events import ParticipantEnrolled
from libs.ops.enrol import Report, enrol
from libs.ops.known import Known, digest
from libs.ops.mapping import Mapping
from libs.ops.people import Enrolment

HEADER = "id,name,role,grade,boss,consent"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MAPPING: dict[str, Any] = {
    "source": "/hr/test",
    "columns": {"participant_id": "id", "name": "name", "role": "role", "grade": "grade", "consent": "consent"},
    "templates": {"email": "{participant_id}@people.invalid"},
    "constants": {
        "unit": "Retail",
        "function": "Sales",
        "location": "Zurich",
        "time_zone": "Europe/Zurich",
        "languages": "en; de",
        "expertise": "cloud:4",
        "goals": "strategy",
        "availability": "mon-fri 09:00-17:00",
    },
    "managers": {"by": "name", "column": "boss", "absent": "top"},
}


def mapping(**changes: Any) -> Mapping:
    """The mapping of these tests with other sections; `managers` is merged."""
    managers = MAPPING["managers"] | changes.pop("managers", {})
    return Mapping.model_validate(MAPPING | {"managers": managers} | changes)


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def write_mapping(folder: Path, **changes: Any) -> Path:
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump(MAPPING | changes), encoding="utf-8")
    return path


class Listener:
    """Hears what is said, and remembers it like the topic does."""

    def __init__(self) -> None:
        self.said: list[ParticipantEnrolled] = []
        self.known: dict[str, Known] = {}

    def run(self, path: Path, by: Mapping | None = None, *, assume: bool = False, now: datetime = NOW) -> Report:
        self.said = []
        return enrol(path, Enrolment("spring", by or mapping(), assume, now), dict(self.known), self._say)

    def chain(self, id: str) -> tuple[str, ...]:
        return tuple(next(event for event in self.said if event.participant_id == id).manager_ids)

    def _say(self, event: ParticipantEnrolled) -> None:
        self.said.append(event)
        self.known[event.participant_id] = Known(event.revision, event.enrolled_at, digest(event))


def reasons(report: Report) -> Values[int, str]:
    """By line."""
    return {refusal.line: refusal.reason for refusal in report.refusals}
