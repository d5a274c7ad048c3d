"""mongod's own fail points: it answers commands with errors, slowly, or by hanging up."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deploy.local import mongod
from deploy.local.processes import Server

WRITES = ("insert", "update", "delete", "findAndModify")
COMMIT = ("commitTransaction",)
READS = ("find", "aggregate", "getMore", "count")
EVERYTHING = (*WRITES, *COMMIT, *READS)
FAIL_COMMAND = "failCommand"
WRITE_CONFLICT = "WTWriteConflictException"


class DatabaseFault(StrEnum):
    """How mongod misbehaves. "Not run" means that the command had no effect, whatever the client is told."""

    COMMIT_REFUSED = "commit-refused"  # a commit is answered with NoSuchTransaction; not run
    COMMIT_UNKNOWN = "commit-unknown"  # a commit happens, and is answered with a failed write concern
    COMMIT_CLOSED = "commit-closed"  # a commit's connection is closed; not run
    WRITE_ERROR = "write-error"  # writes are answered with OperationFailed; not run
    WRITE_CONFLICT = "write-conflict"  # the storage engine finds conflicts where there are none
    NOT_PRIMARY = "not-primary"  # everything is answered with NotWritablePrimary; not run
    CLOSED = "closed"  # every command's connection is closed; not run
    DISK_FULL = "disk-full"  # writes and commits are answered with OutOfDiskSpace; not run
    SLOW = "slow"  # every command waits and is run then


_CONCERN = {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting for replication timed out"}
_FAILURES: dict[DatabaseFault, dict[str, Any]] = {
    DatabaseFault.COMMIT_REFUSED: {
        "failCommands": COMMIT,
        "errorCode": 251,
        "errorLabels": ["TransientTransactionError"],
    },
    DatabaseFault.COMMIT_UNKNOWN: {"failCommands": COMMIT, "writeConcernError": _CONCERN},
    DatabaseFault.COMMIT_CLOSED: {"failCommands": COMMIT, "closeConnection": True},
    DatabaseFault.WRITE_ERROR: {"failCommands": WRITES, "errorCode": 96},
    DatabaseFault.NOT_PRIMARY: {"failCommands": EVERYTHING, "errorCode": 10107},
    DatabaseFault.CLOSED: {"failCommands": EVERYTHING, "closeConnection": True},
    DatabaseFault.DISK_FULL: {"failCommands": (*WRITES, *COMMIT), "errorCode": 14031},
    DatabaseFault.SLOW: {"failCommands": EVERYTHING, "blockConnection": True},
}


@dataclass(frozen=True, slots=True)
class FailPoints:
    """Those of one mongod; one of `failCommand`'s faults at a time, a later one takes the place of an earlier.

    A commit that is not run leaves its transaction open, with its locks, for 8 to 12 s.
    """

    server: Server

    def inflict(
        self, fault: DatabaseFault, *, times: int | None = None, share: float | None = None, delay_seconds: float = 1
    ) -> None:
        """On the next `times` commands that it concerns, or on a share of them by chance, else on all of them.

        `delay_seconds` is for SLOW. Conflicts need a share: what conflicts every time is tried for ever.
        """
        mode: Any = {"times": times} if times else {"activationProbability": share} if share else "alwaysOn"
        if fault is DatabaseFault.WRITE_CONFLICT:
            self._configure(WRITE_CONFLICT, mode if times or share else {"activationProbability": 0.5})
            return
        data = dict(_FAILURES[fault])
        if fault is DatabaseFault.SLOW:
            data["blockTimeMS"] = int(delay_seconds * 1000)
        self._configure(FAIL_COMMAND, mode, data)

    def heal(self) -> None:
        for name in (FAIL_COMMAND, WRITE_CONFLICT):
            self._configure(name, "off")

    def abort_transactions(self) -> None:
        """End every session: open transactions are undone, and their next command fails."""
        with mongod.connect(self.server.port) as client:
            client.admin.command("killAllSessions", [])

    def step_down(self, seconds: int = 10) -> None:
        """Give up being primary, and don't stand for election for so long. Connections stay open."""
        with mongod.connect(self.server.port) as client:
            client.admin.command("replSetStepDown", seconds, force=True)

    def _configure(self, name: str, mode: Any, data: dict[str, Any] | None = None) -> None:
        command = {"configureFailPoint": name, "mode": mode, **({"data": data} if data else {})}
        with mongod.connect(self.server.port) as client:
            client.admin.command(command)
