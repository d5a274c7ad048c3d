"""The driver's callers: a request reaches a replica wherever it is."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from deploy.local.ports import free_port
from tests.faults.checker.told import Told
from tests.faults.driver.hands import Hands
from tests.faults.driver.orders import Ask, Step
from tests.faults.driver.timeline import Timeline

WITHIN = 20.0


class Yes(BaseHTTPRequestHandler):
    """A service that grants everything."""

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *values: Any) -> None:
        pass


@pytest.fixture
def replica() -> Iterator[str]:
    """Its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Yes) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_request_follows_a_replica_to_its_new_address(tmp_path: Path, replica: str) -> None:
    nobody: Any = None
    places = chain(repeat(f"127.0.0.1:{free_port()}", 2), repeat(replica))
    hands = Hands(nobody, nobody, lambda: {"matching": [next(places)]}, Timeline(tmp_path), Told())
    hands.start()
    try:
        hands.do(Step(1, "withdraw", (Ask("matching", "DELETE", "/programs/north/participants/ada", "key"),)))
        limit = time.monotonic() + WITHIN
        while hands.left and time.monotonic() < limit:
            time.sleep(0.05)
    finally:
        hands.stop()

    assert hands.outcomes == {"204": 1}
