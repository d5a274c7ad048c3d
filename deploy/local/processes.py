"""Background programs, known by the pid files below `<root>/run` and heard through `<root>/log`."""

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOCAL = CHECKOUT / ".local"
PROC = Path("/proc")
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StackError(Exception):
    """One line: what is missing or went wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Process:
    """A program that outlives its starter. `mark` is a part of its command line that no other program has."""

    root: Path
    name: str
    mark: str

    @property
    def pid_file(self) -> Path:
        return self.root / "run" / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return self.root / "log" / f"{self.name}.log"

    def pid(self) -> int | None:
        """The living process that the pid file means; None if it ended or the number belongs to another program now."""
        pid = self._noted_pid()
        return pid if pid is not None and self.mark in _command_line(pid) else None

    def spawn(self, command: tuple[str, ...], environment: Mapping[str, str]) -> int:
        for path in (self.pid_file, self.log):
            path.parent.mkdir(parents=True, exist_ok=True)
        if (dying := self._noted_pid()) is not None and not _command_line(dying):
            _until(lambda: _is_gone(dying), 5)
        with _undisturbed():
            return self._spawn(command, environment)

    def _spawn(self, command: tuple[str, ...], environment: Mapping[str, str]) -> int:
        log = (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        silence = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        pid = os.posix_spawn(
            command[0],
            command,
            {**os.environ, **environment},
            file_actions=[silence, log, (os.POSIX_SPAWN_DUP2, 1, 2)],
            setsid=True,
        )
        write_atomically(self.pid_file, f"{pid}\n")
        # For a moment after the start the kernel shows no command line yet.
        _until(lambda: self.pid() is not None, 1)
        return pid

    def stop(self, *, kill: bool = False, within: float = 20) -> bool:
        """SIGTERM, and SIGKILL if it is still there after `within` seconds. False if it was not running."""
        if (pid := self.pid()) is None:
            return False
        os.kill(pid, signal.SIGKILL if kill else signal.SIGTERM)
        if not _until(lambda: _is_gone(pid), within):
            os.kill(pid, signal.SIGKILL)
            _until(lambda: _is_gone(pid), within)
        self.pid_file.unlink(missing_ok=True)
        return True

    def _noted_pid(self) -> int | None:
        with suppress(FileNotFoundError, ValueError):
            return int(self.pid_file.read_text())
        return None


@dataclass(frozen=True, slots=True)
class Server:
    """A process with an address, of which can be asked whether it truly serves."""

    process: Process
    port: int
    command: tuple[str, ...]
    serves: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def launch(self) -> bool:
        """Start it unless it runs, on the port and data that it had before. True if it was started."""
        if self.process.pid() is not None:
            return False
        self.process.spawn(self.command, self.environment)
        return True

    def wait(self, within: float = 60) -> None:
        """Return once it serves. Raises StackError with the end of its log if it does not."""
        ended = _until(lambda: self.process.pid() is None or self.serves(), within)
        if not ended or self.process.pid() is None:
            state = "ended" if ended else f"does not serve after {within:g} s"
            raise StackError(f"{self.process.name} {state}; end of {self.process.log}:\n{self.last_words()}")

    def start(self, *, within: float = 60) -> bool:
        """Launch it and wait. True if it was started."""
        launched = self.launch()
        self.wait(within)
        return launched

    def stop(self, *, kill: bool = False, within: float = 20) -> bool:
        return self.process.stop(kill=kill, within=within)

    def last_words(self, lines: int = 12) -> str:
        with suppress(FileNotFoundError):
            return "\n".join(self.process.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits: a program that was started but not yet noted could never be stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda got, _: came.append(got)) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old text or the new one. Only the owner may read it: it may hold a token."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


@contextmanager
def alone(root: Path, what: str) -> Iterator[None]:
    """Only one process at a time does `what` in this root; others wait."""
    path = root / "run" / f"{what}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wait_until(condition: Callable[[], bool], within: float, what: str) -> None:
    if not _until(condition, within):
        raise StackError(f"{what} does not serve after {within:g} s")


def _is_gone(pid: int) -> bool:
    """Whether it holds no port and no lock any more: a process loses its command line before these."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    if not PROC.exists():
        return not _command_line(pid)
    try:
        state = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z" and len(list((PROC / str(pid) / "task").iterdir())) == 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def _command_line(pid: int) -> str:
    """Empty for a process that is ending or has ended, also while its parent has not yet taken notice."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    if PROC.exists():
        return ""
    return subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False).stdout


def _until(condition: Callable[[], bool], within: float) -> bool:
    limit = time.monotonic() + within
    while not (met := condition()) and time.monotonic() < limit:
        time.sleep(0.05)
    return met
