"""The inbox: which messages already took effect, and what a command was answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from libs.chassis.items import Item
from libs.chassis.mongo import Indexes, Transaction
from libs.chassis.words import Answer, Command

INBOX = "inbox"
# Topics are kept 30 days and replayed after outages; on compacted topics the revision is the lasting guard.
KEPT = timedelta(days=120)
INDEXES: Indexes = [(("at",), {"expireAfterSeconds": int(KEPT.total_seconds())}), (("about",), {"sparse": True})]


@dataclass(slots=True)
class Inbox:
    """The inbox as this transaction's snapshot shows it, and what the batch adds."""

    _seen: dict[str, dict[str, Any]]
    new: list[dict[str, Any]]

    def seen(self, item: Item) -> dict[str, Any] | None:
        return self._seen.get(item.id)

    def same_body(self, item: Item) -> bool:
        return bool(self._seen[item.id]["digest"] == item.digest)

    def answer(self, item: Item) -> Answer | None:
        stored = self._seen[item.id].get("answer")
        return Answer(**stored) if stored else None

    def certain(self, items: Sequence[Item], now: datetime) -> list[dict[str, Any]]:
        """The rows of those messages whose row does not depend on what their handler answers."""
        rows: dict[str, dict[str, Any]] = {}
        for item in items:
            if item.answer is None and item.claim is None:
                rows.setdefault(item.id, _row(item, now))
        return list(rows.values())

    def add(self, item: Item, now: datetime, answer: Answer | None) -> None:
        """The message took effect; from now on the batch has seen it."""
        row = self._seen[item.id] = _row(item, now)
        if answer:
            row["answer"] = {"body": answer.body, "status": answer.status, "headers": answer.headers}
            if isinstance(item.message, Command) and item.message.about:
                row["about"] = item.message.about
        if item.answer:
            self.new.append(row)


def _row(item: Item, now: datetime) -> dict[str, Any]:
    return {"_id": item.id, "digest": item.digest, "at": now}


async def look_up(transaction: Transaction, items: Sequence[Item]) -> Inbox:
    """Reads inside the transaction: outside, two owners of one partition could both find nothing."""
    rows = await transaction.find(INBOX, {"_id": {"$in": [item.id for item in items]}})
    return Inbox({row["_id"]: row for row in rows}, [])
