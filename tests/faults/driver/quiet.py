"""The end of a run: everything heals, and what is still under way arrives."""

import time
from collections.abc import Callable

from tests.faults.driver.hands import Hands
from tests.faults.driver.office import Office
from tests.faults.driver.samples import Samples

STEADY_SECONDS = 4.0
LOOK_SECONDS = 0.5


class NeverQuiet(Exception):
    """What still moves, or stands still and should not."""


def settle(
    office: Office,
    hands: Hands,
    samples: Samples,
    poll: Callable[[], None],
    within: float,
) -> None:
    """Return once nothing is left to do. Raises NeverQuiet after so many seconds."""
    began = time.monotonic()
    for name in office.ended():
        office.launch(name)
    office.wait()
    steady_since, facts = time.monotonic(), -1
    while time.monotonic() < began + within:
        poll()
        busy = _busy(office, hands, samples)
        if busy or samples.listener.total != facts:
            steady_since, facts = time.monotonic(), samples.listener.total
        elif time.monotonic() > steady_since + STEADY_SECONDS:
            return
        time.sleep(LOOK_SECONDS)
    raise NeverQuiet(_busy(office, hands, samples) or "facts go on coming")


def _busy(office: Office, hands: Hands, samples: Samples) -> str:
    sample = samples.take()
    counts = {"lag": sample.lag, "due work": sample.due, "outbox pages": sample.pages}
    counts |= {"requests without an outcome": hands.left, "mails to be tried again": _unsent(office)}
    return ", ".join(f"{name}: {count}" for name, count in counts.items() if count != 0)


def _unsent(office: Office) -> int:
    with office.database("notifications") as database:
        return int(database.due.count_documents({"kind": "SendNotice"}))
