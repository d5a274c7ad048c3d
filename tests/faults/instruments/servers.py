"""What may happen to a broker or a mongod as a process. `heal` undoes each of these."""

import os
import resource
import signal
import time
from enum import StrEnum

import psutil

from deploy.local.processes import Server


class ServerFault(StrEnum):
    """What happens to a server."""

    STOP = "stop"  # SIGTERM: it ends in good order
    KILL = "kill"  # SIGKILL
    FREEZE = "freeze"  # SIGSTOP: connections stay open and nobody answers
    FULL_DISK = "full-disk"  # the system refuses every write to a file


def strike(server: Server, fault: ServerFault) -> None:
    """Returns when it has happened. A full disk shows at the next write."""
    match fault:
        case ServerFault.STOP:
            server.stop()
        case ServerFault.KILL:
            server.stop(kill=True)
        case ServerFault.FREEZE:
            _signal(server, signal.SIGSTOP)
            _wait_for_frost(server)
        case ServerFault.FULL_DISK:
            _limit_files(server, 0)


def heal(server: Server, within: float = 120) -> None:
    """Thaw it, give it its disk back, start it if it does not run, and wait (seconds) until it serves.

    What met a full disk may be about to end, so it is ended.
    """
    _signal(server, signal.SIGCONT)
    if _has_full_disk(server):
        server.stop(kill=True)
    server.start(within=within)


def _signal(server: Server, number: signal.Signals) -> None:
    if (pid := server.process.pid()) is not None:
        os.kill(pid, number)


def _wait_for_frost(server: Server) -> None:
    """A busy system stops one thread after the other, and the last may still answer."""
    while (pid := server.process.pid()) is not None:
        threads = (psutil.Process(thread.id) for thread in psutil.Process(pid).threads())
        if all(thread.status() == psutil.STATUS_STOPPED for thread in threads):
            return
        time.sleep(0.001)


def _limit_files(server: Server, size: int) -> None:
    if (pid := server.process.pid()) is not None:
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))


def _has_full_disk(server: Server) -> bool:
    pid = server.process.pid()
    return pid is not None and resource.prlimit(pid, resource.RLIMIT_FSIZE)[0] == 0
