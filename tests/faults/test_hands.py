"""The driver's callers: a request reaches a replica wherever it is."""

from itertools import chain, repeat
from pathlib import Path
from typing import Any

from deploy.local.ports import free_port
from tests.faults.checker.told import Told
from tests.faults.driver.hands import Hands
from tests.faults.driver.orders import Ask, Step
from tests.faults.driver.timeline import Timeline
from tests.journeys.company import until
from tests.ops.service import serving


def test_a_request_follows_a_replica_to_its_new_address(tmp_path: Path) -> None:
    nobody: Any = None
    with serving() as replica:
        replica.answers["POST", "/pairs/ada~grace/end"] = 200, {}
        places = chain(repeat(f"127.0.0.1:{free_port()}", 2), repeat(replica.url.removeprefix("http://")))
        hands = Hands(nobody, nobody, lambda: {"matching": [next(places)]}, Timeline(tmp_path), Told())
        hands.start()
        try:
            hands.do(Step(1, "end a pair", (Ask("matching", "POST", "/pairs/ada~grace/end", "key"),)))
            until(lambda: not hands.left, within=20, what="an answer")
        finally:
            hands.stop()

    assert hands.outcomes == {"200": 1}
    assert len(replica.asked) == 1
