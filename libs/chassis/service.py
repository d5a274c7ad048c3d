"""A service as a table: what it keeps, hears, obeys, wakes for and says."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter

from libs.chassis.documents import Document
from libs.chassis.mongo import Database
from libs.chassis.words import Command, Erased, Handler, Work
from libs.contracts.events import Event
from libs.contracts.topics import Topic, topic_of

Prepare = Callable[[Any, Database], Awaitable[Work]]
"""What must happen outside the transaction before due work is handled (a solver, a mail): may raise Transient."""


class MistakeInTheTable(Exception):
    """The service's table contradicts itself or the contracts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The table of contents of a service (see docs/architecture.md)."""

    name: str
    keeps: Sequence[type[Document]]
    hears: Mapping[type[Event], Handler[Any]] = field(default_factory=dict)
    erases: Mapping[type[Event], Handler[Any]] = field(default_factory=dict)
    obeys: Mapping[type[Command], Handler[Any]] = field(default_factory=dict)
    wakes: Mapping[type[Work], Handler[Any]] = field(default_factory=dict)
    prepares: Mapping[type[Work], Prepare] = field(default_factory=dict)
    says: Mapping[type[Document], Iterable[type[Event]]] = field(default_factory=dict)
    http: Sequence[APIRouter] = ()
    open_http: Sequence[APIRouter] = ()
    """Routes without a bearer token, for callers that cannot send one: each has a secret of its own in its address."""
    _handlers: Mapping[type, Handler[Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for kind in self.says:
            if kind not in self.keeps:
                raise MistakeInTheTable(f"{self.name} lets {kind.__name__} speak but does not keep it")
        for event in self.erases:
            if not topic_of(event).compacted:
                raise MistakeInTheTable(f"{self.name} erases {event.__name__}, whose topic is not compacted")
        for work in self.prepares:
            if work not in self.wakes:
                raise MistakeInTheTable(f"{self.name} prepares {work.__name__} but never wakes for it")
        object.__setattr__(self, "_handlers", {**self.hears, **self.obeys, **self.wakes})

    @property
    def source(self) -> str:
        return f"/viceversa/{self.name}"

    @property
    def topics(self) -> list[Topic]:
        """The topics that the service hears, in the order of its table."""
        return [topic_of(event) for event in dict.fromkeys([*self.hears, *self.erases])]

    @property
    def speakers(self) -> dict[type[Event], type[Document]]:
        return {event: kind for kind, events in self.says.items() for event in events}

    def handler_of(self, message: object) -> Handler[Any] | None:
        """The handler of a message; None where the table has none (a tombstone that concerns nobody here)."""
        return self.erases.get(message.event) if isinstance(message, Erased) else self._handlers.get(type(message))
