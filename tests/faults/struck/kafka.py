"""Kafka as a struck process meets it: the relay's producer and admin client, and the consumer below FastStream."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from tests.faults.struck.points import Fate, Point


def producer_of(fate: Fate) -> type[AIOKafkaProducer]:
    class Struck(AIOKafkaProducer):  # type: ignore[misc]  # the client has no types
        async def start(self) -> None:
            fate.meets(Point.RELAY_TO_START)
            await super().start()
            fate.published = False
            fate.meets(Point.RELAY_STARTED)

        async def begin_transaction(self) -> None:
            fate.meets(Point.RELAY_PAGES_READ)
            fate.published = True
            await super().begin_transaction()
            fate.meets(Point.RELAY_BEGUN)

        async def send(self, *what: Any, **how: Any) -> Any:
            sent = await super().send(*what, **how)
            fate.meets(Point.RELAY_ONE_SENT)
            return sent

        async def send_offsets_to_transaction(self, offsets: Any, group_id: str) -> None:
            fate.meets(Point.RELAY_ALL_SENT)
            await super().send_offsets_to_transaction(offsets, group_id)
            fate.meets(Point.RELAY_POSITION_SENT)

        async def commit_transaction(self) -> None:
            await fate.unanswered(Point.RELAY_IN_COMMIT, super().commit_transaction())
            fate.meets(Point.RELAY_COMMITTED)

    return Struck


def admin_of(fate: Fate) -> type[AIOKafkaAdminClient]:
    class Struck(AIOKafkaAdminClient):  # type: ignore[misc]  # the client has no types
        async def list_consumer_group_offsets(self, *what: Any, **how: Any) -> Any:
            found = await super().list_consumer_group_offsets(*what, **how)
            fate.meets(Point.RELAY_POSITION_READ)
            return found

    return Struck


def consumer_of(fate: Fate) -> type[AIOKafkaConsumer]:
    class Struck(AIOKafkaConsumer):  # type: ignore[misc]  # the client has no types
        async def commit(self, offsets: Any = None) -> None:
            fate.meets(Point.TO_COMMIT_OFFSETS)
            await super().commit(offsets)
            fate.meets(Point.OFFSETS_COMMITTED)

    return Struck
