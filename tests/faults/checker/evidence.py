"""What a run left behind: the topics as committed readers see them, the databases, and the mails."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.faults.checker.records import Record
from tests.faults.checker.told import Told
from tests.faults.checker.topics import read

Row = dict[str, Any]
Documents = Mapping[str, Mapping[str, Sequence[Row]]]

# Not needed to judge, and by far the most.
_LEFT_OUT = {"inbox": None, "findings": None, "notices": {"fact": 0}}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the server took; `at` is when."""

    message_id: str
    to: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """Gathered once nothing moves any more. `hidden` are partitions whose end an open transaction hides, with the
    number of offsets behind it; `topics` are all that exist, empty ones too."""

    records: tuple[Record, ...] = ()
    documents: Documents = field(default_factory=dict)
    mails: tuple[Mail, ...] = ()
    told: Told = field(default_factory=Told)
    topics: frozenset[str] = frozenset()
    hidden: Mapping[str, int] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def taken(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        return Counter(mail.message_id for mail in self.mails)


def gather(
    kafka: str, mongodb: str, prefix: str, database: str, mails: Path, told: Told, patience: float = 30.0
) -> Evidence:
    """Everything, once nothing moves any more. `database` is the start of the databases' names: each `database_service`
    is read.

    Never hangs: what an open transaction hides for longer than `patience` is named in `hidden`.
    """
    at = datetime.now(UTC)
    heard = read(kafka, prefix, patience)
    return Evidence(
        records=heard.records,
        documents=_documents(mongodb, database),
        mails=tuple(map(_mail, sorted(mails.glob("*.eml")))),
        told=told,
        topics=heard.topics,
        hidden=heard.hidden,
        at=at,
    )


def _documents(mongodb: str, database: str) -> Documents:
    with MongoClient[Row](mongodb, tz_aware=True, readConcernLevel="majority") as client:
        found = {}
        for full_name in client.list_database_names():
            start, _, service = full_name.rpartition("_")
            if start != database:
                continue
            source = client[full_name]
            names = [name for name in source.list_collection_names() if _LEFT_OUT.get(name, {}) is not None]
            found[service] = {name: list(source[name].find({}, _LEFT_OUT.get(name))) for name in names}
        return found


def _mail(path: Path) -> Mail:
    with path.open("rb") as file:
        parsed = BytesHeaderParser().parse(file)
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Mail(str(parsed["Message-ID"]), parseaddr(str(parsed["To"]))[1], str(parsed["Subject"]), at)
