"""The jars of Apache Kafka: named and pinned by `jars.lock`, fetched from Maven coordinates, verified at each start.

`python -m deploy.local.jars` resolves ROOTS anew and writes the lock.
"""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jgo.maven import MavenContext
from requests import RequestException
from rich.console import Console
from rich.progress import track

from deploy.local.processes import LOCAL, StackError, alone

LOCK = Path(__file__).with_name("jars.lock")
STORE = LOCAL / "jars"

# Each is resolved on its own: together, the log binding's bill of materials would decide the version of kafka-clients.
ROOTS = ("org.apache.kafka:kafka_2.13:4.4.0", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5")


@dataclass(frozen=True, slots=True)
class Jar:
    coordinate: str
    sha256: str


def locked(lock: Path = LOCK) -> list[Jar]:
    lines = (line.split() for line in lock.read_text().splitlines() if line and not line.startswith("#"))
    return [Jar(coordinate, sha256) for sha256, coordinate in lines]


def fetch(lock: Path = LOCK, store: Path = STORE, repositories: Mapping[str, str] | None = None) -> list[Path]:
    """Every locked jar as a verified file. Raises StackError if one can't be had or is not the one that was locked."""
    context = MavenContext(repo_cache=store, remote_repos=dict(repositories) if repositories else None, timeout=60)
    jars = locked(lock)
    with alone(store, "fetch"), ThreadPoolExecutor(4) as pool:
        paths = pool.map(lambda jar: _verified(context, jar), jars)
        if all(_cached(context, jar).exists() for jar in jars):
            return list(paths)
        return list(_shown(paths, len(jars)))


def resolve(store: Path = STORE) -> list[Jar]:
    """The jars that ROOTS need now, in the order of the lock."""
    context = MavenContext(repo_cache=store)
    found = {}
    for root in ROOTS:
        inputs, others = context.resolver.resolve([context.create_dependency(root)])
        needed = [*inputs, *(other for other in others if other.scope in {"compile", "runtime"})]
        found.update({f"{jar.groupId}:{jar.artifactId}:{jar.version}": jar.artifact for jar in needed})
    return [Jar(coordinate, _sha256(Path(found[coordinate].resolve()))) for coordinate in sorted(found)]


def _verified(context: MavenContext, jar: Jar) -> Path:
    """A file that differs is thrown away and fetched once more: it may be the rest of an interrupted download."""
    for _ in range(2):
        path = _fetched(context, jar)
        if (found := _sha256(path)) == jar.sha256:
            return path
        path.unlink()
    raise StackError(f"{jar.coordinate} is not the jar in jars.lock: sha256 {found} instead of {jar.sha256}; not used")


def _fetched(context: MavenContext, jar: Jar, tries: int = 3) -> Path:
    path = _cached(context, jar)
    for attempt in range(tries):
        try:
            context.create_dependency(jar.coordinate).artifact.resolve()
            break
        except (RequestException, RuntimeError) as error:
            path.unlink(missing_ok=True)
            if attempt == tries - 1:
                raise StackError(f"{jar.coordinate} can't be downloaded, check the network: {error}") from error
    return path


def _cached(context: MavenContext, jar: Jar) -> Path:
    path = context.create_dependency(jar.coordinate).artifact.cached_path
    assert path is not None, "the context has a store"
    return path


def _shown(paths: Iterable[Path], total: int) -> Iterable[Path]:
    return track(paths, "Downloading Apache Kafka", total, console=Console(stderr=True), transient=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    LOCK.write_text("".join(f"{jar.sha256} {jar.coordinate}\n" for jar in resolve()))
