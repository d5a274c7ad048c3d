"""What comes after a meeting is decided: the next number, the end of the series, a warning sign."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from libs.contracts.policy import Policy

LOST_IN_A_ROW: Final = 2


class Fate(StrEnum):
    """How a planned meeting ended."""

    HELD = "held"
    CANCELLED = "cancelled"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Series:
    """A pair's meetings so far. `lost_in_a_row` counts the cancelled and missed ones since the last that was held."""

    sessions_per_pair: int
    held: int = 0
    lost_in_a_row: int = 0

    @property
    def number(self) -> int:
        """The number of the next meeting: what replaces a lost one keeps its number."""
        return self.held + 1

    @property
    def done(self) -> bool:
        """Whether all meetings were held. A policy that was shortened meanwhile ends the series too."""
        return self.held >= self.sessions_per_pair

    @property
    def at_risk(self) -> bool:
        """Whether meetings in a row were lost."""
        return self.lost_in_a_row >= LOST_IN_A_ROW

    def after(self, fate: Fate) -> "Series":
        """The series when one more meeting has ended."""
        if fate is Fate.HELD:
            return replace(self, held=self.held + 1, lost_in_a_row=0)
        return replace(self, lost_in_a_row=self.lost_in_a_row + 1)


def series_of(fates: Iterable[Fate], sessions_per_pair: int) -> Series:
    """The series from the fates of its meetings in their order; for a word that changes an earlier fate."""
    series = Series(sessions_per_pair)
    for fate in fates:
        series = series.after(fate)
    return series


def becomes_at_risk(before: Series, fate: Fate) -> bool:
    """Whether this fate is the one to warn about: the office hears of a losing streak once, not at each loss."""
    return before.after(fate).at_risk and not before.at_risk


def no_show_at(ends_at: datetime, policy: Policy) -> datetime:
    """When a meeting that nobody confirmed counts as missed."""
    return ends_at + timedelta(minutes=policy.grace_minutes)
