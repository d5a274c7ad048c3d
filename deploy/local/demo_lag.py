"""How many records of each topic a service has still before it."""

from collections import defaultdict
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition

from libs.ops.hears import HEARS

PATIENCE = 10
Lag = dict[str, int]
"""By service, of those that hear the topic."""


class Lags:
    """Counts to the last record: behind it stands the marker of its transaction, which no service ever handles.

    Asks as a member of the service's group would, without joining it: the admin client's requests to a coordinator
    abort the process when their answer comes late (librdkafka's pull request 5397).
    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        settings = {"bootstrap.servers": bootstrap, "enable.auto.commit": False, "log_level": 0}
        self._prefix = prefix
        self._groups = {
            service: Consumer({**settings, "group.id": f"{prefix}viceversa.{service}"}) for service in HEARS
        }

    def look(self, ends: Mapping[tuple[str, int], int]) -> dict[str, Lag]:
        """`ends` gives the place after the last record of each partition; those without records are left out."""
        lags: defaultdict[str, Lag] = defaultdict(dict)
        for service in HEARS:
            for place, position in self._positions(service, ends).items():
                behind = max(0, ends[place] - max(0, position))
                lags[place[0]][service] = lags[place[0]].get(service, 0) + behind
        return lags

    def _positions(self, service: str, ends: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        heard = set(HEARS[service])
        places = [TopicPartition(self._prefix + topic, number) for topic, number in ends if topic in heard]
        if not places:
            return {}
        found = self._groups[service].committed(places, timeout=PATIENCE)
        return {(each.topic.removeprefix(self._prefix), each.partition): each.offset for each in found}
