"""What the demo shows while it runs: a table that lives in a terminal, plain lines anywhere else."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deploy.local.demo_lag import Lag
from libs.contracts.topics import TOPICS

PLAIN_EVERY = 2.0


@dataclass(slots=True)
class Screen:
    """`say` gives a line that stays; `show` renews the counts."""

    console: Console
    started: float = field(default_factory=time.monotonic)
    step: str = ""
    _live: Live | None = None
    _before: tuple[float, Mapping[str, int]] = (0.0, {})
    _plain: tuple[float, str] = (0.0, "")

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def say(self, text: str) -> None:
        self.console.print(f"[dim]{self.elapsed:5.1f} s[/dim]  {escape(text)}", soft_wrap=True)

    @contextmanager
    def living(self) -> Iterator[None]:
        """Within the block a terminal shows the table at its lower end."""
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, refresh_per_second=4) as self._live:
            yield
        self._live = None

    def show(self, counts: Mapping[str, int], lag: Mapping[str, Lag], mails: int) -> None:
        now, (then, before) = time.monotonic(), self._before
        rates = {topic: (count - before.get(topic, 0)) / (now - then) for topic, count in counts.items()}
        self._before = (now, dict(counts))
        if self._live:
            line = f"{self.elapsed:5.1f} s  {self.step}, {mails} mails"
            self._live.update(Group(_table(counts, rates, lag), Text(line)))
        else:
            self._show_plain(counts, lag, mails)

    def _show_plain(self, counts: Mapping[str, int], lag: Mapping[str, Lag], mails: int) -> None:
        line = self._line(counts, lag, mails)
        said = line.partition("  ")[2]
        if said != self._plain[1] and time.monotonic() - self._plain[0] > PLAIN_EVERY:
            self._plain = (time.monotonic(), said)
            self.console.print(line, soft_wrap=True)

    def _line(self, counts: Mapping[str, int], lag: Mapping[str, Lag], mails: int) -> str:
        behind = sum(sum(each.values()) for each in lag.values())
        flows = ", ".join(f"{counts[topic]} {topic}" for topic in TOPICS if counts.get(topic))
        return f"{self.elapsed:5.1f} s  {self.step}: {flows}, {mails} mails, lag {behind}"


def _table(counts: Mapping[str, int], rates: Mapping[str, float], lag: Mapping[str, Lag]) -> Table:
    services = sorted({service for each in lag.values() for service in each})
    table = Table(header_style="bold")
    table.add_column("topic")
    for name in ("records", "per second", *(f"lag of {service}" for service in services)):
        table.add_column(name, justify="right")
    for topic in TOPICS:
        behind = (str(lag[topic][name]) if name in lag.get(topic, {}) else "" for name in services)
        table.add_row(topic, str(counts.get(topic, 0)), f"{rates.get(topic, 0):.0f}", *behind)
    return table
