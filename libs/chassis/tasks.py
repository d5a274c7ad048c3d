"""Tasks that end because somebody asks them to."""

import asyncio
from collections.abc import Collection
from typing import Any


async def cancelled(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Asks again each second: `asyncio.wait_for` of Python 3.11 swallows a cancellation that meets its result."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=1.0)
    await asyncio.gather(*tasks, return_exceptions=True)
