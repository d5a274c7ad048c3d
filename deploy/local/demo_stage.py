"""Where the demo plays: a fresh prefix and database each time, and everything stopped when it is over."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from deploy.local import parts, stack
from deploy.local.processes import CHECKOUT, INTERRUPTS, StackError, write_atomically
from deploy.local.stack import Endpoints

PATIENCE = 30
Report = Callable[[str], None]


def set_up(root: Path, report: Report) -> dict[str, str]:
    """Everything runs, under names that no run had before. Returns what stands in `endpoints.env`."""
    if ran := parts.stop_services(root):
        report(f"stopped what ran before: {', '.join(ran)}")
    _clear(root)
    report("starting Kafka and MongoDB")
    servers = parts.start_servers(root)
    report("Kafka and MongoDB serve")
    _forget_last_run(root, servers)
    name = f"demo-{uuid4().hex[:6]}"
    write_atomically(_name_file(root), name)
    names = {"VICEVERSA_PREFIX": f"{name}.", "VICEVERSA_DATABASE": name}
    return parts.up(root, report=lambda line: report(f"{line} is ready"), names=names)


def tear_down(root: Path, report: Report) -> None:
    """Services and mail stop; the servers too, unless a test run uses them."""
    with (root / "run" / "tests.lock").open("w") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stopped = parts.stop_services(root)
            report(f"stopped: {', '.join(stopped)}; Kafka and MongoDB go on, because tests use them")
        else:
            report(f"stopped: {', '.join(parts.down(root))}")


def command(root: Path, values: Mapping[str, str], *words: str) -> str:
    """What the command line `viceversa` says. Raises StackError unless it is done."""
    run = [sys.executable, "-m", "libs.ops.app", *words]
    environment = {**os.environ, **values}
    done = subprocess.run(run, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip()
    if done.returncode:
        log = log_file(root)
        log.write_text(f"$ viceversa {' '.join(words)}\n{said}\n")
        raise StackError(f"viceversa {words[0]} ends with {done.returncode}; read {log}")
    return said


def must_run(root: Path) -> None:
    """Raises StackError with the log of a part that has ended."""
    for process in parts.processes(root):
        if process.pid() is None:
            raise StackError(f"{process.name} has ended; read {process.log}")


def log_file(root: Path) -> Path:
    return root / "log" / "demo.log"


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal raise KeyboardInterrupt, also where the caller ignores them."""
    before = {number: signal.signal(number, _interrupt) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def finish_undisturbed() -> None:
    """From now on no signal keeps the stage from being torn down."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _clear(root: Path) -> None:
    """Mails, logs and addresses of an earlier run would be counted or believed."""
    for folder in ("mails", "demo"):
        shutil.rmtree(root / folder, ignore_errors=True)
    logs = [process.log for process in parts.processes(root)]
    for path in (*logs, log_file(root), root / "demo.json", root / "endpoints.env"):
        path.unlink(missing_ok=True)
    for folder in ("run", "log", "demo"):
        (root / folder).mkdir(parents=True, exist_ok=True)


def _forget_last_run(root: Path, servers: Mapping[str, str]) -> None:
    """Topics and databases of the run before; what else is on the servers is not the demo's."""
    if not _name_file(root).exists():
        return
    name = _name_file(root).read_text().strip()
    endpoints = Endpoints(servers["VICEVERSA_KAFKA"], servers["VICEVERSA_MONGODB"])
    stack.forget(endpoints, f"{name}.", f"{name}_")


def _name_file(root: Path) -> Path:
    return root / "run" / "demo.name"
