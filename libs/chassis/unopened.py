"""What the Kafka client can't open: damaged bytes, or a header's name that is no UTF-8. It holds up its partition."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError

# What was only damaged on its way opens the next time.
_TRIES = 3


@dataclass(slots=True)
class Unopened:
    """The offset at which each partition raised last, and how often there."""

    _found: dict[TopicPartition, tuple[int, int]] = field(default_factory=dict)

    @property
    def careful(self) -> bool:
        """Whether to fetch record by record, so that what stands before the damage is not lost with it."""
        return any(tries < _TRIES for _, tries in self._found.values())

    def given_up(self, place: TopicPartition) -> bool:
        return place in self._found and self._found[place][1] >= _TRIES

    def note(self, consumer: Any, error: Exception) -> tuple[str, int, int] | None:
        """Topic, partition and offset that raised: aiokafka keeps in front what it reads. What a broker refuses is no
        record's fault."""
        kept = consumer._fetcher._records
        if not kept or (isinstance(error, KafkaError) and not isinstance(error, CorruptRecordException)):
            return None
        place, result = next(iter(kept.items()))
        offset = result._partition_records.next_fetch_offset
        before, tries = self._found.get(place, (offset, 0))
        self._found[place] = offset, tries + 1 if before == offset else 1
        return place.topic, place.partition, offset

    def forget(self, records: Iterable[ConsumerRecord[Any, Any]]) -> None:
        """What could be opened after all."""
        if not self.careful:
            return
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            if place in self._found and record.offset >= self._found[place][0]:
                del self._found[place]
