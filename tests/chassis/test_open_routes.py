"""Which routes answer without the bearer token: pure, no server."""

from importlib import import_module

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr

from libs.chassis.http import guard
from libs.chassis.run import Runtime, http_app
from libs.chassis.service import Service
from services.scheduling.calendars import token_of
from services.scheduling.settings import Settings

OPEN = {"/health/live", "/health/ready", "/metrics", "/calendars/{token}.ics"}
SERVICES = ("matching", "scheduling", "notifications")


def tiny() -> FastAPI:
    closed, feeds, app = APIRouter(), APIRouter(), FastAPI()

    @feeds.get("/feeds/{name}.ics")
    async def feed(name: str) -> str:
        return name

    @closed.get("/feeds/{name}")
    @closed.post("/feeds/{name}.ics")
    @closed.get("/feeds/{name}/people")
    async def people(name: str) -> str:
        return f"people of {name}"

    guard(app, "secret", [feeds])
    app.include_router(feeds)
    app.include_router(closed)
    return app


def asking(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tiny")


async def test_an_open_route_answers_without_the_token_and_its_neighbours_stay_closed() -> None:
    closed = ["/feeds/ada", "/feeds/ada/people", "/feeds/ada.ics/people", "/feeds/ada.ics/", "//feeds/ada.ics"]
    closed += ["/feeds/ada.ics/../people", "/feeds/x%2Fada.ics", "/docs", "/openapi.json", "/nothing"]
    async with asking(tiny()) as client:
        assert (await client.get("/feeds/ada.ics")).json() == "ada"
        assert [path for path in closed if (await client.get(path)).status_code != 401] == []
        assert (await client.post("/feeds/ada.ics")).status_code == 401
        assert (await client.get("/feeds/ada", headers={"Authorization": "Bearer secret"})).status_code == 200


@pytest.mark.parametrize("name", SERVICES)
async def test_every_other_route_of_every_service_asks_for_the_token(name: str) -> None:
    service: Service = import_module(f"services.{name}.app").service
    app = http_app(Runtime(service, Settings(api_token=SecretStr("secret"))))
    paths = app.openapi()["paths"]
    async with asking(app) as client:
        requests = [(method, path) for path, methods in paths.items() for method in methods]
        answered = {path for method, path in requests if (await client.request(method, path)).status_code != 401}
        assert answered == OPEN.intersection(paths)
        assert len(requests) > len(answered) + 5
        assert (await client.get("/docs")).status_code == (await client.get("/openapi.json")).status_code == 401


async def test_a_calendar_is_guarded_by_its_address_alone() -> None:
    service: Service = import_module("services.scheduling.app").service
    app = http_app(Runtime(service, Settings(api_token=SecretStr("secret"), calendar_secret=SecretStr("key"))))
    async with asking(app) as client:
        for secret in (b"loopback", b"secret", b""):
            guess = token_of("spring/ada", secret)
            assert (await client.get(f"/calendars/{guess}.ics")).status_code == 404
