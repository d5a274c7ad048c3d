"""Cells of a table as fields of a profile. A parser raises ValueError with a reason and never shows the cell.

A value that is no text (from a constant or a lookup table in YAML) is taken as it is; the contract judges it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from libs.contracts.words import Day

_DAYS: Final = [day.value for day in Day]
_YES: Final = frozenset({"yes", "y", "true", "1"})
_NO: Final = frozenset({"no", "n", "false", "0"})
_WINDOW: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? +(\d\d:\d\d)-(\d\d:\d\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Format:
    """How a file writes lists and dates. Dates without an offset are taken in `zone`."""

    separator: str = ";"
    date: str | None = None
    zone: str = "UTC"


Parser = Callable[[str, Format], Any]


def parse(field: str, value: Any, format: Format) -> Any:
    """A cell, a constant or a looked-up value as that field of the profile."""
    if isinstance(value, str):
        return PARSERS[field](" ".join(value.split()), format)
    return _agreed(value) if field == "consent" else value


def _text(cell: str, _format: Format) -> str:
    return cell


def _integer(cell: str, _format: Format) -> int:
    if not re.fullmatch(r"[+-]?\d{1,16}", cell):
        raise ValueError("not a whole number")
    return int(cell)


def _role(cell: str, _format: Format) -> str:
    return cell.lower()


def _list(cell: str, format: Format) -> list[str]:
    return [item for part in cell.split(format.separator) if (item := part.strip())]


def _weighted(number: str) -> Parser:
    """`topic:4; other topic:2` as a list of topics with that number; 3 where none is said."""

    def parser(cell: str, format: Format) -> list[dict[str, Any]]:
        parts = [item.rpartition(":") if ":" in item else (item, "", "3") for item in _list(cell, format)]
        return [{"topic": topic.strip(), number: _integer(stars.strip(), format)} for topic, _, stars in parts]

    return parser


def _availability(cell: str, format: Format) -> list[dict[str, str]]:
    return [window for item in _list(cell, format) for window in _windows(item)]


def _windows(item: str) -> list[dict[str, str]]:
    """`mon-fri 09:00-17:00` or `tue 13:00-15:00`."""
    found = _WINDOW.fullmatch(item)
    if not found:
        raise ValueError("not written as `mon-fri 09:00-17:00`")
    first, last = found[1].lower(), (found[2] or found[1]).lower()
    if first not in _DAYS or last not in _DAYS or _DAYS.index(first) > _DAYS.index(last):
        raise ValueError("days are mon tue wed thu fri sat sun, in this order")
    days = _DAYS[_DAYS.index(first) : _DAYS.index(last) + 1]
    return [{"day": day, "start": found[3], "end": found[4]} for day in days]


def _unavailable(cell: str, format: Format) -> list[dict[str, str]]:
    """`2026-07-01..2026-07-14; 2026-12-24`, or dates in the file's own format."""
    ranges = (item.split("..", 1) for item in _list(cell, format))
    return [{"start": _date(ends[0], format), "end": _date(ends[-1], format)} for ends in ranges]


def _date(cell: str, format: Format) -> str:
    return _moment(cell.strip(), format).date().isoformat()


def _time(cell: str, format: Format) -> str:
    moment = _moment(cell, format)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(format.zone))
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        raise ValueError("time out of range") from None


def _moment(cell: str, format: Format) -> datetime:
    try:
        return datetime.strptime(cell, format.date) if format.date else datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"not a date as {format.date or 'ISO 8601'}") from None


def _consent(cell: str, _format: Format) -> dict[str, bool]:
    word = cell.casefold()
    if word not in _YES | _NO:
        raise ValueError(f"neither {'/'.join(sorted(_YES))} nor {'/'.join(sorted(_NO))}")
    return {"matching": word in _YES}


def _agreed(value: Any) -> dict[str, Any]:
    """YAML reads a plain yes as true."""
    if isinstance(value, bool):
        return {"matching": value}
    if isinstance(value, dict) and isinstance(value.get("matching"), bool):
        return value
    raise ValueError("neither yes nor no")


PARSERS: Final[Mapping[str, Parser]] = {
    "participant_id": _text,
    "role": _role,
    "name": _text,
    "email": _text,
    "grade": _integer,
    "unit": _text,
    "function": _text,
    "location": _text,
    "time_zone": _text,
    "languages": _list,
    "expertise": _weighted("level"),
    "goals": _weighted("priority"),
    "capacity": _integer,
    "availability": _availability,
    "unavailable": _unavailable,
    "preferred_ids": _list,
    "locale": _text,
    "channels": _list,
    "consent": _consent,
    "enrolled_at": _time,
}
