"""How much flows: records of each topic, how fast they come, and how far behind the services' groups are."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # public, only not marked so

from libs.contracts.topics import RELAY_TOPIC
from libs.ops.failures import Unreachable
from libs.ops.hears import HEARS
from libs.ops.topics import desired

PATIENCE = 10
_Place = tuple[str, int]
_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # its type is not told
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its type is not told


@dataclass(frozen=True, slots=True)
class Flow:
    """A topic. `records` counts offsets, so it includes transaction markers and what compaction took away."""

    topic: str
    records: int
    rate: float | None
    """Offsets per second since the look before."""
    lag: Mapping[str, int]
    """By service, of those that hear the topic."""

    def row(self) -> dict[str, object]:
        """As a listing shows it."""
        rate = None if self.rate is None else round(self.rate, 1)
        return {"topic": self.topic, "records": self.records, "rate": rate, **self.lag}


class Flows:
    """Looks at one cluster again and again."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._bootstrap, self._prefix = bootstrap, prefix
        self._before: tuple[float, dict[str, int]] | None = None

    def look(self) -> list[Flow]:
        """The contracts' topics, and the dead-letter topics that hold something. Raises Unreachable."""
        try:
            places = list(self._places())
            first, last = self._offsets(places, _EARLIEST), self._offsets(places, _LATEST)
            lags = {service: self._lags(service, first, last) for service in HEARS}
        except KafkaException as error:
            raise Unreachable(f"Kafka at {self._bootstrap}: {error.args[0]}", "is it running?") from error
        records: dict[str, int] = {}
        for place in places:
            records[place[0]] = records.get(place[0], 0) + last[place] - first[place]
        ends = {topic: sum(last[place] for place in places if place[0] == topic) for topic in records}
        rates = self._rates(ends)
        return [
            Flow(
                topic.removeprefix(self._prefix),
                count,
                rates.get(topic),
                {service: lag[topic] for service, lag in lags.items() if topic in lag},
            )
            for topic, count in sorted(records.items())
            if count or not topic.endswith(".dlq")
        ]

    def _places(self) -> Iterator[_Place]:
        present = self._admin.list_topics(timeout=PATIENCE).topics
        for spec in desired(self._prefix, HEARS, 1):
            if spec.name in present and spec.name != self._prefix + RELAY_TOPIC:
                yield from ((spec.name, partition) for partition in present[spec.name].partitions)

    def _offsets(self, places: Iterable[_Place], spec: OffsetSpec) -> dict[_Place, int]:
        asked = {TopicPartition(*place): spec for place in places}
        if not asked:
            return {}
        answers = self._admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=PATIENCE
        )
        return {(each.topic, each.partition): answer.result(PATIENCE).offset for each, answer in answers.items()}

    def _lags(self, service: str, first: Mapping[_Place, int], last: Mapping[_Place, int]) -> dict[str, int]:
        heard = {self._prefix + name for name in HEARS[service]}
        places = [place for place in last if place[0] in heard]
        if not places:
            return {}
        group = f"{self._prefix}viceversa.{service}"
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(*place) for place in places])
        [answer] = self._admin.list_consumer_group_offsets([asked], request_timeout=PATIENCE).values()
        lag: dict[str, int] = {}
        for each in answer.result(PATIENCE).topic_partitions:
            place = (each.topic, each.partition)
            position = each.offset if each.offset >= 0 else first[place]
            lag[each.topic] = lag.get(each.topic, 0) + max(0, last[place] - position)
        return lag

    def _rates(self, ends: dict[str, int]) -> dict[str, float]:
        now, before = time.monotonic(), self._before
        self._before = (now, ends)
        if before is None or now <= before[0]:
            return {}
        return {topic: (end - before[1].get(topic, 0)) / (now - before[0]) for topic, end in ends.items()}
