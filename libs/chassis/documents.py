"""Documents: the state of a service, one dataclass a collection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import TypeAdapter

D = TypeVar("D", bound="Document")


@dataclass(slots=True, kw_only=True)
class Document:
    """An aggregate. Every field but `id` has a default, so that an absent document can be read as a blank one.

    `version` guards concurrent writes; 0 means not yet stored. `said` counts the facts that this document has said
    and gives each its `ce_sequence`.
    """

    collection: ClassVar[str]
    indexes: ClassVar[Sequence[Sequence[str]]] = ()

    id: str
    version: int = 0
    said: int = 0

    @classmethod
    def by_id(cls, id: str) -> "Read[Self]":
        """Declare that the document of this id is read for a decision."""
        return Read(cls, "id", id)

    @classmethod
    def where(cls, field: str, value: str) -> "Read[Self]":
        """Declare that all documents with this value in an indexed field are read for a decision."""
        return Read(cls, field, value)


@dataclass(slots=True)
class Read(Generic[D]):
    """A declared read; `peeked` documents are reference data: not guarded and never written."""

    kind: type[D]
    field: str
    value: str
    peeked: bool = False


def peek(read: Read[D]) -> Read[D]:
    """Declare reference data that may be a moment old and is not changed."""
    return Read(read.kind, read.field, read.value, peeked=True)


_ADAPTERS: dict[type[Document], TypeAdapter[Any]] = {}


def _adapter(kind: type[Document]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def to_row(document: Document) -> dict[str, Any]:
    """The MongoDB row of a document."""
    row: dict[str, Any] = _adapter(type(document)).serializer.to_python(document)
    return {"_id": row.pop("id"), **row}


def from_row(kind: type[D], row: Mapping[str, Any]) -> D:
    """The document of a MongoDB row; fields that this version does not know are dropped."""
    document: D = _adapter(kind).validator.validate_python({"id": row["_id"], **row})
    return document
