"""Says profiles on the topic, as the HR system that they come from."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID, uuid5

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from libs.contracts.envelope import describe, encode, headers
from libs.contracts.events import ParticipantEnrolled
from libs.ops.failures import Unreachable

_IDS = UUID("6a0f3f0e-5d0c-5bb0-9a36-6f3c9b1b8f44")
_GIVE_UP_AFTER_MS = 60_000


class Speaker:
    """Its event ids follow from source and content, so a profile that is said twice is one event."""

    def __init__(self, bootstrap: str, topic: str, source: str, now: datetime) -> None:
        self._topic, self._source, self._now = topic, source, now
        self.failed = 0
        self.why = ""
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                # the services' producers place keys like this; another way would spread a key over two partitions
                "partitioner": "murmur2_random",
                "message.max.bytes": 2 * 1024 * 1024,
                "message.timeout.ms": _GIVE_UP_AFTER_MS,
                "linger.ms": 20,
            }
        )

    def say(self, event: ParticipantEnrolled) -> None:
        value = encode(event)
        envelope = describe(event, id=event_id(self._source, event, value), source=self._source, time=self._now)
        while True:
            try:
                self._producer.produce(
                    self._topic, value, event.key, headers=[*headers(envelope)], on_delivery=self._delivered
                )
            except BufferError:
                self._producer.poll(0.5)
            except KafkaException as error:
                raise Unreachable(f"Kafka refused a profile: {error.args[0]}", "run it again") from error
            else:
                self._producer.poll(0)
                return

    def finish(self) -> None:
        """Wait until all is acknowledged. Raises Unreachable; what arrived is found again by the next run."""
        waiting = self._producer.flush(_GIVE_UP_AFTER_MS / 1000 + 5)
        if waiting or self.failed:
            raise Unreachable(
                f"{waiting + self.failed} profiles did not reach Kafka {self.why}".strip(), "run it again"
            )

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error:
            self.failed += 1
            self.why = f"({error.str()})"


def event_id(source: str, event: ParticipantEnrolled, value: bytes) -> str:
    """The revision is part of the content: a profile that is changed and changed back is a new event."""
    return str(uuid5(_IDS, f"{source}\n{event.key}\n{value.decode()}"))


@contextmanager
def speaking(bootstrap: str, topic: str, source: str, now: datetime) -> Iterator[Speaker]:
    """A speaker that has finished when the block ends, also when the block fails."""
    speaker = Speaker(bootstrap, topic, source, now)
    try:
        yield speaker
    finally:
        speaker.finish()
