"""HTTP: problems for whatever is wrong, pages, tokens, and 503 while Kafka is away for too long."""

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from libs.chassis.due import DueWork
from libs.chassis.settings import Settings
from tests.chassis.processes import World, running
from tests.chassis.tiny import Count, Tally, until

PATH = "/tallies/2026/ada"
ONE_MORE = Count(key="2026/ada").model_dump()


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    return body


async def test_what_is_wrong_is_told_as_a_problem_and_what_is_right_is_answered_once(world: World) -> None:
    runtime = world.runtime()
    async with running(runtime) as client:
        body = problem(await client.post(PATH, json={"key": 7, "odd": 1}), 422)
        assert body["errors"] == [
            {"field": "key", "reason": "Input should be a valid string"},
            {"field": "odd", "reason": "Extra inputs are not permitted"},
        ]
        problem(await client.post(PATH, content=b"{", headers={"Content-Type": "application/json"}), 422)
        problem(await client.post(PATH, content=b"{}"), 415)
        problem(await client.post(PATH, json=ONE_MORE, headers={"Idempotency-Key": "with space"}), 422)
        problem(await client.get("/nowhere"), 404)
        problem(await client.delete("/tallies"), 405)
        refused = problem(await client.post(PATH, json=ONE_MORE | {"amount": -1}), 409)
        assert refused["reason"] == "negative"
        problem(await client.post(PATH, json=ONE_MORE | {"amount": 5_000}), 500)

        key = {"Idempotency-Key": "k"}
        first, again = [await client.post(PATH, json=ONE_MORE, headers=key) for _ in range(2)]
        assert (first.status_code, first.json(), first.headers["etag"]) == (201, {"key": "2026/ada", "times": 1}, '"1"')
        assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), '"1"')
        problem(await client.post(PATH, json=ONE_MORE | {"amount": 2}, headers=key), 422)


async def test_a_process_whose_part_ended_by_itself_asks_to_be_started_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: DueWork) -> None:
        raise KeyError("due")

    monkeypatch.setattr(DueWork, "run", broken)
    async with running(world.runtime()) as client:

        async def ended() -> bool:
            return (await client.get("/health/live")).status_code == 503

        await until(ended)
        assert "due ended" in str(problem(await client.get("/health/live"), 503)["detail"])


async def test_pages_lead_through_everything_once(world: World) -> None:
    runtime = world.runtime()
    async with running(runtime) as client:
        for number in range(5):
            await client.post(PATH, json=Count(key=f"2026/p{number}").model_dump())
        found, cursor = [], None
        while True:
            answer = (await client.get("/tallies", params={"cursor": cursor} if cursor else {})).json()
            found += answer["items"]
            if (cursor := answer["next"]) is None:
                break
        assert found == [f"2026/p{number}" for number in range(5)]
        for foreign in ("!", "_w=="):
            problem(await client.get("/tallies", params={"cursor": foreign}), 422)
        problem(await client.get("/tallies", params={"limit": 501}), 422)


async def test_a_token_is_asked_for_by_every_route_but_health_and_metrics(world: World) -> None:
    runtime = world.runtime(api_token="secret")
    async with running(runtime) as client:
        for path in ("/tallies", "/dead-letters", "/openapi.json", "/docs", "/nowhere"):
            problem(await client.get(path), 401)
        problem(await client.get("/tallies", headers={"Authorization": "Bearer wrong"}), 401)
        assert (await client.get("/tallies", headers={"Authorization": "Bearer secret"})).status_code == 200
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert (await client.get(path)).status_code == 200


async def test_commands_are_answered_503_while_the_outbox_is_full(world: World) -> None:
    runtime = world.runtime(kafka="127.0.0.1:1", outbox_pages_limit=2, outbox_age_limit=0.001)

    async def full() -> bool:
        return runtime.health.full

    async def emptied() -> bool:
        return not runtime.health.full

    async with running(runtime, until_ready=False) as client:
        for _ in range(3):
            assert (await client.post(PATH, json=ONE_MORE)).status_code == 201
        await until(full)
        answer = await client.post(PATH, json=ONE_MORE)
        problem(answer, 503)
        assert "retry-after" in answer.headers
        assert "oldest outbox page" in str(problem(await client.get("/health/ready"), 503)["detail"])
        assert [row["times"] for row in await runtime.database.find(Tally.collection, {})] == [3]
        await runtime.database.delete("outbox", {})
        await until(emptied)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "mentoring.example.com"])
def test_no_service_listens_to_others_without_a_token(host: str) -> None:
    with pytest.raises(ValidationError, match="refusing to listen"):
        Settings(http_host=host)
    assert Settings(http_host=host, api_token=SecretStr("secret")).http_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert Settings(http_host=host).api_token is None


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VICEVERSA_PREFIX", "mentoring.")
    monkeypatch.setenv("VICEVERSA_API_TOKEN", "secret")

    settings = Settings()

    assert settings.prefix == "mentoring."
    assert "secret" not in repr(settings)
