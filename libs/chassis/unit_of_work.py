"""The unit of work: the documents of one batch, loaded with one query per stage and collection, written once."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from libs.chassis.documents import Document, Read, from_row, to_row
from libs.chassis.errors import Misuse
from libs.chassis.mongo import Row
from libs.chassis.state import Kind, State
from libs.chassis.words import Answer, Handler, Later, Refused
from libs.contracts.events import Event

# So many documents are made into rows while the database takes in the ones before.
_AT_ONCE = 250

Find = Callable[[str, Mapping[str, Any]], Awaitable[list[Row]]]
_T = TypeVar("_T")


@dataclass(slots=True)
class Said:
    """A fact with the number that its document gave it."""

    event: Event
    sequence: int


@dataclass(slots=True)
class Outcome:
    """What one handler said."""

    facts: list[Said] = field(default_factory=list)
    later: list[Later] = field(default_factory=list)
    answer: Answer | None = None
    refused: Refused | None = None


class UnitOfWork:
    """Later messages in the batch see what earlier ones wrote."""

    def __init__(self, find: Find, says: Mapping[type[Event], Kind]) -> None:
        self._find = find
        self._says = says
        self._documents: dict[Kind, dict[str, Document]] = defaultdict(dict)
        self._sets: set[tuple[Kind, str, str]] = set()
        self._decided: dict[tuple[Kind, str], Document] = {}
        self._ready: dict[int, State] = {}
        self._before: dict[tuple[Kind, str], tuple[Document, bool]] | None = None

    async def prefetch(self, work: Sequence[tuple[Handler[Any], Any, State]]) -> None:
        """Load for the whole batch, stage by stage; what a later stage finds changed is loaded when its turn comes."""
        failed: set[int] = set()
        for depth in range(max((handler.depth for handler, _, _ in work), default=0)):
            gathered = [_gathered(handler, depth, message, state, failed) for handler, message, state in work]
            try:
                await self._load(gathered)
            except ValidationError:
                return  # a stored document can't be read: it fails when the message that needs it has its turn
            for (_, _, state), reads in zip(work, gathered, strict=True):
                self._declare(state, reads)
        self._ready = {id(message): state for _, message, state in work if id(message) not in failed}

    async def run(self, handler: Handler[Any], message: Any, now: datetime, state: State) -> Outcome:
        """Hand one message to its handler, with a state that nothing is declared in yet. A refused message leaves no
        trace."""
        if self._before is not None:
            self.remember()  # what the former message found is no longer to be put back, even if this one fails at once
        state = await self._declared(handler, message, state)
        if self._before is not None:
            self._before = {key: (deepcopy(found), key in self._decided) for key, found in state.decided.items()}
        outcome = Outcome()
        for word in handler(message, state, now):
            match word:
                case Event():
                    outcome.facts.append(self._speak(word, state))
                case Later():
                    outcome.later.append(word)
                case Answer():
                    outcome.answer = word
                case Refused():
                    outcome.refused = word
        if outcome.refused and (outcome.facts or outcome.later):
            raise Misuse("a refused message says nothing")
        if not outcome.refused:
            self._decided.update(state.decided)
        return outcome

    def remember(self) -> None:
        """From now on keep what a message finds, so that it can be undone."""
        self._before = {}

    def undo(self) -> None:
        """Put back what the last message found."""
        for (kind, id), (document, decided) in (self._before or {}).items():
            self._documents[kind][id] = document
            self._decided.pop((kind, id), None)
            if decided:
                self._decided[kind, id] = document
        self._before = {}

    def add(self, document: Document) -> None:
        """A new document that nothing was decided on."""
        self._decided[type(document), document.id] = document

    async def stored(self, documents: Sequence[Document]) -> set[str]:
        """The ids of those of which one of this kind and id is stored."""
        await self._load([[Read(type(document), "id", document.id) for document in documents]])
        return {document.id for document in documents if self._documents[type(document)][document.id].version > 0}

    def writes(self) -> Iterator[tuple[str, list[Row], list[tuple[Row, Row]]]]:
        """Collection, new rows, and (guard, row) of the others, a handful at a time. What was read for a decision is
        always written: only a version that moves makes two transactions that decided on each other's document
        collide."""
        by_collection: dict[str, list[Document]] = defaultdict(list)
        for (kind, _), document in self._decided.items():
            by_collection[kind.collection].append(document)
        for collection, documents in by_collection.items():
            for start in range(0, len(documents), _AT_ONCE):
                yield collection, *_rows(documents[start : start + _AT_ONCE])

    async def _declared(self, handler: Handler[Any], message: Any, state: State) -> State:
        """What was prefetched, where its reads can't have become others meanwhile."""
        ready = self._ready.get(id(message)) if self._before is None else None
        if ready and ready.of_ids and (handler.depth == 1 or ready.knows_none_of(self._decided)):
            return ready
        for depth in range(handler.depth):
            reads = list(handler.stage(depth, message, state))
            await self._load([reads])
            self._declare(state, reads)
        return state

    def _speak(self, event: Event, state: State) -> Said:
        kind = self._says.get(type(event))
        if kind is None:
            raise Misuse(f"the service's table does not say {type(event).__name__}")
        key = (kind, event.key)
        if key in state.peeked:
            raise Misuse(f"{type(event).__name__} is said by a document that was only peeked at")
        document = state[key]
        document.said += 1
        return Said(event, document.said)

    def _declare(self, state: State, reads: Iterable[Read[Any]]) -> None:
        for read in reads:
            state.declare(read, self._known(read))

    def _known(self, read: Read[Any]) -> list[Document]:
        documents = self._documents[read.kind]
        if read.field == "id":
            return [documents[read.value]]
        return sorted((d for d in documents.values() if getattr(d, read.field) == read.value), key=lambda d: d.id)

    async def _load(self, gathered: Iterable[Iterable[Read[Any]]]) -> None:
        missing: dict[tuple[Kind, str], dict[str, None]] = {}
        for reads in gathered:
            for read in reads:
                if not self._has(read):
                    missing.setdefault((read.kind, read.field), {})[read.value] = None
        for (kind, name), values in missing.items():
            await self._fetch(kind, name, list(values))

    def _has(self, read: Read[Any]) -> bool:
        if read.field == "id":
            return read.value in self._documents[read.kind]
        return (read.kind, read.field, read.value) in self._sets

    async def _fetch(self, kind: Kind, name: str, values: list[str]) -> None:
        documents = self._documents[kind]
        for row in await self._find(kind.collection, {"_id" if name == "id" else name: {"$in": values}}):
            documents.setdefault(row["_id"], from_row(kind, row))
        if name != "id":
            self._sets.update((kind, name, value) for value in values)
            return
        for value in values:
            if value not in documents:
                documents[value] = kind(id=value)


def _rows(documents: Iterable[Document]) -> tuple[list[Row], list[tuple[Row, Row]]]:
    new: list[Row] = []
    changed: list[tuple[Row, Row]] = []
    for document in documents:
        row = to_row(document)
        row["version"] = document.version + 1
        if document.version == 0:
            new.append(row)
        else:
            changed.append(({"_id": document.id, "version": document.version}, row))
    return new, changed


def _gathered(handler: Handler[Any], depth: int, message: Any, state: State, failed: set[int]) -> Iterable[Read[Any]]:
    """A stage that fails here fails again, and is sorted, when its message is handled."""
    try:
        return list(handler.stage(depth, message, state))
    except Exception:
        failed.add(id(message))
        return ()
