"""One side of the waiting pool as arrays that grow at the end; who has left is only marked, and dropped later."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.crowd.lists import Integers, Short
from services.matching.rules.crowd.sides import Side, joined_sides


@dataclass(slots=True)
class KeptSide:
    """The entry of a person is at the same place of every array."""

    side: Side
    since: Integers
    """When each began to wait, in microseconds since 1970."""
    ids: list[str] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)
    """By the number of the person; only of those who wait."""
    waits: NDArray[np.bool_] = field(init=False)
    manager: Short = field(init=False)
    wanted: Integers = field(init=False)

    def __post_init__(self) -> None:
        self.waits = np.ones(len(self.ids), dtype=np.bool_)
        self._derive()

    def add(self, side: Side, since: Integers, ids: list[str]) -> None:
        """People who were not there, or have left. Takes O(people) time, some milliseconds for 100,000."""
        self._drop_the_gone()
        self.places.update({number: len(self.ids) + place for place, number in enumerate(side.person.tolist())})
        self.side, self.since = joined_sides([self.side, side]), np.concatenate((self.since, since))
        self.ids += ids
        self.waits = np.concatenate((self.waits, np.ones(len(ids), dtype=np.bool_)))
        self._derive()

    def leave(self, number: int) -> None:
        """A person who waits no more."""
        self.waits[self.places.pop(number)] = False

    def _drop_the_gone(self) -> None:
        if 4 * len(self.places) >= 3 * len(self.ids):
            return
        stay = np.flatnonzero(self.waits)
        self.side, self.since = self.side.taken(stay), self.since[stay]
        self.ids = [self.ids[place] for place in stay.tolist()]
        self.places = {number: place for place, number in enumerate(self.side.person.tolist())}
        self.waits = np.ones(len(stay), dtype=np.bool_)

    def _derive(self) -> None:
        self.manager, self.wanted = self.side.manager, self.side.wanted
