"""A TCP proxy that stands between a service and a server, and spoils the connection on demand."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from enum import StrEnum
from threading import Thread
from typing import Any, Self

from deploy.local.ports import free_port

HOST = "127.0.0.1"
PIECE = 64 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Way(StrEnum):
    """A direction through the proxy."""

    THERE = "there"  # from the client to the server
    BACK = "back"  # from the server to the client


BOTH = (Way.THERE, Way.BACK)


class Proxy:
    """Forwards `127.0.0.1:port` to `target` (`host:port`) from a thread of its own until `close`.

    The verbs may be called from any thread and have worked when they return. They add up until `heal`.
    """

    def __init__(self, target: str, port: int | None = None) -> None:
        self.target, self.port = target, port or free_port()
        self.accepted = 0  # connections since the start
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._delay = self._rate = 0.0
        self._loop = asyncio.new_event_loop()
        self._gates = {way: asyncio.Event() for way in Way}
        self._thread = Thread(target=self._loop.run_forever, name=f"proxy {self.port}", daemon=True)
        self._thread.start()
        self.heal()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def cut(self) -> None:
        """Reset every open connection once. New ones are served."""
        self._do(self._cut())

    def refuse(self) -> None:
        """Reset every open connection and refuse new ones."""
        self._do(self._refuse())

    def half_open(self, *ways: Way) -> None:
        """Keep and accept connections, but hold what comes in these directions (default: both).

        Nothing is dropped: what is held arrives late, after `heal`, also when its sender has given up meanwhile.
        """
        self._do(self._hold(ways or BOTH))

    def slow(self, delay_seconds: float = 0, bytes_per_second: float = 0) -> None:
        """Let every piece (64 KiB at most) of a connection wait, and limit its speed (0: no limit), each way."""
        self._do(self._slow(delay_seconds, bytes_per_second))

    def heal(self) -> None:
        """Serve again as at first. Open connections stay, and what was held arrives."""
        self._do(self._heal())

    def close(self) -> None:
        if self._loop.is_closed():
            return
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _do(self, verb: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(verb, self._loop).result(10)

    async def _cut(self) -> None:
        for writer in tuple(self._open):
            _reset(writer)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _hold(self, ways: tuple[Way, ...]) -> None:
        for way in ways:
            self._gates[way].clear()

    async def _slow(self, delay: float, rate: float) -> None:
        self._delay, self._rate = delay, rate

    async def _heal(self) -> None:
        self._delay = self._rate = 0.0
        for gate in self._gates.values():
            gate.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def _end(self) -> None:
        await self._refuse()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        end: Callable[[asyncio.StreamWriter], None] = _reset
        self._open.add(writer)
        try:
            await self._forward(reader, writer)
            end = asyncio.StreamWriter.close
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            end(writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self.target.rsplit(":", 1)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        end: Callable[[asyncio.StreamWriter], None] = _reset
        self._open.add(far_writer)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(Way.THERE, reader, far_writer))
                pumps.create_task(self._pump(Way.BACK, far_reader, writer))
            end = asyncio.StreamWriter.close
        finally:
            self._open.discard(far_writer)
            end(far_writer)

    async def _pump(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            if delay := self._delay + (len(piece) / self._rate if self._rate else 0):
                await asyncio.sleep(delay)
            await self._gates[way].wait()
            writer.write(piece)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """The other side gets a reset, not an orderly end."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
