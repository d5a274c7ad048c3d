"""Bodies are read as the events are: JSON, and nothing guessed from another type."""

from email.message import Message
from functools import cache
from typing import Any, Final

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

LARGEST: Final = 2 * 1024 * 1024  # a profile, or a round with all its pins, fits many times


async def read_strictly(request: Request) -> None:
    """FastAPI by itself takes "5" for a number, 1 for true and any number for a time. Raises what it would raise."""
    field = getattr(request.scope.get("route"), "body_field", None)
    body = await request.body() if field else b""
    if field is None or not body:
        return
    if not _is_json(request.headers.get("content-type", "")):
        raise HTTPException(415, "the body does not say that it is JSON: send it with Content-Type: application/json")
    try:
        _reader(field.field_info.annotation).validate_json(body, strict=True)
    except ValidationError as error:
        problems = [{**each, "loc": ("body", *each["loc"])} for each in error.errors() if not _is_whole(each)]
        if problems:
            raise RequestValidationError(problems) from None


def told(problem: Any) -> dict[str, str]:
    """A problem of a request as field and reason."""
    where, *path = problem["loc"]
    if problem["type"] == "json_invalid":
        return {"field": "body", "reason": f"not JSON: {problem.get('ctx', {}).get('error', 'cannot be read')}"}
    return {"field": ".".join(map(str, path)) or str(where), "reason": problem["msg"]}


def _is_json(content_type: str) -> bool:
    media = Message()
    media["content-type"] = content_type
    kind = media.get_content_type() if content_type else ""
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _is_whole(problem: Any) -> bool:
    """JSON knows one kind of number: 3.0 is the integer 3."""
    value = problem["input"]
    return problem["type"] == "int_type" and isinstance(value, float) and value.is_integer()


@cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
