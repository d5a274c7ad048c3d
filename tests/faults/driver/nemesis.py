"""Strikes, waits, heals, and measures how long it takes until a fact goes the whole way again."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from tests.faults.checker import told
from tests.faults.driver.canaries import Canaries
from tests.faults.driver.faults import KINDS, Fault
from tests.faults.driver.office import Office
from tests.faults.driver.timeline import Kind, Timeline

TWO_AT_ONCE = 0.25
TOGETHER = "two at once"
RECOVERED_WITHIN = 120.0
PAUSES = (0.5, 2.0)


@dataclass(slots=True)
class Nemesis:
    """`only` names the kinds to choose from; none is all."""

    office: Office
    canaries: Canaries
    timeline: Timeline
    random: Random
    only: Sequence[str] = ()
    struck: Counter[str] = field(default_factory=Counter)
    recovery: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    repeating: list[told.Fault] = field(default_factory=list)
    """Those that may repeat mails."""
    complaints: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    skew: int = 0

    def run(self, seconds: float) -> None:
        """One blow after the other, each with its recovery; two at once now and then."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            time.sleep(self.random.uniform(*PAUSES))
            self._restart()
            faults = self._choose()
            since = datetime.now(UTC)
            self._suffer(faults)
            self._recover(faults)
            self._remember(faults, since)

    def _choose(self) -> list[Fault]:
        lines = {kind: line for kind, line in KINDS.items() if self._possible(kind)}
        weights = [line.weight for line in lines.values()]
        number = 2 if self.random.random() < TWO_AT_ONCE and len(lines) > 1 else 1
        kinds = self.random.choices(list(lines), weights, k=number)
        faults = {fault.victim: fault for fault in (KINDS[kind].make(kind, self.office, self.random) for kind in kinds)}
        return list(faults.values())

    def _possible(self, kind: str) -> bool:
        return len(self.office.cluster.brokers) in KINDS[kind].nodes and (not self.only or kind in self.only)

    def _suffer(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            self.struck[fault.kind] += 1
            self.skew = max(self.skew, fault.skew)
            self.timeline.note(Kind.STRIKE, fault=fault.kind, detail=fault.detail, seconds=round(fault.seconds, 1))
            fault.strike()
        began = time.monotonic()
        for fault in sorted(faults, key=lambda fault: fault.seconds):
            time.sleep(max(0.0, began + fault.seconds - time.monotonic()))
            fault.end()
            self.timeline.note(Kind.END, fault=fault.kind, detail=fault.detail)

    def _recover(self, faults: Sequence[Fault]) -> None:
        kind = faults[0].kind if len(faults) == 1 else TOGETHER
        taken = self.canaries.fly(RECOVERED_WITHIN)
        if taken is None:
            words = " and ".join(f"{fault.kind} ({fault.detail or fault.victim})" for fault in faults)
            self.complaints.append(f"no fact went the whole way within {RECOVERED_WITHIN:g} s of the end of {words}")
            self.timeline.note(Kind.VIOLATION, what=self.complaints[-1])
            return
        self.recovery[kind].append(taken)
        self.timeline.note(Kind.RECOVERED, after=kind, seconds=round(taken, 2))

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
