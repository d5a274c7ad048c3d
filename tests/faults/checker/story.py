"""The facts of a run by what they speak of: read once, so that every check is one more pass over little."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from sys import intern
from typing import Any

from libs.contracts.envelope import Erasure, Received, Unreadable, read
from libs.contracts.events import SessionEvent
from libs.contracts.topics import TOPICS
from tests.faults.checker.evidence import Evidence, Row
from tests.faults.checker.poison import Known, known
from tests.faults.checker.records import Record

OURS = "/viceversa/"

_PAIR = ("pair_id", "program_id", "mentor_id", "mentee_id")
_SESSION = (*_PAIR, "session_id", "revision", "number")
_NOTICE = ("notification_id", "program_id", "participant_id", "template", "channel", "about")
_KEPT: dict[str, tuple[str, ...]] = {
    "program-published": ("program_id", "revision", "state", "policy"),
    "participant-enrolled": ("program_id", "participant_id", "revision", "email", "capacity", "consent", "enrolled_at"),
    "participant-withdrawn": ("program_id", "participant_id", "revision", "withdrawn_at"),
    "pair-created": (*_PAIR, "round_id", "created_at"),
    "pair-ended": (*_PAIR, "reason", "ended_at"),
    "pair-at-risk": (*_PAIR, "sign", "since"),
    "session-scheduled": (*_SESSION, "starts_at", "ends_at"),
    "session-cancelled": _SESSION,
    "session-missed": _SESSION,
    "session-completed": (*_SESSION, "series_done", "feedback"),
    "notification-sent": (*_NOTICE, "message_id"),
    "notification-failed": _NOTICE,
}
SESSION_TOPICS = tuple(name for name, topic in TOPICS.items() if issubclass(topic.event, SessionEvent))


@dataclass(frozen=True, slots=True)
class Fact:
    """A readable record: who said it under which id and number, and the fields that some check needs."""

    record: Record
    source: str
    id: str
    sequence: int | None
    data: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    @property
    def topic(self) -> str:
        return self.record.topic

    @property
    def key(self) -> str:
        return self.record.name

    @property
    def service(self) -> str:
        """The service that said it; `` for other systems."""
        return self.source.removeprefix(OURS) if self.source.startswith(OURS) else ""

    def person(self, side: str) -> str:
        """The key of the mentor or the mentee that it names."""
        return f"{self['program_id']}/{self[f'{side}_id']}"


@dataclass(slots=True)
class Person:
    """Everything that was ever said of somebody in a programme."""

    profiles: list[Fact] = field(default_factory=list)
    withdrawals: list[Fact] = field(default_factory=list)
    owner: str = ""
    """The source that enrolled the person, as matching has it."""

    @property
    def newest(self) -> Fact | None:
        """The profile that holds."""
        owned = [fact for fact in self.profiles if fact.source == self.owner]
        return max(owned, key=lambda fact: int(fact["revision"]), default=None)

    @property
    def withdrawn_at(self) -> datetime | None:
        return max((fact["withdrawn_at"] for fact in self.withdrawals), default=None)

    @property
    def enrolled(self) -> bool:
        newest, withdrawn_at = self.newest, self.withdrawn_at
        return newest is not None and (withdrawn_at is None or newest["enrolled_at"] > withdrawn_at)


@dataclass
class Story:
    """Each fact once, in the order of its partition; `copies` has the further records of a (source, id), `erased` the
    last erasure of a key.

    Poison is no fact, also where its contract can read it.
    """

    evidence: Evidence
    facts: dict[str, list[Fact]] = field(default_factory=lambda: {name: [] for name in TOPICS})
    first: dict[tuple[str, str], Record] = field(default_factory=dict)
    copies: dict[tuple[str, str], list[Record]] = field(default_factory=dict)
    unreadable: list[tuple[Record, Unreadable]] = field(default_factory=list)
    erased: dict[str, Record] = field(default_factory=dict)
    dead_letters: list[Record] = field(default_factory=list)
    poison: Known = field(init=False)

    def __post_init__(self) -> None:
        self.poison = known(self.evidence.told.poison)

    def __iter__(self) -> Iterator[Fact]:
        for facts in self.facts.values():
            yield from facts

    def __getitem__(self, topic: str) -> list[Fact]:
        return self.facts[topic]

    def rows(self, service: str, collection: str) -> Sequence[Row]:
        return self.evidence.documents.get(service, {}).get(collection, ())

    def by(self, topic: str, name: str) -> dict[str, list[Fact]]:
        """The facts of a topic by a field."""
        found: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts[topic]:
            found[fact[name]].append(fact)
        return dict(found)

    @cached_property
    def created(self) -> dict[str, Fact]:
        return {pair_id: facts[0] for pair_id, facts in self.by("pair-created", "pair_id").items()}

    @cached_property
    def ended(self) -> dict[str, Fact]:
        return {pair_id: facts[0] for pair_id, facts in self.by("pair-ended", "pair_id").items()}

    @cached_property
    def in_force(self) -> list[Fact]:
        """What created the pairs that have not ended."""
        return [fact for pair_id, fact in self.created.items() if pair_id not in self.ended]

    @cached_property
    def sessions(self) -> dict[str, list[Fact]]:
        """The facts about each meeting, of all topics, by their revision."""
        found: defaultdict[str, list[Fact]] = defaultdict(list)
        for topic in SESSION_TOPICS:
            for fact in self[topic]:
                found[fact["session_id"]].append(fact)
        for facts in found.values():
            facts.sort(key=lambda fact: int(fact["revision"]))
        return dict(found)

    @cached_property
    def planned(self) -> dict[str, Fact]:
        """The last word on each meeting that is planned and undecided."""
        return {id: facts[-1] for id, facts in self.sessions.items() if facts[-1].topic == "session-scheduled"}

    @cached_property
    def policies(self) -> dict[str, list[Fact]]:
        """What was published of each programme, by its revision."""
        found = self.by("program-published", "program_id")
        return {id: sorted(facts, key=lambda fact: int(fact["revision"])) for id, facts in found.items()}

    def keeps_its_length(self, program_id: str) -> bool:
        """Whether its series were always as long: a policy that was shortened may end one without a word."""
        return len({fact["policy"].sessions_per_pair for fact in self.policies.get(program_id, ())}) == 1

    @cached_property
    def people(self) -> dict[str, Person]:
        found: defaultdict[str, Person] = defaultdict(Person)
        for fact in self["participant-enrolled"]:
            found[fact.key].profiles.append(fact)
            found[fact.key].owner = found[fact.key].owner or fact.source
        for fact in self["participant-withdrawn"]:
            found[fact.key].withdrawals.append(fact)
        for row in self.rows("matching", "people"):
            if row["_id"] in found and row.get("owner"):
                found[row["_id"]].owner = row["owner"]
        return dict(found)

    def add(self, record: Record) -> None:
        if record.is_dead_letter:
            self.dead_letters.append(record)
        elif record.topic in TOPICS and self.poison.of(record) is None:
            at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
            match read(TOPICS[record.topic], record.key, record.value, record.headers, at):
                case Received() as received:
                    self._add(record, received)
                case Erasure(key=key):
                    self.erased[key] = record
                case Unreadable() as why:
                    self.unreadable.append((record, why))

    def _add(self, record: Record, received: Received) -> None:
        envelope, event = received.envelope, received.event
        identity = (intern(envelope.source), envelope.id)
        if identity in self.first:
            self.copies.setdefault(identity, []).append(record)
            return
        self.first[identity] = record
        data = {name: _shared(getattr(event, name)) for name in _KEPT[record.topic]}
        self[record.topic].append(Fact(record, *identity, envelope.sequence, data))


def story_of(evidence: Evidence) -> Story:
    """The facts of what was gathered."""
    story = Story(evidence)
    for record in evidence.records:
        story.add(record)
    return story


def _shared(value: Any) -> Any:
    """One object for an id that many facts name."""
    return intern(value) if type(value) is str else value
