"""The outbox: facts wait here, in pages, from their transaction until the relay has published them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from uuid_utils import uuid4, uuid7

from libs.chassis.errors import Poison
from libs.chassis.items import Cause, Raw
from libs.chassis.mongo import Indexes, Row, Transaction
from libs.chassis.unit_of_work import Said
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.topics import TOPICS, dead_letter_topic, topic_of

OUTBOX = "outbox"
INDEXES: Indexes = [(("tick", "part"), {}), (("at",), {})]

_PAGE_BYTES = 900_000
_PAGE_RECORDS = 1_000
# A record's frame, its key and its headers, counted together with the value against the topic's limit.
_OVERHEAD, _HEADER_OVERHEAD = 512, 10


class Record(NamedTuple):
    """What the relay will send; `topic` without the prefix, `size` in bytes as Kafka counts them, rounded up."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[str | bytes | None]
    size: int

    def row(self) -> Row:
        return {"topic": self.topic, "key": self.key, "value": self.value, "headers": self.headers}


def fact(said: Said, *, source: str, cause: Cause, now: datetime) -> Record:
    """The record of a fact, as the relay will send it. Raises Poison where the topic could never take it."""
    topic = topic_of(type(said.event))
    envelope = describe(
        said.event,
        id=str(uuid7()),
        source=source,
        time=now,
        sequence=said.sequence,
        correlation_id=cause.correlation_id,
        causation_id=cause.causation_id,
        traceparent=cause.traceparent,
    )
    record = _record(topic.name, envelope.subject.encode(), encode(said.event), headers(envelope))
    if record.size > topic.max_bytes:
        raise Poison(f"{topic.name} of {record.size} bytes is over the topic's limit of {topic.max_bytes}")
    return record


def dead_letter(raw: Raw, service: str, *, reason: str, detail: str) -> Record:
    """The record of a dead letter: the bytes as they came, or a pointer to them where they don't fit."""
    topic = dead_letter_topic(raw.topic, service)
    why = [
        ("dlq_reason", reason.encode()),
        ("dlq_detail", detail.encode()),
        ("dlq_origin", f"{raw.topic}/{raw.partition}/{raw.offset}".encode()),
    ]
    # aiokafka sends no record without both: the relay would meet it again and again
    value = b"" if raw.key is None and raw.value is None else raw.value
    record = _record(topic, raw.key, value, [*raw.headers, *why])
    if record.size > TOPICS[raw.topic].max_bytes:
        return _record(topic, None, b"", [*why, ("dlq_pointer", b"the bytes are in the service's dead_letters")])
    return record


async def next_tick(transaction: Transaction) -> int:
    """One more than the highest tick in this transaction's snapshot. A fact that builds on another has either a later
    tick than that one or is said after it was published, so no shared counter is needed."""
    newest = await transaction.find(OUTBOX, {}, fields=["tick"], sort=[("tick", -1)], limit=1)
    return int(newest[0]["tick"]) + 1 if newest else 1


async def append(transaction: Transaction, records: Sequence[Record], tick: int, now: datetime) -> None:
    """Write pages of one tick behind all others."""
    pages = [
        {"_id": uuid4().hex, "tick": tick, "part": part, "at": now, "records": [record.row() for record in page]}
        for part, page in enumerate(_pages(records))
    ]
    await transaction.insert(OUTBOX, pages)


def _pages(records: Sequence[Record]) -> Iterator[list[Record]]:
    page: list[Record] = []
    size = 0
    for record in records:
        if page and (size + record.size > _PAGE_BYTES or len(page) >= _PAGE_RECORDS):
            yield page
            page, size = [], 0
        page.append(record)
        size += record.size
    yield page


def _record(topic: str, key: bytes | None, value: bytes | None, pairs: Sequence[tuple[str, bytes | None]]) -> Record:
    """Names and contents of the headers stand in one flat list: lists in lists cost BSON ten times as much."""
    flat = list(chain.from_iterable(pairs))
    content = sum(map(len, filter(None, (key, value, *flat[1::2]))))
    # a character may take four bytes
    names = sum(4 * len(name) + _HEADER_OVERHEAD for name, _ in pairs)
    size = _OVERHEAD + content + names
    return Record(topic, key, value, flat, size)


def header_pairs(row: Row) -> list[tuple[str, bytes | None]]:
    """The headers of a record in a page."""
    flat = row["headers"]
    return list(zip(flat[::2], flat[1::2], strict=True))
