"""What the OpenAPI document says beyond the routes' own words: the token, the problems, and who answers with which."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Generic, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.routing import compile_path

PROBLEM: Final = "application/problem+json"
_TEXT: Final[dict[str, Any]] = {"type": "string"}
_ETAG: Final = {"ETag": {"schema": _TEXT, "description": "The revision, for If-Match"}}
_LOCATION: Final = {"Location": {"schema": _TEXT, "description": "Where it can be read"}}
_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "What went wrong and what to do next (RFC 9457); some hold more, such as the present state.",
    "type": "object",
    "required": ["type", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "reason": {**_TEXT, "description": "A word for programs"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": _TEXT, "reason": _TEXT},
            },
        },
    },
}
_WHY: Final = {
    400: "The body is no JSON",
    401: "The bearer token is missing or wrong",
    404: "There is no such thing",
    409: "Refused as things are now; `reason` says why",
    412: "If-Match names another revision; the problem holds the present state",
    413: "The body is too large",
    415: "The body is not said to be JSON",
    422: "The request is not valid; `errors` names fields and reasons",
    503: "Not able to serve for now: try again after Retry-After",
}
_HEADERS: Final[dict[int, dict[str, Any]]] = {401: {"WWW-Authenticate": {"schema": _TEXT, "required": True}}}

Responses = dict[int | str, dict[str, Any]]
Item = TypeVar("Item", bound=BaseModel)


class Page(BaseModel, Generic[Item]):
    """A part of a listing; `next` is the cursor of the part behind it, null at the end."""

    items: list[Item]
    next: str | None


def answers(kind: type[BaseModel], *statuses: int, etag: bool = False, location: bool = False) -> Responses:
    """What a route answers with where all is well, for its `responses`."""
    headers = (_ETAG if etag else {}) | (_LOCATION if location else {})
    return {
        status: {"model": kind, "description": "Done" if status == 200 else "Made", "headers": headers}
        for status in statuses or (200,)
    }


def describe(app: FastAPI, *, asks_token: bool, open_paths: Iterable[str]) -> None:
    """Make the application's document whole, once, when somebody asks for it."""
    open_to_all, plain = frozenset(open_paths), app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain(), asks_token, open_to_all)
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def methods_of(app: FastAPI, path: str) -> str:
    """What Allow says of a path: the methods of all its routes, where the framework knows those of one."""
    told = app.openapi()["paths"].items()
    methods = {method.upper() for template, those in told if compile_path(template)[0].match(path) for method in those}
    return ", ".join(sorted(methods))


def _complete(document: dict[str, Any], asks_token: bool, open_paths: frozenset[str]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    if asks_token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, method, operation in _operations(document):
        asks = asks_token and path not in open_paths
        if asks:
            operation["security"] = [{"token": []}]
        responses = operation.setdefault("responses", {})
        responses.pop("422", None)
        for status in _problems(path, method, operation, asks):
            responses[str(status)] = {
                "description": _WHY[status],
                "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                "headers": _HEADERS.get(status, {}),
            }
        _say_plain_answers(path, responses)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _problems(path: str, method: str, operation: dict[str, Any], asks: bool) -> Iterator[int]:
    """The statuses that an operation can fail with, from what it takes."""
    parameters = operation.get("parameters", [])
    has_body = "requestBody" in operation
    if asks:
        yield 401
    if has_body:
        yield from (400, 413, 415)
    if any(each["in"] == "path" for each in parameters):
        yield 404
    if method != "get":
        yield 409
    if any(each["name"] == "if-match" for each in parameters):
        yield 412
    if has_body or parameters:
        yield 422
    if path != "/metrics":
        yield 503


def _say_plain_answers(path: str, responses: dict[str, Any]) -> None:
    """FastAPI takes every answer for JSON."""
    if path == "/metrics":
        responses["200"]["content"] = {"text/plain": {"schema": _TEXT}}
    elif path.endswith(".ics"):
        responses["200"]["content"] = {"text/calendar": {"schema": _TEXT}}
