"""Which kinds of faults come when: they are dealt like cards, so that none starves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Deck:
    """`copies` gives how often each kind is in the deck. All come once before any comes again."""

    copies: Mapping[str, int]
    random: Random
    _left: list[str] = field(default_factory=list)

    def next(self) -> str:
        """The kind that `draw` gives."""
        if not self._left:
            self._left = [*self._shuffled(again=True), *self._shuffled(again=False)]
        return self._left[-1]

    def draw(self) -> str:
        kind = self.next()
        self._left.pop()
        return kind

    def _shuffled(self, *, again: bool) -> list[str]:
        """Each kind once, or the further copies of those that have some."""
        cards = [kind for kind, copies in self.copies.items() for _ in range(copies - 1 if again else 1)]
        self.random.shuffle(cards)
        return cards
