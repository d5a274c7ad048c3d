"""Processes of the tiny service on real servers, and an independent client that writes and reads their topics."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition

from deploy.local.stack import Endpoints
from libs.chassis.run import Runtime, http_app
from libs.chassis.service import Service
from libs.chassis.settings import Settings
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import Event
from libs.contracts.topics import topic_of
from libs.ops.topics import apply
from tests.chassis.tiny import NOW, service, until


@dataclass(frozen=True, slots=True)
class World:
    """Topics and databases of one test."""

    endpoints: Endpoints
    prefix: str
    database: str

    def runtime(self, table: Service = service, **settings: Any) -> Runtime:
        where = {"kafka": self.endpoints.kafka, "mongodb": self.endpoints.mongodb, "prefix": self.prefix}
        return Runtime(table, Settings(**{"database": self.database, **where, **settings}))

    def topics(self) -> None:
        """Create them; the tiny service hears some."""
        apply(self.endpoints.kafka, self.prefix, {service.name: [topic.name for topic in service.topics]})

    def say(self, records: Sequence["Record"], codec: str = "none") -> None:
        """Write records, compressed if a codec is named, and return when the broker has them."""
        in_order = {"batch.num.messages": 1 if len(records) < 200 else 100, "max.in.flight": 1}
        written = {"message.max.bytes": 2_000_000, "compression.type": codec}
        producer = Producer({"bootstrap.servers": self.endpoints.kafka, **written, **in_order})
        failures: list[KafkaError] = []
        for record in records:
            producer.produce(
                self.prefix + record.topic,
                record.value,
                record.key,
                partition=record.partition,
                headers=record.headers,  # type: ignore[arg-type]  # null values are allowed
                on_delivery=lambda error, message: failures.append(error) if error else None,
            )
            producer.poll(0)
        producer.flush(30)
        assert [error.str() for error in failures] == []

    async def read(self, topic: str) -> list[Message]:
        """What a `read_committed` reader sees of a topic, to its end, partition by partition."""
        return await asyncio.to_thread(self._read, self.prefix + topic)

    def _read(self, topic: str) -> list[Message]:
        consumer = Consumer(
            {
                "bootstrap.servers": self.endpoints.kafka,
                "group.id": "unused",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )
        try:
            partitions = consumer.list_topics(topic, 10).topics[topic].partitions
            consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
            found: list[Message] = []
            ended: set[int | None] = set()
            while len(ended) < len(partitions):
                for message in consumer.consume(1_000, 0.2):
                    if (error := message.error()) is None:
                        found.append(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        ended.add(message.partition())
                    else:
                        raise AssertionError(error)
            return sorted(found, key=lambda message: (message.partition(), message.offset()))
        finally:
            consumer.close()

    async def end(self, topic: str, partition: int) -> int:
        """The offset that the next record of a partition will have."""
        return await asyncio.to_thread(self._end, TopicPartition(self.prefix + topic, partition))

    def _end(self, place: TopicPartition) -> int:
        consumer = Consumer({"bootstrap.servers": self.endpoints.kafka, "group.id": "unused"})
        try:
            return consumer.get_watermark_offsets(place, 20)[1]
        finally:
            consumer.close()

    async def committed(self, *topics: str) -> int:
        """The sum of the offsets that the tiny service has committed."""
        return await asyncio.to_thread(self._committed, [self.prefix + topic for topic in topics])

    def _committed(self, topics: Sequence[str]) -> int:
        group = f"{self.prefix}viceversa.{service.name}"
        consumer = Consumer({"bootstrap.servers": self.endpoints.kafka, "group.id": group})
        try:
            places = [TopicPartition(topic, number) for topic in topics for number in range(6)]
            return sum(max(0, place.offset) for place in consumer.committed(places, 20))
        finally:
            consumer.close()


@dataclass(frozen=True, slots=True)
class Record:
    """A record to write; partition -1 lets the key decide."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    partition: int = -1


def record(event: Event, id: str, partition: int = -1) -> Record:
    envelope = describe(event, id=id, source="/hr", time=NOW)
    return Record(topic_of(type(event)).name, event.key.encode(), encode(event), [*headers(envelope)], partition)


@asynccontextmanager
async def running(runtime: Runtime, *, until_ready: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """The process, ready, and a client for its routes."""
    transport = httpx.ASGITransport(http_app(runtime), raise_app_exceptions=False)
    await runtime.start()
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://tiny", timeout=30) as client:
            if until_ready:
                await until(lambda: _ready(client))
            yield client
    finally:
        await runtime.stop()


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


def header(message: Message, name: str) -> str:
    value = dict(message.headers() or ())[name]
    assert isinstance(value, bytes)
    return value.decode()
