"""A relay in a process of its own that ends or freezes itself at a point of a batch:
`python -m tests.faults.relay_process KAFKA MONGODB PREFIX DATABASE OWNER POINT NTH SIGNAL`, with `-` for no point."""

import asyncio
import signal
import sys

from libs.chassis.metrics import Metrics
from libs.chassis.relay import Relay
from tests.chassis.ledgers import SERVICE
from tests.faults.struck.database import database_of
from tests.faults.struck.kafka import admin_of, producer_of
from tests.faults.struck.points import Fate, Point


async def main(kafka: str, mongodb: str, prefix: str, name: str, owner: str, fate: Fate) -> None:
    database = database_of(fate)(mongodb, name)
    clients = {"producer": producer_of(fate), "admin": admin_of(fate)}
    relay = Relay(SERVICE, database, kafka, prefix, owner, Metrics(SERVICE), **clients)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(relay.stop()))
    await relay.run()


if __name__ == "__main__":
    *where, point, nth, blow = sys.argv[1:]
    kafka, mongodb, prefix, name, owner = where
    fate = Fate(None if point == "-" else Point(point), int(nth), signal.Signals[blow])
    asyncio.run(main(kafka, mongodb, prefix, name, owner, fate))
