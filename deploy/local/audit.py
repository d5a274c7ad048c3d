"""Recomputes from the topics alone whether each fact of the services was said once, in order and without a gap."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # public, only not marked so

DEAD_LETTERS = ".dlq"
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A record as a reader of committed transactions sees it; `topic` without the prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes | None]

    def text(self, name: str) -> str:
        return (self.headers.get(name) or b"").decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Audit:
    """`facts` by topic; the rest is empty where the promise was kept, else one line for each breach."""

    facts: Mapping[str, int]
    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    reordered: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return not (self.doubled or self.lost or self.reordered)


@dataclass(slots=True)
class _Subject:
    numbers: Counter[int] = field(default_factory=Counter)
    newest: dict[str, int] = field(default_factory=dict)


def audit(records: Iterable[Heard]) -> Audit:
    """Records in the order of their partitions. Those without `ce_sequence` are foreign, and dead letters are copies:
    neither is promised anything. A subject's numbers run through all its topics; their order holds within each."""
    ids: Counter[tuple[str, str]] = Counter()
    subjects: defaultdict[tuple[str, str], _Subject] = defaultdict(_Subject)
    facts: Counter[str] = Counter()
    reordered: list[str] = []
    for record in records:
        if record.topic.endswith(DEAD_LETTERS) or not (number := record.text("ce_sequence")).isdigit():
            continue
        source = record.text("ce_source")
        ids[source, record.text("ce_id")] += 1
        subject = subjects[source, record.text("ce_subject")]
        subject.numbers[int(number)] += 1
        if int(number) < subject.newest.get(record.topic, 0):
            reordered.append(f"{_place(record)}: number {number} after {subject.newest[record.topic]}")
        subject.newest[record.topic] = int(number)
        facts[record.topic] += 1
    return Audit(facts, tuple(_doubled(ids, subjects)), tuple(_lost(subjects)), tuple(reordered))


def read(bootstrap: str, prefix: str, within: float = PATIENCE) -> Iterator[Heard]:
    """Every record that a reader of committed transactions sees on the prefix's topics, up to where they end now.

    Raises TimeoutError if an open transaction, or a broker that is away, hides the end for longer than `within`.
    """
    client: dict[str, str | int | float | bool] = {"bootstrap.servers": bootstrap}
    ends = _ends(AdminClient(client), prefix, within)
    settings = {"group.id": f"{prefix}audit", "isolation.level": "read_committed", "enable.auto.commit": False}
    with closing(Consumer({**client, **settings, "enable.partition.eof": True})) as consumer:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in ends])
        yield from _until(consumer, ends, prefix, within)


def _until(consumer: Consumer, ends: dict[tuple[str, int], int], prefix: str, within: float) -> Iterator[Heard]:
    open_ends, limit = dict(ends), time.monotonic() + within
    while open_ends:
        message = consumer.poll(0.5)
        if message is None:
            if time.monotonic() > limit:
                raise TimeoutError(f"the end of {sorted(open_ends)} stays hidden")
            continue
        place = (message.topic() or "", message.partition() or 0)
        offset = message.offset() or 0
        if (error := message.error()) is None:
            limit = time.monotonic() + within
            if offset < ends[place]:
                headers = cast(Sequence[tuple[str, bytes | None]], message.headers() or ())
                topic = place[0].removeprefix(prefix)
                yield Heard(topic, place[1], offset, message.key(), message.value(), dict(headers))
        elif error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        if offset + (error is None) >= ends[place]:
            open_ends.pop(place, None)


def _ends(admin: AdminClient, prefix: str, within: float) -> dict[tuple[str, int], int]:
    """Where partitions end for everybody: for readers of committed transactions an open one hides the end."""
    places = [
        TopicPartition(name, partition)
        for name, topic in admin.list_topics(timeout=within).topics.items()
        if name.startswith(prefix) and not name.startswith("__")
        for partition in topic.partitions
    ]
    limit = time.monotonic() + within
    while True:
        try:
            return {place: end for place, end in _asked(admin, places).items() if end > 0}
        except KafkaException:
            # A partition that was just made has no leader for a moment, and the error doesn't say that it passes.
            if time.monotonic() > limit:
                raise
            time.sleep(0.1)


def _asked(admin: AdminClient, places: Sequence[TopicPartition]) -> dict[tuple[str, int], int]:
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its type is not told
    asked = admin.list_offsets(dict.fromkeys(places, latest), isolation_level=IsolationLevel.READ_UNCOMMITTED)
    return {(place.topic, place.partition): answer.result(PATIENCE).offset for place, answer in asked.items()}


def _doubled(ids: Mapping[tuple[str, str], int], subjects: Mapping[tuple[str, str], _Subject]) -> Iterator[str]:
    for (source, id), count in ids.items():
        if count > 1:
            yield f"{source} said {id} {count} times"
    for (source, name), subject in subjects.items():
        for number, count in sorted(subject.numbers.items()):
            if count > 1:
                yield f"{source} gave number {number} of {name} {count} times"


def _lost(subjects: Mapping[tuple[str, str], _Subject]) -> Iterator[str]:
    for (source, name), subject in subjects.items():
        missing = set(range(1, max(subject.numbers) + 1)) - set(subject.numbers)
        for number in sorted(missing):
            yield f"{source} never said number {number} of {name}"


def _place(record: Heard) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"
