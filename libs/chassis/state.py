"""What one handler may see and change."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from libs.chassis.documents import D, Document, Read
from libs.chassis.errors import Misuse

Kind = type[Document]


class State:
    """What one handler may see: the documents that it declared, the source that speaks (`ce_source`) and the id of the
    event (`ce_id`) that led to the message."""

    __slots__ = ("_declared", "_sets", "event_id", "peeked", "source")

    def __init__(self, source: str = "", event_id: str = "") -> None:
        self.source = source
        self.event_id = event_id
        self._declared: dict[tuple[Kind, str], Document] = {}
        self._sets: dict[tuple[Kind, str, str], list[Document]] = {}
        self.peeked: set[tuple[Kind, str]] = set()

    def __getitem__(self, key: tuple[type[D], str]) -> D:
        """The document of this id; a blank one (version 0) where there is none."""
        try:
            return cast(D, self._declared[key])
        except KeyError:
            raise Misuse(f"this {key[0].__name__} is not declared in the handler's reads") from None

    def all(self, kind: type[D], field: str, value: str) -> list[D]:
        """All documents with this value in the field, in the order of their ids."""
        try:
            return cast(list[D], self._sets[kind, field, value])
        except KeyError:
            raise Misuse(f"{kind.__name__}.{field} is not declared in the handler's reads") from None

    @property
    def of_ids(self) -> bool:
        """Whether documents were declared, and all by their ids: then they are the same whenever they are read."""
        return bool(self._declared) and not self._sets

    def knows_none_of(self, documents: Mapping[tuple[Kind, str], Document]) -> bool:
        return self._declared.keys().isdisjoint(documents.keys())

    @property
    def decided(self) -> Mapping[tuple[Kind, str], Document]:
        if not self.peeked:
            return self._declared
        return {key: document for key, document in self._declared.items() if key not in self.peeked}

    def declare(self, read: Read[Any], documents: Sequence[Document]) -> None:
        if read.field != "id":
            self._sets[read.kind, read.field, read.value] = list(documents)
        for document in documents:
            key = (read.kind, document.id)
            if not read.peeked:
                self.peeked.discard(key)
            elif key not in self._declared:
                self.peeked.add(key)
            self._declared[key] = document
