"""The services over HTTP. Answers are JSON; a refusal names what the service said."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

from libs.ops.endpoints import endpoint, token
from libs.ops.failures import Failure, Misused, Refused, Unreachable

SERVICES: Final = ("matching", "scheduling", "notifications")
PAGE: Final = 500
_TIMEOUT: Final = 30.0
Json = dict[str, Any]


class Remote:
    """One service. Use it as a context manager."""

    def __init__(self, service: str, transport: httpx.BaseTransport | None = None) -> None:
        self.service = service
        self._base = endpoint(service.upper())
        bearer = token()
        self._client = httpx.Client(
            base_url=self._base,
            headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
            timeout=_TIMEOUT,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def get(self, path: str, **query: str | int | None) -> Json:
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def put(self, path: str, body: Mapping[str, Any]) -> Json:
        return self._ask("PUT", path, json=body)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        return self._ask("POST", path, json=body)

    def items(self, path: str, **query: str | int | None) -> Iterator[Json]:
        """Every item of a listing, page after page."""
        cursor = None
        while True:
            page = self.get(path, limit=PAGE, cursor=cursor, **query)
            if not isinstance(page.get("items"), list):
                raise Misused(f"{self._base}{path} is no listing", "does the endpoint name the right service?")
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def _ask(self, method: str, path: str, **request: Any) -> Json:
        try:
            answer = self._client.request(method, path, **request)
        except httpx.TransportError as error:
            raise Unreachable(
                f"{self.service} at {self._base} does not answer ({type(error).__name__})",
                f"is it running? `make up` starts it; VICEVERSA_{self.service.upper()} names it",
            ) from error
        except httpx.InvalidURL as error:
            raise Misused(f"{self._base}: {error}", f"correct VICEVERSA_{self.service.upper()}") from error
        if answer.is_success:
            return _json(answer)
        raise _failure(self.service, answer)


def _json(answer: httpx.Response) -> Json:
    try:
        body = answer.json() if answer.content else {}
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    raise Misused(f"{answer.url} answers no JSON object", "does the endpoint name the right service?")


def _failure(service: str, answer: httpx.Response) -> Failure:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    problem = problem if isinstance(problem, dict) else {}
    said = f"{service} answers {answer.status_code}: {problem.get('detail') or answer.reason_phrase}"
    fields = [f"{each.get('field')}: {each.get('reason')}" for each in problem.get("errors") or ()]
    said = "\n  ".join([said, *fields])
    match answer.status_code:
        case 401 | 403:
            return Misused(said, "set VICEVERSA_API_TOKEN")
        case 502 | 503 | 504:
            return Unreachable(said, "try again when it is ready; `/health/ready` tells why it is not")
        case 404:
            return NotThere(said, "check the id")
        case _:
            return Refused(said, "change what it names and run it again")


class NotThere(Refused):
    """A 404."""
