"""CloudEvents attributes in record headers, one value at a time."""

from datetime import datetime
from typing import Final

from .fields import MAX_INTEGER, to_time

MAX_ATTRIBUTE_BYTES: Final = 1024  # an event's id becomes an index key in a store
_JSON: Final = b"application/json"


def text(value: bytes | None) -> str | None:
    """An attribute as text; None when it is absent, too long or not UTF-8."""
    if value is None or len(value) > MAX_ATTRIBUTE_BYTES:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def media_type(content_type: bytes | None) -> bytes:
    """The content type without parameters in lower case; JSON when it is absent or not UTF-8."""
    if content_type is None or content_type == _JSON or not text(content_type):
        return _JSON
    return content_type.split(b";", 1)[0].strip().lower()


def instant(value: bytes) -> datetime | None:
    """A time of RFC 3339, as UTC with whole milliseconds; None when it is none."""
    try:
        time = datetime.fromisoformat(value.decode().upper())
        return to_time(time) if time.tzinfo else None
    except ValueError:
        return None


def rfc3339(time: datetime) -> str:
    """An aware time as text, in UTC with `Z`."""
    return to_time(time).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def sequence(value: bytes | None) -> int | None:
    """Foreign systems count in their own ways; what is no plain number is no sequence for us."""
    if value is None or not value.isdigit() or len(value) > 16:
        return None
    return min(int(value), MAX_INTEGER)
