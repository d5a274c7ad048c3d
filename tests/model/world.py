"""What the model remembers: MongoDB, Kafka, and what the processes hold in memory. Everything is a comparable tuple."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tests.model.sabotage import Sabotage


class Kind(StrEnum):
    """What an incoming record asks for."""

    PLAIN = "writes its own document"
    DECIDES = "reads both documents, and only one of the two may win"
    POISON = "becomes a dead letter"


class Input(NamedTuple):
    """A record of a partition, or a piece of due work. Each of its facts gets a page (tick, part) of its own."""

    key: int
    facts: tuple[str, ...]
    kind: Kind = Kind.PLAIN


LETTERS = 2
# The first letter of a fact tells what it was said about, and so where it stands.
TOPICS = {"x": 0, "y": 1, "d": 1, "p": LETTERS}
DUE = Input(1, ("d1",))


class Page(NamedTuple):
    tick: int
    part: int
    fact: str


class Document(NamedTuple):
    version: int
    said: tuple[str, ...]


class Base(NamedTuple):
    """A state of the database. Documents: the two keys', and the dead letters."""

    inbox: frozenset[str]
    documents: tuple[Document, Document, Document]
    pages: tuple[Page, ...]
    due: bool


class Intake(StrEnum):
    """Where the transaction of a replica stands."""

    IDLE = "idle"
    LOOKED = "has looked into the inbox outside of its transaction"
    CLAIMED = "has claimed due work"
    READ = "has read its snapshot"
    LETTER = "still has to write a dead letter"
    SETTLED = "knows that its transaction is committed"


class Worker(NamedTuple):
    phase: Intake = Intake.IDLE
    tape: int = -1
    at: int = 0
    seen: tuple[Document, ...] = ()
    tick: int = 0
    claim: bool = False


class Reign(StrEnum):
    """Where the relay of a replica stands."""

    IDLE = "idle"
    EARLY = "has a position and no producer"
    STARTED = "has started its producer"
    POSITIONED = "knows what the position names"
    READY = "has deleted what was sent"
    SCANNING = "has read a part of the outbox"
    READ = "has read pages"
    SENT = "has sent records and position"
    GONE = "has deleted pages that it has not committed"
    COMMITTING = "waits for Kafka's commit"
    UNPLACED = "has committed without a position"
    COMMITTED = "knows that Kafka has committed"


class Relay(NamedTuple):
    phase: Reign = Reign.IDLE
    current: bool = False
    pages: tuple[Page, ...] = ()
    sent: tuple[Page, ...] = ()
    owed: tuple[Page, ...] = ()


class Batch(NamedTuple):
    """A Kafka transaction whose commit is decided; its markers are not written yet."""

    sent: tuple[Page, ...]
    names: tuple[Page, ...] | None


class World(NamedTuple):
    """`held` is what a majority of MongoDB's members has while the primary has more, which the election will undo."""

    base: Base
    held: Base | None
    elections: int
    offsets: tuple[int, ...]
    workers: tuple[Worker, ...]
    relays: tuple[Relay, ...]
    position: tuple[Page, ...]
    pending: Batch | None
    log: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    stale: tuple[Page, ...] = ()


Move = tuple[str, World]
Moves = Iterator[Move]


@dataclass(frozen=True, slots=True)
class Rules:
    """One bound: the records of each partition, who takes part, what may break, which guard is off."""

    tapes: tuple[tuple[Input, ...], ...]
    due: bool = False
    relays: int = 2
    elections: int = 0
    pages_at_once: int = 2
    off: Sabotage | None = None

    def input(self, worker: Worker) -> Input:
        return self.tapes[worker.tape][worker.at] if worker.tape >= 0 else DUE

    def inputs(self) -> list[Input]:
        return [each for tape in self.tapes for each in tape] + [DUE] * self.due

    def start(self) -> World:
        blank = Document(0, ())
        return World(
            base=Base(frozenset(), (blank, blank, blank), (), self.due),
            held=None,
            elections=0,
            offsets=(0,) * len(self.tapes),
            workers=(Worker(), Worker()),
            relays=(Relay(),) * self.relays,
            position=(),
            pending=None,
            log=((), (), ()),
        )


def with_worker(state: World, who: int, worker: Worker) -> World:
    return state._replace(workers=put(state.workers, who, worker))


def with_relay(state: World, who: int, relay: Relay) -> World:
    return state._replace(relays=put(state.relays, who, relay))


def put(row: tuple, at: int, value: object) -> tuple:  # type: ignore[type-arg]  # any row, of the same type again
    return (*row[:at], value, *row[at + 1 :])


def named(pages: tuple[Page, ...]) -> str:
    """The pages as a person reads them."""
    if not pages:
        return "no page"
    return ", ".join(f"{page.fact} (tick {page.tick}, part {page.part})" for page in pages)
