"""A record of a topic, by a client of our own."""

import json
from dataclasses import dataclass
from typing import Any

DEAD_LETTERS = ".dlq"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a reader of committed transactions sees it; `topic` without the prefix, `timestamp` in ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    def header(self, name: str) -> bytes | None:
        """The last header of this name, as writers of dead letters add theirs behind the original ones."""
        return next((value for each, value in reversed(self.headers) if each == name), None)

    def text(self, name: str) -> str:
        return (self.header(name) or b"").decode(errors="replace")

    @property
    def name(self) -> str:
        """The key as text."""
        return (self.key or b"").decode(errors="replace")

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def is_dead_letter(self) -> bool:
        return self.topic.endswith(DEAD_LETTERS)

    @property
    def data(self) -> Any:
        """The value as JSON; None where it is none."""
        try:
            return None if self.value is None else json.loads(self.value)
        except ValueError:
            return None
