"""What one transaction leads to."""

from dataclasses import dataclass, field

from libs.chassis import outbox
from libs.chassis.dead_letters import DeadLetter
from libs.chassis.inbox import Inbox
from libs.chassis.items import Item, Raw
from libs.chassis.mongo import Row
from libs.chassis.unit_of_work import UnitOfWork
from libs.chassis.words import Answer


@dataclass(slots=True)
class Effects:
    """Collected while the messages of a batch are handled, written at its end."""

    work: UnitOfWork
    inbox: Inbox
    records: list[outbox.Record] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    planned: dict[str, Row] = field(default_factory=dict)
    answers: list[tuple[Item, Answer]] = field(default_factory=list)
    letters: dict[str, tuple[DeadLetter, Raw | None]] = field(default_factory=dict)
    """What is to be parked, by its id, and the record that it came as."""
    parked: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    duplicates: int = 0
    tick: int = 0
