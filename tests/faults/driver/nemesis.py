"""Strikes, waits, heals, and measures how long it takes until a fact goes the whole way again."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from tests.faults.checker import told
from tests.faults.driver.canaries import Canaries
from tests.faults.driver.deck import Deck
from tests.faults.driver.faults import KINDS, Fault
from tests.faults.driver.office import Office
from tests.faults.driver.timeline import Kind, Timeline

AT_ONCE = (1, 2, 2, 3, 3)
TOGETHER = "several at once"
RECOVERED_WITHIN = 120.0
PAUSES = (0.5, 2.0)
LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Nemesis:
    """`only` names the kinds to choose from; none is all."""

    office: Office
    canaries: Canaries
    timeline: Timeline
    random: Random
    only: Sequence[str] = ()
    struck: Counter[str] = field(default_factory=Counter)
    unmet: Counter[str] = field(default_factory=Counter)
    """Those that waited for a moment that never came: no faults."""
    recovery: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    repeating: list[told.Fault] = field(default_factory=list)
    """Those that may repeat mails."""
    stalls: list[str] = field(default_factory=list)
    """Faults after which nothing went the whole way any more."""
    restarted: list[str] = field(default_factory=list)
    _deck: Deck = field(init=False)

    def __post_init__(self) -> None:
        possible = {kind: line.copies for kind, line in KINDS.items() if self._possible(kind)}
        self._deck = Deck(possible, self.random)

    def run(self, seconds: float) -> None:
        """One blow after the other, each with its recovery; several at once of those whose own recovery is known."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            time.sleep(self.random.uniform(*PAUSES))
            self._restart()
            faults = self._choose()
            since = datetime.now(UTC)
            met = self._suffer(faults)
            self._recover(faults, met)
            self._remember(faults, since)

    def _choose(self) -> list[Fault]:
        faults = [self._make(self._deck.draw())]
        for _ in range(1, self.random.choice(AT_ONCE)):
            if not {faults[0].kind, self._deck.next()} <= set(self.recovery):
                break
            further = self._make(self._deck.next())
            if further.victim in {fault.victim for fault in faults}:
                break
            faults.append(further)
            self._deck.draw()
        return faults

    def _make(self, kind: str) -> Fault:
        return KINDS[kind].make(kind, self.office, self.random)

    def _possible(self, kind: str) -> bool:
        return len(self.office.cluster.brokers) in KINDS[kind].nodes and (not self.only or kind in self.only)

    def _suffer(self, faults: Sequence[Fault]) -> list[Fault]:
        """The faults that truly came. The longest strikes first: who starts anew for it needs the servers."""
        for fault in sorted(faults, key=lambda fault: -fault.seconds):
            self.timeline.note(Kind.STRIKE, fault=fault.kind, detail=fault.detail, seconds=round(fault.seconds, 1))
            fault.strike()
        began, met = time.monotonic(), []
        for fault in sorted(faults, key=lambda fault: fault.seconds):
            if _comes(fault, began + fault.seconds):
                met.append(fault)
            fault.end()
            self.timeline.note(Kind.END, fault=fault.kind, detail=fault.detail, unmet=fault not in met)
        self.struck.update(fault.kind for fault in met)
        self.unmet.update(fault.kind for fault in faults if fault not in met)
        return met

    def _recover(self, faults: Sequence[Fault], met: Sequence[Fault]) -> None:
        """What was not met leaves no figure, but it has to be over all the same."""
        taken = self.canaries.fly(RECOVERED_WITHIN)
        if taken is None:
            words = " and ".join(f"{fault.kind} ({fault.detail or fault.victim})" for fault in faults)
            self.stalls.append(f"no fact went the whole way within {RECOVERED_WITHIN:g} s of the end of {words}")
            self.timeline.note(Kind.VIOLATION, what=self.stalls[-1])
            return
        if len(met) == len(faults):
            kind = met[0].kind if len(met) == 1 else TOGETHER
            self.recovery[kind].append(taken)
        self.timeline.note(Kind.RECOVERED, after=" and ".join(fault.kind for fault in faults), seconds=round(taken, 2))

    def _remember(self, faults: Sequence[Fault], since: datetime) -> None:
        """A mail may come twice because of a fault, also when its lease has run out a while later."""
        until = datetime.now(UTC) + timedelta(seconds=30)
        self.repeating += [
            told.Fault(f"{each.kind} {each.detail}", since, until, each.repeats) for each in faults if each.repeats
        ]

    def _restart(self) -> None:
        for name in self.office.ended():
            self.restarted.append(name)
            self.timeline.note(Kind.RESTART, replica=name, words=self.office.replicas[name].last_words(4))
            self.office.launch(name)


def _comes(fault: Fault, limit: float) -> bool:
    """Wait until the limit, or for the moment that it waits for. False if that never came."""
    while not (came := fault.met is not None and fault.met()) and time.monotonic() < limit:
        time.sleep(LOOK_SECONDS)
    return came or fault.met is None
