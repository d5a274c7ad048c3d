"""The wording of handler tests: `given(documents).when(message, at=...)`. Pure: no server, no chassis loop."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from libs.chassis.documents import Document, from_row, to_row
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.unit_of_work import Outcome, UnitOfWork


@dataclass
class Given:
    """A world of stored documents that messages are handed to, one after the other."""

    service: Service
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def when(self, message: object, *, at: datetime | str, source: str = "/hr") -> Outcome:
        """Hand one message to its handler, store what it wrote, and give what it said."""
        handler = self.service.handler_of(message)
        assert handler is not None, f"{self.service.name} has no handler for {type(message).__name__}"
        now = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        work = UnitOfWork(self._find, self.service.speakers)
        outcome = asyncio.run(work.run(handler, message, now, State(source)))
        if outcome.refused:
            self._nothing_changed(work)
        for collection, new, changed in work.writes():
            for row in [*new, *(row for _, row in changed)]:
                self.rows.setdefault(collection, {})[row["_id"]] = row
        return outcome

    def document(self, kind: type[Document], id: str) -> Any:
        """The stored document; a blank one where there is none."""
        row = self.rows.get(kind.collection, {}).get(id)
        return from_row(kind, row) if row else kind(id=id)

    async def _find(self, collection: str, filter: Mapping[str, Any]) -> list[dict[str, Any]]:
        ((name, wanted),) = filter.items()
        return [dict(row) for row in self.rows.get(collection, {}).values() if row[name] in wanted["$in"]]

    def _nothing_changed(self, work: UnitOfWork) -> None:
        for kind, documents in work._documents.items():
            for id, document in documents.items():
                before = to_row(self.document(kind, id))
                assert to_row(document) == before, f"a refused message changed {kind.__name__} {id}"


def given(service: Service, *documents: Document) -> Given:
    world = Given(service)
    for document in documents:
        world.rows.setdefault(document.collection, {})[document.id] = to_row(document) | {"version": 1}
    return world
