"""A whole round of the matching service on real servers: from the request to the last fact that others can read."""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import httpx

from benchmarks.commands import matching_process
from benchmarks.intake import arena, produce, readable, stored
from deploy.local.stack import Endpoints
from services.matching.rules.score import FULL

from .generator import Instance
from .people import PROGRAM

HEARS: Final = {"matching": ["participant-enrolled", "program-published"]}
_LIMIT_SECONDS: Final = 1_800
_READABLE: Final = "readable"


def whole_round(endpoints: Endpoints, instance: Instance) -> dict[str, Any]:
    """Seconds of a round over everybody, split by the stages that the service shows."""
    people = len(instance.drawn.numbers)
    with arena(endpoints, 0, HEARS) as made:
        produce(made, [instance.program()])
        produce(made, instance.participants())
        with matching_process(made, 1_000) as url, stored(made, "matching", "people") as count:
            until(lambda: count() >= people)
            with readable(made, "pair-created") as facts, httpx.Client(base_url=url, timeout=60) as client:
                return _figure(client, facts)


def _figure(client: httpx.Client, facts: Callable[[], int]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    reached = {"queued": time.perf_counter()}
    asked = client.post(f"/programs/{PROGRAM}/rounds", json={})
    asked.raise_for_status()

    def done() -> bool:
        shown.update(client.get(asked.headers["location"]).raise_for_status().json())
        reached.setdefault(shown["progress"]["stage"] or _READABLE, time.perf_counter())
        facts()
        return shown["state"] in ("done", "failed")

    until(done)
    if shown["failure"]:
        raise RuntimeError(shown["failure"])
    pairs = shown["progress"]["made"]
    until(lambda: facts() >= pairs)
    value = round(shown["value"] * FULL)
    return _split(reached, time.perf_counter()) | {"pairs": pairs, "value": value, "gap": shown["gap"]}


def _split(reached: dict[str, float], end: float) -> dict[str, Any]:
    times = [*reached.values(), end]
    parts = {name: after - before for name, (before, after) in zip(reached, pairwise(times), strict=True)}
    total = end - times[0]
    return {"unit": "s", "median": total, "min": total, "max": total, "parts": parts}


def until(true: Callable[[], bool]) -> None:
    """Wait for it; raises RuntimeError when it takes too long."""
    limit = time.monotonic() + _LIMIT_SECONDS
    while not true():
        if time.monotonic() > limit:
            raise RuntimeError(f"not within {_LIMIT_SECONDS} s")
        time.sleep(0.05)
