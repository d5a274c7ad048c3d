"""HTTP: commands in, problem details out (RFC 9457), pages, tokens."""

import asyncio
import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid4

from libs.chassis import bodies
from libs.chassis.errors import Transient
from libs.chassis.items import Cause, Item, digest
from libs.chassis.loop import Loop
from libs.chassis.mongo import Database
from libs.chassis.openapi import PROBLEM, describe, methods_of
from libs.chassis.words import Answer, Command

_ALWAYS_OPEN = ("/health/live", "/health/ready", "/metrics")
# The framework's own words name no remedy.
_SAID_BETTER = {
    "There was an error parsing the body": "the body cannot be read: send JSON in UTF-8, not thousands of levels deep",
    "Not Found": "there is no such path: /openapi.json lists those that there are",
    "Method Not Allowed": "this path has no such method: Allow names those that it has",
}
_TOO_LARGE = f"the body has more than {bodies.LARGEST} bytes: send less at once"
_MOST_ERRORS = 50
_MOST_WAITING = 2_000


@dataclass(frozen=True, slots=True)
class Commands:
    """The way of a command into the loop. `full` tells that Kafka has been away for too long."""

    loop: Loop
    seconds: float
    full: Callable[[], bool]

    async def obey(self, command: Command, key: str | None, traceparent: str | None) -> Response:
        """The answer comes after the transaction. With a key, the same request gets the same answer again."""
        if self.full():
            return problem(
                503, "Kafka has been away for too long: repeat the request later", headers={"Retry-After": "5"}
            )
        if self.loop.waiting >= _MOST_WAITING:
            return problem(503, "too many commands wait: repeat the request later", headers={"Retry-After": "2"})
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        name = uuid4().hex
        item = Item(
            id=f"http {key or name}",
            message=command,
            digest=digest(f"{type(command).__name__} {command.model_dump_json()}".encode()),
            cause=Cause(name, None, traceparent),
            answer=answer,
        )
        self.loop.submit([item])
        try:
            return rendered(await asyncio.wait_for(answer, self.seconds))
        except TimeoutError:
            return problem(
                503,
                "not settled yet: repeat the request with the same Idempotency-Key to learn the outcome",
                headers={"Retry-After": "2"},
            )


def rendered(answer: Answer) -> Response:
    if answer.status >= 400:
        return problem(answer.status, str(answer.body.get("detail", "")), answer.body, answer.headers)
    if answer.status == 204:
        return Response(status_code=204, headers=answer.headers)
    return JSONResponse(answer.body, answer.status, headers=answer.headers)


def problem(
    status: int, detail: str, more: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A problem document; `more` adds members such as `reason` and `errors`."""
    body = {"type": "about:blank", "status": status, "detail": detail, **(more or {})}
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=PROBLEM)


@dataclass(frozen=True, slots=True)
class Obey:
    """What a route calls: `await obey(command)`."""

    commands: Commands
    key: str | None
    traceparent: str | None

    async def __call__(self, command: Command) -> Response:
        return await self.commands.obey(command, self.key, self.traceparent)


# These are coroutines because FastAPI hands every other kind of dependency to a thread.
async def _obey(
    request: Request,
    idempotency_key: Annotated[str | None, Header(max_length=200, pattern=r"^[\x21-\x7e]+$")] = None,
    traceparent: Annotated[str | None, Header(max_length=200)] = None,
) -> Obey:
    await bodies.read_strictly(request)
    return Obey(request.app.state.commands, idempotency_key, traceparent)


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _if_match(if_match: Annotated[str | None, Header(max_length=100)] = None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdecimal():
        raise HTTPException(412, "If-Match names no revision of this resource: take the ETag of a GET")
    return int(text)


Obeys = Annotated[Obey, Depends(_obey)]
Store = Annotated[Database, Depends(_database)]
IfMatch = Annotated[int | None, Depends(_if_match)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=400)]


async def page(
    database: Database,
    collection: str,
    filter: Mapping[str, Any],
    limit: int,
    cursor: str | None,
    fields: Sequence[str] | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of rows, whole or with these fields, in the order of their ids, and the cursor of the next one."""
    after = {"_id": {"$gt": _opened(cursor)}} if cursor else {}
    wanted = {"$and": [filter, after]}
    rows = await database.find(collection, wanted, fields=fields, sort=[("_id", 1)], limit=limit + 1)
    more = len(rows) > limit
    return rows[:limit], _closed(rows[limit - 1]["_id"]) if more else None


def _closed(id: str) -> str:
    return base64.urlsafe_b64encode(id.encode()).decode()


def _opened(cursor: str) -> str:
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise HTTPException(422, "the cursor is none of this service's: take `next` of the page before") from None


def guard(app: FastAPI, token: str | None, open_http: Sequence[APIRouter] = ()) -> None:
    """Ask for the bearer token on all but health, metrics and open routes, and answer every failure as a problem."""
    app.add_middleware(Bounded)
    open_routes = [route for router in open_http for route in router.routes]
    if token:
        app.add_middleware(Gate, token=token, open_routes=open_routes)
    open_paths = [*_ALWAYS_OPEN, *(getattr(route, "path", "") for route in open_routes)]
    describe(app, asks_token=bool(token), open_paths=open_paths)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [bodies.told(each) for each in error.errors()[:_MOST_ERRORS]]
        return problem(422, "the request is not valid: correct the fields that `errors` names", {"errors": errors})

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405 and (allowed := methods_of(app, request.scope["path"])):
            headers["Allow"] = allowed
        return problem(error.status_code, _SAID_BETTER.get(error.detail, error.detail), headers=headers)

    @app.exception_handler(Transient)
    async def away(request: Request, error: Transient) -> Response:
        return problem(503, "the database is away: try again", headers={"Retry-After": "2"})

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return problem(500, "unexpected: the service's log has the details")


@dataclass(frozen=True, slots=True)
class Bounded:
    """Reads no more of a body than any command needs."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > bodies.LARGEST:
                raise HTTPException(413, _TOO_LARGE)
            return message

        said = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if said.isdecimal() and int(said) > bodies.LARGEST:
            await problem(413, _TOO_LARGE)(scope, receive, send)
        else:
            await self.app(scope, bounded, send)


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets in who bears the token, and everybody to the open routes."""

    app: ASGIApp
    token: str
    open_routes: Sequence[BaseRoute]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(scope) or self._bears(Headers(scope=scope)):
            await self.app(scope, receive, send)
        else:
            refusal = problem(
                401,
                "a bearer token is needed: send Authorization: Bearer, with VICEVERSA_API_TOKEN of the service",
                headers={"WWW-Authenticate": "Bearer"},
            )
            await refusal(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        if scope["path"] in _ALWAYS_OPEN:
            return True
        return any(route.matches(scope)[0] is Match.FULL for route in self.open_routes)

    def _bears(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self.token.encode())
