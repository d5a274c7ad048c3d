"""Ports on the loopback address, which a server keeps when it is started again."""

import random
import socket
from contextlib import suppress

from deploy.local.processes import Process, write_atomically

# Below the range from which Linux takes the ports of outgoing connections: a client that keeps dialling a stopped
# server there is in the end connected to itself, and the server can't come back.
PORTS = range(20_000, 32_000)
_given: set[int] = set()


def port_of(process: Process, role: str = "") -> int:
    """The port that this process had before, or a free one that it keeps from now on."""
    file = process.root / "run" / f"{process.name}{role}.port"
    with suppress(FileNotFoundError, ValueError):
        port = int(file.read_text())
        if process.pid() is not None or _is_free(port):
            return port
    port = free_port()
    write_atomically(file, f"{port}\n")
    return port


def free_port() -> int:
    """One that nobody listens on and that this process was not given before."""
    while (port := random.choice(PORTS)) in _given or not _is_free(port):
        pass
    _given.add(port)
    return port


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False
