"""Every route of every service asks for the token, whatever the method: a new one cannot forget it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.doors.served import SERVICES, TOKEN, Doors

# A new line here is a decision: what it opens is open to everybody who reaches the service.
OPEN = {
    "matching": {"/health/live", "/health/ready", "/metrics"},
    "scheduling": {"/health/live", "/health/ready", "/metrics", "/calendars/{token}.ics"},
    "notifications": {"/health/live", "/health/ready", "/metrics"},
}
UNDOCUMENTED = ("/openapi.json", "/docs", "/docs/oauth2-redirect", "/", "/nothing", "/health", "/metrics/")
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE")
STRANGERS = {
    "nobody": {},
    "another token": {"Authorization": "Bearer mina"},
    "a beginning": {"Authorization": f"Bearer {TOKEN[:-1]}"},
    "more than it": {"Authorization": f"Bearer {TOKEN}s"},
    "no token": {"Authorization": "Bearer"},
    "another scheme": {"Authorization": f"Basic {TOKEN}"},
    "no scheme": {"Authorization": TOKEN},
}


def paths(doors: Doors, service: str) -> list[str]:
    with doors.client(service) as client:
        return [*client.get("/openapi.json").json()["paths"], *UNDOCUMENTED]


def answers(doors: Doors, service: str, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    with doors.client(service, token=None) as client:
        for method in METHODS:
            yield client.request(method, path.replace("{", "").replace("}", ""), headers=headers)


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_stranger_is_refused_on_every_path_by_every_method(doors: Doors, service: str, stranger: str) -> None:
    closed = set(paths(doors, service)) - OPEN[service]
    assert len(closed) > len(UNDOCUMENTED)
    for path in closed:
        for answer in answers(doors, service, path, STRANGERS[stranger]):
            assert answer.status_code == 401, answer.request
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.headers["Content-Type"] == "application/problem+json"
            if answer.request.method != "HEAD":
                assert "VICEVERSA_API_TOKEN" in answer.json()["detail"]


@pytest.mark.parametrize("service", SERVICES)
def test_open_paths_are_those_that_are_named_here(doors: Doors, service: str) -> None:
    found = {path for path in paths(doors, service) if next(answers(doors, service, path, {})).status_code != 401}
    assert found == OPEN[service]
