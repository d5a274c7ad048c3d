"""The intake: a FastStream batch subscriber hands over raw records; they are decoded here, one by one."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber

from libs.chassis.dead_letters import heard
from libs.chassis.items import Cause, Item, Raw, digest
from libs.chassis.loop import Submit
from libs.chassis.metrics import Metrics
from libs.chassis.service import Service
from libs.chassis.unopened import Unopened
from libs.contracts.envelope import Envelope, Received, read
from libs.contracts.topics import Topic

Offsets = dict[TopicPartition, int]

# Twice this is less than a rebalance waits for a member.
_DRAIN_SECONDS = 4.0
# Decoded at a stretch; between two slices the transaction under way takes its next step.
_SLICE = 40
_DEAF_SECONDS = 0.2

log = structlog.get_logger()


def decoded(record: ConsumerRecord[bytes | None, bytes | None], topic: Topic) -> Item:
    """The item of a record. Nothing that a record holds raises here."""
    raw = Raw(topic.name, record.partition, record.offset, record.timestamp, record.key, record.value, record.headers)
    said = read(topic, raw.key, raw.value, raw.headers, raw.written)
    body = digest(raw.value or b"")
    if isinstance(said, Received):
        envelope = said.envelope
        id = f"{envelope.source} {envelope.id}"
        return Item(id, said.event, body, _cause(envelope), raw, source=envelope.source, time=envelope.time)
    place = f"{topic.name}/{raw.partition}/{raw.offset}/{raw.timestamp}"
    return Item(f"record {place}/{body.hex()}", heard(said), body, Cause(place), raw)


def _cause(envelope: Envelope) -> Cause:
    return Cause(envelope.correlation_id or envelope.id, envelope.id, envelope.traceparent)


@dataclass(slots=True)
class Intake(ConsumerRebalanceListener):
    """Keeps one batch ahead of the transaction, and commits offsets behind it."""

    service: Service
    broker: KafkaBroker
    prefix: str
    submit: Submit
    metrics: Metrics
    batch_records: int
    topics: Mapping[str, Topic] = field(init=False)
    progress: int = 0
    _subscriber: BatchSubscriber = field(init=False)
    _ahead: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    _settled: Offsets = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set["asyncio.Future[None]"] = field(default_factory=set)
    _broken: Any = None
    _unopened: Unopened = field(default_factory=Unopened)

    def __post_init__(self) -> None:
        self.topics = {self.prefix + topic.name: topic for topic in self.service.topics}
        subscriber = self.broker.subscriber(
            *self.topics,
            batch=True,
            group_id=f"{self.prefix}viceversa.{self.service.name}",
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_records=self.batch_records,
            # both end with the first record; until then each is a question less
            batch_timeout_ms=500,
            fetch_max_wait_ms=500,
            # it hears of a rebalance by its heartbeat's answer; all of the group stand still until each has
            heartbeat_interval_ms=1_000,
            # a dead member's partitions wait this long; a living one may need longer to finish its batch
            session_timeout_ms=6_000,
            rebalance_timeout_ms=10_000,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            listener=self,
            parser=self._untouched,
            decoder=_raw,
        )

        @subscriber
        async def take(records: Any) -> None:
            await self.take(records)

        self._subscriber = subscriber
        subscriber.get_msg = self._fetched  # type: ignore[method-assign]  # FastStream asks its subscriber and no other

    @property
    def _consumer(self) -> Any:
        return self._subscriber.consumer

    async def _untouched(self, records: tuple[ConsumerRecord[Any, Any], ...]) -> KafkaMessage:
        """FastStream's own parser raises on header values that are null or not UTF-8, and the batch would be lost."""
        return KafkaMessage(body=b"", raw_message=records, consumer=self._consumer)

    async def _fetched(self, consumer: Any) -> tuple[ConsumerRecord[Any, Any], ...]:
        """The next records; none from a consumer that has raised.

        It may have had records of other partitions in hand and lost them, with its positions behind them: who went on
        with it would commit what nobody took.
        """
        if self._broken is not consumer:
            try:
                self._subscriber.max_records = 1 if self._unopened.careful else self.batch_records
                records = await BatchSubscriber.get_msg(self._subscriber, consumer)
                self._unopened.forget(records)
                return records
            except ConsumerStoppedError:
                raise
            except Exception as error:
                self._broken = consumer
                where = self._unopened.note(consumer, error)
                log.error("the Kafka client can't open what it fetched", error=type(error).__name__, where=where)
        await asyncio.sleep(_DEAF_SECONDS)
        return ()

    async def take(self, records: tuple[ConsumerRecord[Any, Any], ...]) -> None:
        """Decode a batch while the former one is being settled."""
        await self._ahead.acquire()
        try:
            done = self.submit(await self._decoded(records))
        except BaseException:
            self._ahead.release()
            raise
        offsets = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        self._open.add(done)
        done.add_done_callback(lambda future: self._after(future, offsets))

    async def _decoded(self, records: Sequence[ConsumerRecord[Any, Any]]) -> list[Item]:
        items = []
        for start in range(0, len(records), _SLICE):
            items += [decoded(record, self.topics[record.topic]) for record in records[start : start + _SLICE]]
            await asyncio.sleep(0)
        return items

    def _after(self, done: "asyncio.Future[None]", offsets: Offsets) -> None:
        self._open.discard(done)
        self._ahead.release()
        self.progress += 1
        if not done.cancelled() and done.exception() is None:
            self._settled.update(offsets)
            self._wake.set()

    async def commit_offsets(self) -> None:
        """Commit what is settled, for ever. A refused commit is harmless: the inbox knows what took effect."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._commit()

    async def _commit(self) -> None:
        offsets, self._settled = self._settled, {}
        consumer = self._consumer
        if consumer is None:
            return
        mine = {place: offset for place, offset in offsets.items() if place in consumer.assignment()}
        if not mine:
            return
        try:
            await asyncio.wait_for(consumer.commit(mine), _DRAIN_SECONDS)
        except Exception as error:  # uvloop's for a connection that has just been cut is none of Kafka's
            self.metrics.commit_failures.inc()
            log.warning("offsets were not committed; the inbox covers the repeat", error=type(error).__name__)

    async def drain(self) -> None:
        """Wait, within a bound, until what was taken is settled and committed."""
        if self._open:
            await asyncio.wait(set(self._open), timeout=_DRAIN_SECONDS)
        await asyncio.sleep(0)
        await self._commit()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self.drain()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        log.info("partitions assigned", count=len(assigned))
        for place in assigned:
            if self._unopened.given_up(place):
                log.error("a partition stands still: its next record can't be opened", place=place)
                self._consumer.pause(place)

    def pause(self) -> None:
        """Fetch no more; what was taken goes on."""
        if consumer := self._consumer:
            consumer.pause(*consumer.assignment())

    def died(self) -> bool:
        """Whether a part of the client has ended by itself. The rest goes on as if nothing was there to fetch.

        aiokafka's fetcher ends on any error but its own, such as that of uvloop for a write to a connection which has
        just been cut.
        """
        consumer = self._consumer
        if consumer is None:
            return False
        if self._broken is consumer:
            return True
        return bool(consumer._fetcher._fetch_task.done() or consumer._coordinator._coordination_task.done())

    async def abandon(self) -> None:
        """Let go of a consumer that died: it leaves its group as far as it still can."""
        consumer, self._subscriber.consumer = self._consumer, None
        # what it died of is raised again here
        for ending in (consumer.stop, consumer._client.close):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(ending(), _DRAIN_SECONDS)

    def connected(self) -> bool:
        """Whether a broker connection is open, without asking anybody."""
        consumer = self._consumer
        return consumer is not None and any(c.connected() for c in consumer._client._conns.values())

    def assigned(self) -> bool:
        consumer = self._consumer
        return consumer is not None and bool(consumer.assignment())

    def lag(self) -> int:
        """Records that this process has yet to take, where it can take any; also sets the metric for each partition."""
        consumer, total = self._consumer, 0
        self.metrics.lag.clear()  # a partition that went to another process has its figure there
        if consumer is None:
            return 0
        paused = consumer.paused()
        for place in consumer.assignment():
            end, state = consumer.last_stable_offset(place), consumer._subscription.subscription
            position = state.assignment.state_value(place)._position if state and state.assignment else None
            behind = max(0, (end or 0) - (position or 0)) if end is not None and position is not None else 0
            self.metrics.lag.labels(self.topics[place.topic].name, place.partition).set(behind)
            total += 0 if place in paused else behind
        return total


async def _raw(message: KafkaMessage) -> Any:
    return message.raw_message
