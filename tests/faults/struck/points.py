"""Where a process can be struck, and what strikes it."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any


class Point(StrEnum):
    """A gap between two calls of the chassis, in their order: after one call is before the next."""

    DECODED = "decoded"  # records are read and wait for their transaction
    DEAD_LETTER = "dead-letter"  # a dead letter is written in a transaction that is not committed
    TO_COMMIT = "to-commit"  # everything is written, the commit is not asked for
    IN_COMMIT = "in-commit"  # the commit is asked for: nobody knows what becomes of it
    COMMITTED = "committed"  # MongoDB has committed, the service has not heard so
    TO_COMMIT_OFFSETS = "to-commit-offsets"  # the transaction is done, Kafka does not know
    OFFSETS_COMMITTED = "offsets-committed"
    CLAIMED = "claimed"  # due work is leased and not yet handled
    PREPARED = "prepared"  # the mail is sent or the round is solved, no transaction knows
    RELAY_TO_START = "relay-to-start"  # the lease is taken, the predecessor is not yet fenced
    RELAY_STARTED = "relay-started"  # the predecessor is fenced, the position is not read
    RELAY_POSITION_READ = "relay-position-read"  # the pages that it names are not yet deleted
    RELAY_NAMED_DELETED = "relay-named-deleted"  # the outbox is not yet read
    RELAY_PAGES_READ = "relay-pages-read"  # the Kafka transaction has not begun
    RELAY_BEGUN = "relay-begun"  # nothing is sent
    RELAY_ONE_SENT = "relay-one-sent"  # a record is on its way, its acknowledgement is not awaited
    RELAY_ALL_SENT = "relay-all-sent"  # every send is acknowledged, the position is not in the transaction
    RELAY_POSITION_SENT = "relay-position-sent"  # the commit is not asked for
    RELAY_IN_COMMIT = "relay-in-commit"  # the commit is asked for: nobody knows what becomes of it
    RELAY_COMMITTED = "relay-committed"  # the pages are not yet deleted
    RELAY_DELETED = "relay-deleted"  # the next batch is not yet read


REIGN_BEGINS = (Point.RELAY_TO_START, Point.RELAY_STARTED, Point.RELAY_POSITION_READ, Point.RELAY_NAMED_DELETED)
# In an order in which each can be met: the first reign of all finds no position that names pages.
RELAY = (*(point for point in Point if point.startswith("relay-") and point not in REIGN_BEGINS), *REIGN_BEGINS)


class Fate:
    """Strikes this process once, the `nth` time that it meets `point`."""

    def __init__(self, point: Point | None = None, nth: int = 1, blow: signal.Signals = signal.SIGKILL) -> None:
        self.point, self.left, self.blow = point, nth, blow
        self.published = False
        """Whether this process's relay has begun a batch since its producer started."""

    def meets(self, point: Point) -> None:
        if point is not self.point:
            return
        self.left -= 1
        if self.left == 0:
            print(f"struck at {point}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), self.blow)

    async def unanswered(self, point: Point, call: Coroutine[Any, Any, None]) -> None:
        """Await the call; meet `point` between its request and its answer."""
        asked = asyncio.ensure_future(call)
        if point is self.point:
            await asyncio.wait([asked], timeout=0.001)
            self.meets(point)
        await asked
