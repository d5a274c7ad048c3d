"""Health: live means that the process makes progress, ready means that it can serve."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from libs.chassis.errors import Transient
from libs.chassis.intake import Intake
from libs.chassis.loop import Loop
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database
from libs.chassis.outbox import OUTBOX
from libs.chassis.relay import Relay

_STUCK_SECONDS = 120.0
_LOOK_SECONDS = 1.0

log = structlog.get_logger()


@dataclass(slots=True)
class Watched:
    """A counter that must move while there is something to do."""

    name: str
    count: Callable[[], int]
    idle: Callable[[], bool]
    last: int = -1
    since: float = 0.0

    def stuck(self, now: float) -> bool:
        count = self.count()
        if count != self.last or self.idle():
            self.last, self.since = count, now
        return now - self.since > _STUCK_SECONDS


@dataclass(slots=True)
class Health:
    """Looks once a second, so that a probe costs nothing and an outage never makes a probe slow."""

    database: Database
    intake: Intake
    loop: Loop
    relay: Relay
    metrics: Metrics
    clock: Callable[[], datetime]
    outbox_pages_limit: int
    outbox_age_limit: float
    full: bool = False
    """Whether more pages wait for the relay than may."""
    ended: list[str] = field(default_factory=list)
    """Parts of the process that ended by themselves."""
    _reachable: bool = False
    _age: float = 0.0
    _stuck: list[str] = field(default_factory=list)

    def watched(self) -> list[Watched]:
        return [
            Watched("relay", lambda: self.relay.ticks, lambda: self.relay.ticks == 0),
            Watched("transactions", lambda: self.loop.progress, lambda: self.loop.idle or not self._reachable),
            Watched("consumer", lambda: self.intake.progress, self._nothing_to_consume),
        ]

    async def run(self) -> None:
        watched = self.watched()
        while True:
            await self._look()
            now = asyncio.get_running_loop().time()
            self._stuck = [each.name for each in watched if each.stuck(now)]
            await asyncio.sleep(_LOOK_SECONDS)

    def live(self) -> list[str]:
        """Why the process should be restarted; empty when it is live. An outage is no reason."""
        stuck = [f"{name} made no progress for {_STUCK_SECONDS:.0f} s" for name in self._stuck]
        return [*stuck, *(f"{name} ended" for name in self.ended)]

    def ready(self) -> list[str]:
        """Why the process can't serve; empty when it is ready."""
        reasons = {
            "no partitions assigned": not self.intake.assigned(),
            "Kafka unreachable": not self.intake.connected(),
            "database unreachable": not self._reachable,
            f"oldest outbox page waits for more than {self.outbox_age_limit:.0f} s": self._age > self.outbox_age_limit,
        }
        return [reason for reason, holds in reasons.items() if holds]

    def _nothing_to_consume(self) -> bool:
        """While Kafka is away the last known lag stays, so a lag counts only when the database and Kafka answer."""
        return not self._reachable or not self.intake.connected() or self.intake.lag() == 0

    async def _look(self) -> None:
        try:
            pages = await asyncio.wait_for(self.database.count(OUTBOX), 5.0)
            oldest = await asyncio.wait_for(
                self.database.find(OUTBOX, {}, fields=["at"], sort=[("at", 1)], limit=1), 5.0
            )
            self._reachable = True
        except (Transient, TimeoutError):
            self._reachable = False
            return
        self._age = max(0.0, (self.clock() - oldest[0]["at"]).total_seconds()) if oldest else 0.0
        self.metrics.outbox_pages.set(pages)
        self.metrics.outbox_age_seconds.set(self._age)
        self.full = pages > self.outbox_pages_limit
        self.intake.lag()
