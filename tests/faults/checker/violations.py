"""What the checker can find."""

from dataclasses import dataclass
from enum import StrEnum

from tests.faults.checker.records import Record


class Kind(StrEnum):
    """The ways in which a promise can be broken."""

    LOST_FACT = "lost fact"  # something happened and no record says so
    DOUBLED_FACT = "doubled fact"  # one fact stands on its topic more than once
    OUT_OF_ORDER = "out of order"  # a key's facts stand in another order than they were said in
    GAP = "gap in ce_sequence"  # a number of a key is missing while a later one is there
    UNREADABLE = "unreadable fact"  # a service said what its contract cannot read
    DOUBLED_EFFECT = "doubled effect"  # different facts say that one thing happened twice
    ORPHAN = "orphan"  # a pair without enrolments, a session without pair, a mail without fact
    OVER_CAPACITY = "over capacity"  # somebody has more pairs in force than places
    DOUBLE_BOOKING = "double booking"  # somebody is to be in two meetings at once
    HIDDEN_END = "stuck topic"  # an open transaction keeps committed readers from the end of a partition
    STUCK_PAGE = "stuck outbox page"  # facts that nobody publishes
    STUCK_WORK = "stuck due work"  # work whose time came and that nobody did
    UNEXPLAINED_DEAD_LETTER = "unexplained dead letter"  # a record was parked that nobody poisoned
    MISSING_DEAD_LETTER = "missing dead letter"  # a poisoned record was not parked by who heard it
    STATE_DIFFERS = "state differs from facts"  # a document says something else than the facts do
    MAIL_MISSING = "mail missing"  # somebody was told by the facts and not by the mail server
    MAIL_DOUBLED = "mail doubled"  # a mail was repeated and no fault explains it


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: about whom or what, in words, with the records that show it."""

    kind: Kind
    subject: str
    what: str
    records: tuple[Record, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}: {self.what}" + "".join(f" [{record.place}]" for record in self.records)
