"""The outbox: facts wait here, in pages, from their transaction until the relay has published them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from uuid_utils import uuid4, uuid7

from libs.chassis.errors import Poison
from libs.chassis.items import Cause, Raw
from libs.chassis.mongo import Indexes, Transaction
from libs.chassis.unit_of_work import Said
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.topics import TOPICS, dead_letter_topic, topic_of

OUTBOX = "outbox"
INDEXES: Indexes = [(("tick", "part"), {}), (("at",), {})]

Record = dict[str, Any]

_PAGE_BYTES = 900_000
_PAGE_RECORDS = 1_000
# A record's frame, its key and its headers, counted together with the value against the topic's limit.
_OVERHEAD = 512


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
    if (size := sized(record)) > topic.max_bytes:
        raise Poison(f"{topic.name} of {size} bytes is over the topic's limit of {topic.max_bytes}")
    return record


def dead_letter(raw: Raw, service: str, *, reason: str, detail: str) -> Record:
    """The record of a dead letter: the bytes as they came, or a pointer to them where they don't fit."""
    topic = dead_letter_topic(raw.topic, service)
    why = [
        ("dlq_reason", reason.encode()),
        ("dlq_detail", detail.encode()[:2_000]),
        ("dlq_origin", f"{raw.topic}/{raw.partition}/{raw.offset}".encode()),
    ]
    # aiokafka sends no record without both: the relay would meet it again and again
    value = b"" if raw.key is None and raw.value is None else raw.value
    record = _record(topic, raw.key, value, [*raw.headers, *why])
    if sized(record) > TOPICS[raw.topic].max_bytes:
        return _record(topic, None, b"", [*why, ("dlq_pointer", b"the bytes are in the service's dead_letters")])
    return record


def sized(record: Record) -> int:
    """Bytes of a record as Kafka counts them, rounded up."""
    parts = [record["key"] or b"", record["value"] or b"", *record["headers"]]
    return _OVERHEAD + sum([len(part) for part in parts if part is not None])


async def next_tick(transaction: Transaction) -> int:
    """One more than the highest tick in this transaction's snapshot. A fact that builds on another has either a later
    tick than that one or is said after it was published, so no shared counter is needed."""
    newest = await transaction.find(OUTBOX, {}, fields=["tick"], sort=[("tick", -1)], limit=1)
    return int(newest[0]["tick"]) + 1 if newest else 1


async def append(transaction: Transaction, records: Sequence[Record], tick: int, now: datetime) -> None:
    """Write pages of one tick behind all others."""
    pages = [
        {"_id": uuid4().hex, "tick": tick, "part": part, "at": now, "records": page}
        for part, page in enumerate(_pages(records))
    ]
    await transaction.insert(OUTBOX, pages)


def _pages(records: Sequence[Record]) -> Iterator[list[Record]]:
    page: list[Record] = []
    size = 0
    for record in records:
        added = sized(record)
        if page and (size + added > _PAGE_BYTES or len(page) >= _PAGE_RECORDS):
            yield page
            page, size = [], 0
        page.append(record)
        size += added
    yield page


def _record(topic: str, key: bytes | None, value: bytes | None, pairs: Sequence[tuple[str, bytes | None]]) -> Record:
    """Names and contents of the headers stand in one flat list: lists in lists cost BSON ten times as much."""
    flat = [part for pair in pairs for part in pair]
    return {"topic": topic, "key": key, "value": value, "headers": flat}


def header_pairs(record: Record) -> list[tuple[str, bytes | None]]:
    flat = record["headers"]
    return list(zip(flat[::2], flat[1::2], strict=True))
