from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.local import jars
from deploy.local.ports import free_port
from deploy.local.processes import StackError

COORDINATE = "org.example:lamp:1.0"
GENUINE = b"the jar that was locked"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextmanager
def repository(folder: Path, content: bytes) -> Iterator[dict[str, str]]:
    jar = folder / "org/example/lamp/1.0/lamp-1.0.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield {"test": f"http://127.0.0.1:{server.server_port}"}
    server.shutdown()
    server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "jars.lock"
    path.write_text(f"{sha256(GENUINE).hexdigest()} {COORDINATE}\n")
    return path


def test_a_locked_jar_is_fetched_and_kept(tmp_path, lock):
    with repository(tmp_path / "repository", GENUINE) as repositories:
        [path] = jars.fetch(lock, tmp_path / "store", repositories)

    assert path.read_bytes() == GENUINE
    assert jars.fetch(lock, tmp_path / "store", repositories) == [path]


def test_a_jar_other_than_the_locked_one_is_refused(tmp_path, lock):
    with (
        repository(tmp_path / "repository", b"something else") as repositories,
        pytest.raises(StackError, match=r"org\.example:lamp:1\.0 is not the jar in jars\.lock: sha256 .* not used"),
    ):
        jars.fetch(lock, tmp_path / "store", repositories)

    assert not list((tmp_path / "store").rglob("*.jar"))


def test_the_rest_of_an_interrupted_download_is_replaced(tmp_path, lock):
    with repository(tmp_path / "repository", GENUINE) as repositories:
        [path] = jars.fetch(lock, tmp_path / "store", repositories)
        path.write_bytes(GENUINE[:5])

        assert jars.fetch(lock, tmp_path / "store", repositories) == [path]

    assert path.read_bytes() == GENUINE


def test_without_a_network_one_line_says_what_is_missing(tmp_path, lock):
    nowhere = {"test": f"http://127.0.0.1:{free_port()}"}

    with pytest.raises(StackError, match=r"^org\.example:lamp:1\.0 can't be downloaded, check the network: "):
        jars.fetch(lock, tmp_path / "store", nowhere)


def test_the_committed_lock_pins_kafka_its_clients_and_a_log_binding():
    coordinates = {jar.coordinate for jar in jars.locked()}

    assert coordinates >= {*jars.ROOTS, "org.apache.kafka:kafka-clients:4.4.0"}
    assert all(len(jar.sha256) == 64 for jar in jars.locked())
