"""The programs around the servers: services and the local mail server, started in the background and stopped again."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from deploy.local import stack
from deploy.local.ports import listens, port_of
from deploy.local.processes import CHECKOUT, LOCAL, Process, Server, alone, write_atomically
from libs.ops import topics

MAIL = "mail"
READY_WITHIN = 60
STOPPED_WITHIN = 25
SHARED = ("VICEVERSA_API_TOKEN", "VICEVERSA_PREFIX", "VICEVERSA_DATABASE")


@dataclass(frozen=True, slots=True)
class Part:
    """A service to run: `module` is started with `python -m`; a second replica has the same module and another name."""

    name: str
    module: str


SERVICES = tuple(Part(name, f"services.{name}") for name in ("matching", "scheduling", "notifications"))


def up(
    root: Path = LOCAL,
    services: Sequence[Part] = SERVICES,
    hears: Mapping[str, Sequence[str]] | None = None,
    report: Callable[[str], None] = print,
    names: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Servers, topics, mail and services, each truly serving; what runs already is left alone. Raises StackError.

    `hears` gives the topics of each service; without it the services' tables are asked. `names` gives VICEVERSA_PREFIX
    and VICEVERSA_DATABASE where the environment does not. Returns what stands in `endpoints.env`.
    """
    root = root.resolve()
    with alone(root, "up"):
        values = start_servers(root, names)
        report(f"Kafka {values['VICEVERSA_KAFKA']}, MongoDB {values['VICEVERSA_MONGODB']}")
        prefix = values.get("VICEVERSA_PREFIX", "")
        topics.apply(values["VICEVERSA_KAFKA"], prefix, heard(services) if hears is None else hears)
        parts = [service(root, part, values) for part in services]
        addresses = {_variable(part.process.name): f"http://{part.address}" for part in parts}
        values |= {"VICEVERSA_SMTP": mail(root).address, "VICEVERSA_MAILS": str(root / "mails")} | addresses
        remember(root, values)
        _start([mail(root), *(service(root, part, values) for part in services)], report)
    return values


def start_servers(root: Path = LOCAL, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """Kafka and MongoDB alone, remembered in `endpoints.env` with what all services share."""
    endpoints = stack.start(root)
    values = endpoints_of(root) | {"VICEVERSA_KAFKA": endpoints.kafka, "VICEVERSA_MONGODB": endpoints.mongodb}
    values |= {name: os.environ[name] for name in SHARED if os.environ.get(name)} | dict(names or {})
    remember(root, values)
    return values


def down(root: Path = LOCAL, services: Sequence[Part] = SERVICES) -> list[str]:
    """Stop services with all replicas, then mail and servers. Data, mails and logs stay. The names of what ran."""
    root = root.resolve()
    with alone(root, "up"):
        ran = stop_services(root, services)
        ran += [name for name, alive in stack.alive(root).items() if alive]
        stack.stop(root)
        (root / "endpoints.env").unlink(missing_ok=True)
    return ran


def stop_services(root: Path, services: Sequence[Part] = SERVICES) -> list[str]:
    """Services with all replicas, then mail; the servers go on. The names of what ran."""
    return [process.name for process in processes(root, services) if process.stop(within=STOPPED_WITHIN)]


def processes(root: Path, services: Sequence[Part] = SERVICES) -> Iterator[Process]:
    """The services' processes with all replicas, then the mail server's; running or not."""
    for part in services:
        names = {part.name, *(path.stem for path in (root / "run").glob(f"{part.name}-*.pid"))}
        yield from (_process(root, Part(name, part.module)) for name in sorted(names))
    yield _process(root, Part(MAIL, "deploy.local.mail"))


def service(root: Path, part: Part, values: Mapping[str, str]) -> Server:
    """A service that finds the others at `values`, on a port that it keeps."""
    process = _process(root, part)
    port = port_of(process)
    environment = {**values, "VICEVERSA_HTTP_PORT": str(port), "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
    return Server(process, port, (sys.executable, "-m", part.module), lambda: is_ready(port), environment)


def mail(root: Path) -> Server:
    process = _process(root, Part(MAIL, "deploy.local.mail"))
    port = port_of(process)
    command = (sys.executable, "-m", "deploy.local.mail", "--port", str(port), "--dir", str(root / "mails"))
    return Server(process, port, command, lambda: listens(port), {"PYTHONPATH": str(CHECKOUT)})


def is_ready(port: int) -> bool:
    with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def heard(services: Sequence[Part]) -> dict[str, list[str]]:
    """The topics that each service's table of contents says it hears."""
    tables = {part.name: import_module(f"{part.module}.app").service for part in services}
    return {name: [topic.name for topic in table.topics] for name, table in tables.items()}


def endpoints_of(root: Path = LOCAL) -> dict[str, str]:
    """What `endpoints.env` says; empty when nothing was started."""
    with suppress(FileNotFoundError):
        lines = (root / "endpoints.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)
    return {}


def remember(root: Path, values: Mapping[str, str]) -> None:
    write_atomically(root / "endpoints.env", "".join(f"{name}={value}\n" for name, value in values.items()))


def _start(parts: Sequence[Server], report: Callable[[str], None]) -> None:
    for part in parts:
        part.launch()
    for part in parts:
        part.wait(READY_WITHIN)
        report(f"{part.process.name} {part.address}")


def _process(root: Path, part: Part) -> Process:
    return Process(root, part.name, f"-m {part.module}")


def _variable(name: str) -> str:
    return f"VICEVERSA_{name.upper().replace('-', '_')}"
