"""Every metric of a service, in one place. No label ever holds a person's data."""

from collections import Counter as Counts
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from libs.chassis.items import Item

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
# An observation costs as much as decoding a small event, so of a large batch only some are taken.
_SAMPLES = 20
_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500)


class Metrics:
    """The metrics of one process."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        plain: Any = {"registry": self.registry, "namespace": "viceversa"}
        self.batch_size = Histogram("batch_size", "Messages in one transaction", buckets=_SIZES, **plain)
        self.transaction_seconds = Histogram("transaction_seconds", "One attempt", buckets=_SECONDS, **plain)
        self.handled = Counter("handled", "Messages settled: handled, parked or known before", ["message"], **plain)
        self.duplicates = Counter("duplicates", "Messages that had taken effect before", **plain)
        self.retries = Counter("retries", "Transactions tried again", ["why"], **plain)
        self.dead_letters = Counter("dead_letters", "Messages parked", ["reason"], **plain)
        self.end_to_end_seconds = Histogram(
            "end_to_end_seconds",
            "From ce_time to the end of the transaction, a sample of each batch",
            ["topic"],
            buckets=_SECONDS,
            **plain,
        )
        self.commit_failures = Counter("offset_commit_failures", "Offset commits refused by Kafka", **plain)
        self.lag = Gauge("consumer_lag", "Records not yet handed over", ["topic", "partition"], **plain)
        self.outbox_pages = Gauge("outbox_pages", "Pages that wait for the relay", **plain)
        self.outbox_age_seconds = Gauge("outbox_oldest_age_seconds", "Age of the oldest page", **plain)
        self.published = Counter("relay_records", "Records published in committed transactions", **plain)
        self.relay_restarts = Counter("relay_restarts", "Producers thrown away after an exception", **plain)
        self.relay_reigns = Gauge("relay_reigns", "1 where this process publishes", **plain)
        self.relay_position_lost = Gauge(
            "relay_position_lost", "1 after Kafka had no position while the outbox was not empty", **plain
        )
        self.due_tries = Counter("due_preparation_failures", "Preparations of due work that failed", **plain)
        Gauge("service_info", "Which service this is", ["service"], **plain).labels(service).set(1)

    def count(self, items: Sequence[Item], parked: Sequence[str], duplicates: int) -> None:
        """Count one committed transaction."""
        self.batch_size.observe(len(items))
        self.duplicates.inc(duplicates)
        for reason in parked:
            self.dead_letters.labels(reason).inc()
        for name, number in Counts(type(item.message).__name__ for item in items).items():
            self.handled.labels(name).inc(number)
        now = datetime.now(UTC)
        for item in items[:: 1 + len(items) // _SAMPLES]:
            if item.raw and item.time:
                self.end_to_end_seconds.labels(item.raw.topic).observe(max(0.0, (now - item.time).total_seconds()))
