"""What the generator knows that it did: what the checker measures the topics, databases and mails against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Said:
    """A fact that was produced as another system would; `times` how often on purpose.

    For a copy of a service's own fact, `times` are the copies beside the one that the service said.
    """

    source: str
    id: str
    topic: str
    key: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that must be parked. It is known by place, by the SHA-256 of its value (hex), or by `ce_id` where no
    good record has that id.

    `reason` is the expected one, `` any. `services` are those that must park it; none named, all that hear the topic.
    """

    topic: str
    partition: int | None = None
    offset: int | None = None
    ce_id: str = ""
    digest: str = ""
    reason: str = ""
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command by HTTP. Once accepted there must be a fact on `topic` about `key` whose JSON has these `fields`.

    `topic` is `` where a command leads to no fact.
    """

    name: str
    topic: str = ""
    key: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    status: int = 0

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Fault:
    """A kill of notifications, or of its way to a server, that may repeat so many mails.

    A mail is repeated within it where the fault lies between the two times that the server took it.
    """

    what: str
    since: datetime
    until: datetime
    repeats: int = 1


@dataclass(slots=True)
class Told:
    """Filled by the generator as it goes."""

    said: list[Said] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)
    accepted: list[Command] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
