"""A process that does nothing but what is due."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from libs.chassis.due import DueWork
from libs.chassis.loop import Loop
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database
from libs.chassis.service import Service
from libs.chassis.transactions import Transactions
from tests.chassis.tiny import NOW, service, settling


@asynccontextmanager
async def polling(
    database: Database,
    clock: Callable[[], datetime] = lambda: NOW,
    table: Service = service,
    transactions: Transactions | None = None,
) -> AsyncIterator[None]:
    """It polls while the block runs; its transactions stay at NOW unless others are given."""
    loop = Loop((transactions or settling(database, table)).settle, 1_000)
    work = DueWork(table, database, loop.submit, clock, Metrics("tiny"))
    tasks = [asyncio.create_task(loop.run()), asyncio.create_task(work.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await work.stop()
