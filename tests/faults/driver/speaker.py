"""Says what another system says, and counts what the broker has taken of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from confluent_kafka import KafkaError, Message, Producer

from tests.faults.checker.told import Poison, Said, Told
from tests.faults.driver.orders import Say


class Speaker:
    """Another system: writes records and counts which of them the broker has."""

    def __init__(self, kafka: str, prefix: str, told: Told) -> None:
        settings = {"enable.idempotence": True, "message.timeout.ms": 0, "partitioner": "murmur2_random"}
        self._producer = Producer({"bootstrap.servers": kafka, "linger.ms": 5, "log_level": 0, **settings})
        self._prefix, self._told = prefix, told
        self._times: Counter[Said] = Counter()
        self._lock = Lock()

    def say(self, order: Say) -> None:
        topic, value = self._prefix + order.topic, order.value
        heard = self._heard(order)
        self._producer.produce(topic, value, order.key, headers=list(order.headers), on_delivery=heard)
        self._producer.poll(0)

    def poll(self) -> None:
        """Hear from the broker what it has taken."""
        self._producer.poll(0)

    def finish(self, within: float) -> int:
        """Records that the broker has not taken within this time."""
        left = self._producer.flush(within)
        self._told.said[:] = [replace(said, times=times) for said, times in self._times.items()]
        return left

    def _heard(self, order: Say) -> Callable[[KafkaError | None, Message], None]:
        def heard(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                raise RuntimeError(f"the broker never took {order.topic} {order.id}: {error}")
            with self._lock:
                self._count(order, message)

        return heard

    def _count(self, order: Say, message: Message) -> None:
        if order.poison:
            poison = Poison(order.topic, message.partition(), message.offset(), order.id, reason=order.poison)
            self._told.poison.append(poison)
        elif order.id:
            self._times[Said(order.source, order.id, order.topic, order.key)] += 1
