"""What the chassis is measured against: a bare consumer loop without any guarantee, and the usual way."""

import sys
from datetime import UTC, datetime
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from uuid_utils import uuid7

from libs.chassis.documents import to_row
from libs.chassis.mongo import CODEC
from libs.chassis.settings import Settings
from libs.contracts.envelope import Received, describe, encode, headers, read
from libs.contracts.events import ParticipantEnrolled
from libs.contracts.topics import TOPICS

from .minimal import Profile, withdrawal

TOPIC = TOPICS["participant-enrolled"]


def _said(record: ConsumerRecord[Any, Any]) -> Received:
    said = read(TOPIC, record.key, record.value, record.headers)
    assert isinstance(said, Received)
    return said


def _row(said: Received) -> dict[str, Any]:
    return to_row(Profile(id=said.event.key, profile=said.event, times=1))  # type: ignore[arg-type]  # this topic's event


async def bare(settings: Settings) -> None:
    """(b) aiokafka, the same decoding, bulk inserts; offsets on a timer."""
    database = AsyncIOMotorClient[Any](settings.mongodb).get_database(
        f"{settings.database}_minimal", codec_options=CODEC
    )
    profiles = database["profiles"]
    consumer = AIOKafkaConsumer(
        settings.prefix + TOPIC.name,
        bootstrap_servers=settings.kafka,
        group_id=f"{settings.prefix}bare",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    while True:
        batches = await consumer.getmany(timeout_ms=100, max_records=settings.batch_records)
        rows = [_row(_said(record)) for records in batches.values() for record in records]
        if rows:
            await profiles.insert_many(rows, ordered=False)


def _fact(said: Received, sequence: int) -> dict[str, Any]:
    event, now = said.event, datetime.now(UTC)
    assert isinstance(event, ParticipantEnrolled)
    fact = withdrawal(event, now)
    envelope = describe(fact, id=str(uuid7()), source="/usual", time=now, sequence=sequence)
    return {"topic": fact.topic, "key": fact.key, "value": encode(fact), "headers": headers(envelope)}


async def usual(settings: Settings) -> None:
    """(c) a FastStream handler with one MongoDB transaction for each message: inbox, state read and written, outbox."""
    client = AsyncIOMotorClient[Any](settings.mongodb)
    database = client.get_database(f"{settings.database}_minimal", codec_options=CODEC)
    for name in ("profiles", "inbox", "outbox"):
        await database.create_collection(name)
    broker = KafkaBroker(settings.kafka, logger=None)

    @broker.subscriber(
        settings.prefix + TOPIC.name,
        group_id=f"{settings.prefix}usual",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        auto_offset_reset="earliest",
    )
    async def handle(body: Any, message: KafkaMessage) -> None:
        said = _said(message.raw_message)
        async with (
            await client.start_session() as session,
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority")),
        ):
            await database["inbox"].insert_one({"_id": said.envelope.id}, session=session)
            known = await database["profiles"].find_one({"_id": said.event.key}, session=session) or {"times": 0}
            row = _row(said) | {"times": known["times"] + 1}
            await database["profiles"].replace_one({"_id": said.event.key}, row, upsert=True, session=session)
            await database["outbox"].insert_one(_fact(said, row["times"]), session=session)

    await FastStream(broker).run()


if __name__ == "__main__":
    uvloop.run({"bare": bare, "usual": usual}[sys.argv[1]](Settings()))
