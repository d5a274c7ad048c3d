"""What a parked record looks like, without what it says: names of fields, types and lengths, and no value."""

import re
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

_JSON: Final = TypeAdapter[Any](Any)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_ENTRIES: Final = 100
_LEVELS: Final = 10


def masked(content: bytes | None) -> Any:
    """JSON as its structure; of anything else how long it is."""
    if content is None:
        return None
    try:
        content.decode()
    except UnicodeDecodeError:
        return f"binary ({len(content)} bytes)"
    try:
        return structure(_JSON.validate_json(content))
    except ValidationError as error:
        place = re.search(r"line \d+ column \d+", error.errors(include_input=False)[0]["msg"])
        return f"no JSON ({len(content)} bytes)" + (f", broken at {place[0]}" if place else "")


def masked_text(content: bytes | None) -> str | None:
    """A key: how long it is."""
    if content is None:
        return None
    try:
        return f"text ({len(content.decode())})"
    except UnicodeDecodeError:
        return f"binary ({len(content)} bytes)"


def structure(value: Any, level: int = 0) -> Any:
    """The same nesting with types and lengths in place of values; of what is deep or long only the beginning."""
    match value:
        case dict() | list() if level == _LEVELS:
            return f"deeper ({len(value)})"
        case dict():
            shown = [(field_name(name), structure(each, level + 1)) for name, each in list(value.items())[:_ENTRIES]]
            return dict(shown) | _left(len(value))
        case list():
            return [structure(each, level + 1) for each in value[:_ENTRIES]] + list(_left(len(value)))
        case None:
            return None
        case bool():
            return "true or false"
        case int():
            return "whole number"
        case float():
            return "number"
        case _:
            return f"text ({len(str(value))})"


def field_name(name: str) -> str:
    """A name that looks like one; others may be somebody's address."""
    return name if _NAME.fullmatch(name) else f"a name ({len(name)})"


def _left(size: int) -> dict[str, str]:
    return {f"{size - _ENTRIES} more": "not shown"} if size > _ENTRIES else {}
