"""Commands by HTTP: how long until the fact is readable, and how many a second when fifty callers ask at once."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import httpx
from confluent_kafka import Consumer, TopicPartition

from deploy.local.ports import free_port
from libs.contracts.examples import PARTICIPANT_ENROLLED, PROGRAM_PUBLISHED

from .intake import Arena

_PROGRAM = "bench"
_BODY = PARTICIPANT_ENROLLED.model_dump(
    mode="json", exclude={"program_id", "participant_id", "revision", "enrolled_at"}, exclude_none=True
)


@contextmanager
def matching_process(made: Arena, batch_records: int) -> Iterator[str]:
    """The address of a matching service of its own."""
    port = free_port()
    settings = {"VICEVERSA_HTTP_PORT": str(port), "VICEVERSA_BATCH_RECORDS": str(batch_records)}
    command = [sys.executable, "-m", "services.matching"]
    process = subprocess.Popen(command, env=made.environment | settings, stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@asynccontextmanager
async def matching(made: Arena, batch_records: int) -> AsyncIterator[httpx.AsyncClient]:
    """The real matching service with a programme; `batch_records` 1 means one transaction for each command."""
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
    program = PROGRAM_PUBLISHED.model_dump(mode="json", exclude={"program_id", "revision"}, exclude_none=True)
    program["state"], program["policy"]["mode"] = "open", "rounds"
    with matching_process(made, batch_records) as url:
        async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:
            await _ready(client)
            (await client.put(f"/programs/{_PROGRAM}", json=program)).raise_for_status()
            yield client


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(httpx.TransportError):
                if (await client.get("/health/ready")).status_code == 200:
                    return
            await asyncio.sleep(0.1)


async def enrol(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.put(f"/programs/{_PROGRAM}/participants/{name}", json=_BODY)
    answer.raise_for_status()


async def latencies(made: Arena, times: int) -> list[float]:
    """Milliseconds from the request to the fact at a read_committed reader, one command at a time."""
    name = f"{made.prefix}participant-enrolled"
    reader = Consumer(
        {"bootstrap.servers": made.endpoints.kafka, "group.id": f"{made.prefix}c", "fetch.wait.max.ms": 5}
    )
    async with matching(made, 1_000) as client:
        reader.assign([TopicPartition(name, partition, 0) for partition in range(6)])
        taken = []
        for number in range(times):
            start = time.perf_counter()
            await enrol(client, f"ada{number}")
            key = f"{_PROGRAM}/ada{number}".encode()
            while (message := reader.poll(1.0)) is None or message.key() != key:
                pass
            taken.append((time.perf_counter() - start) * 1_000)
    reader.close()
    return sorted(taken[times // 10 :])


async def per_second(made: Arena, batch_records: int, commands: int, callers: int = 50) -> float:
    """Commands a second of `callers` who each wait for their answer."""
    async with matching(made, batch_records) as client:
        numbers = iter(range(commands))
        start = time.perf_counter()
        await asyncio.gather(*(_caller(client.base_url, os.urandom(3).hex(), numbers) for _ in range(callers)))
        return commands / (time.perf_counter() - start)


async def _caller(url: httpx.URL, tag: str, numbers: Iterator[int]) -> None:
    """Enrols one after the other over a bare connection: an HTTP library would need more CPU than the service."""
    reader, writer = await asyncio.open_connection(url.host, url.port)
    body = json.dumps(_BODY).encode()
    for number in numbers:
        head = (
            f"PUT /programs/{_PROGRAM}/participants/{tag}-{number} HTTP/1.1\r\nhost: {url.host}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(answer.decode())
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
    writer.close()
