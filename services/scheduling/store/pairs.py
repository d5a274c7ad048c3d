"""Pairs: the voice of their meetings."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from libs.chassis.documents import Document
from libs.contracts.events import (
    PairAtRisk,
    PairCreated,
    PairEnded,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
)
from libs.contracts.ids import SessionId
from libs.contracts.words import Role, Sign
from services.scheduling.rules.diaries import Slot
from services.scheduling.rules.series import Fate, Series, becomes_at_risk
from services.scheduling.store.people import Diary
from services.scheduling.store.sessions import Session, SessionState, Word

Diaries = Sequence[Diary]


@dataclass(frozen=True, slots=True)
class Warning:
    """A warning sign that holds until it is answered by a meeting."""

    sign: Sign
    detail: str
    since: datetime


@dataclass(slots=True, kw_only=True)
class Pair(Document):
    """A pair and its series. It knows at most one meeting that is planned and undecided: `session_id`."""

    collection: ClassVar[str] = "pairs"
    indexes: ClassVar[Sequence[Sequence[str]]] = (("at_risk",),)

    program_id: str = ""
    mentor_id: str = ""
    mentee_id: str = ""
    created: bool = False
    ended_at: datetime | None = None
    planned: int = 0
    """How many meetings were ever planned, whatever became of them."""
    held: int = 0
    lost_in_a_row: int = 0
    series_done: bool = False
    session_id: str = ""
    previous: datetime | None = None
    """Planned start of the last meeting held: the series keeps its rhythm from there."""
    lost: datetime | None = None
    """Planned start of the meeting that is to be replaced."""
    warnings: list[Warning] = field(default_factory=list)
    at_risk: bool = False

    @property
    def wants_a_session(self) -> bool:
        return self.created and not (self.ended_at or self.series_done or self.session_id)

    @property
    def next_session_id(self) -> SessionId:
        return SessionId(f"{self.id}.{self.planned + 1}")

    def start(self, event: PairCreated) -> None:
        self._name(event)
        self.created = True

    def end(self, event: PairEnded) -> None:
        self._name(event)
        self.ended_at = event.ended_at
        self._forget_warnings()

    def book(self, session: Session, slot: Slot, diaries: Diaries, now: datetime) -> SessionScheduled:
        """Plan the next meeting of the series."""
        session.pair_id, session.program_id = self.id, self.program_id
        session.mentor_id, session.mentee_id = self.mentor_id, self.mentee_id
        session.number = self.held + 1
        self.planned += 1
        self.session_id = session.id
        self._forget_warnings(Sign.NO_COMMON_SLOT, Sign.STALLED)
        return self.move(session, slot, diaries, now)

    def move(
        self, session: Session, slot: Slot, diaries: Diaries, now: datetime, reason: str | None = None
    ) -> SessionScheduled:
        """Give a planned meeting this time."""
        session.place(slot, now)
        session.reason = reason
        for diary in diaries:
            diary.take(session.id, slot, now)
            diary.no_longer_waits(self.id)
        return SessionScheduled(**session.facts(), starts_at=slot.starts_at, ends_at=slot.ends_at, reason=reason)

    def cancel(self, session: Session, diaries: Diaries, reason: str, now: datetime) -> SessionCancelled:
        """The meeting will not take place."""
        self._decide(session, SessionState.CANCELLED, diaries, now)
        session.reason = reason
        return SessionCancelled(**session.facts(), reason=reason, cancelled_at=now)

    def miss(self, session: Session, diaries: Diaries, absent: Sequence[Role], now: datetime) -> SessionMissed:
        """The meeting did not take place."""
        self._decide(session, SessionState.MISSED, diaries, now)
        session.absent = list(absent)
        return SessionMissed(**session.facts(), absent=tuple(absent), missed_at=now)

    def complete(
        self, session: Session, word: Word, diaries: Diaries, sessions_per_pair: int, now: datetime
    ) -> SessionCompleted:
        """The first word that the meeting was held."""
        series = Series(sessions_per_pair, self.held, self.lost_in_a_row).after(Fate.HELD)
        self.held, self.lost_in_a_row, self.series_done = series.held, series.lost_in_a_row, series.done
        self.previous, self.lost = session.starts_at, None
        self._forget_warnings()
        self._decide(session, SessionState.COMPLETED, diaries, now)
        session.hear(word)
        session.series_done = series.done
        return _completed(session, word, now)

    def add(self, session: Session, word: Word, now: datetime) -> SessionCompleted | None:
        """A further word about a meeting that was held; None where it adds nothing."""
        if not session.hear(word):
            return None
        session.revision += 1
        return _completed(session, word, now)

    def lose(self, session: Session, now: datetime) -> Iterator[PairAtRisk]:
        """Count a cancelled or missed meeting; the one that makes a losing streak is a warning sign."""
        fate = Fate.MISSED if session.state is SessionState.MISSED else Fate.CANCELLED
        series = Series(self.held + 1, self.held, self.lost_in_a_row)
        self.lost_in_a_row += 1
        self.lost = session.starts_at
        if becomes_at_risk(series, fate):
            yield from self.warn(Sign.LOST_IN_A_ROW, f"{self.lost_in_a_row} sessions lost in a row", now)

    def warn(self, sign: Sign, detail: str, now: datetime) -> Iterator[PairAtRisk]:
        """Say a sign, once as long as it holds."""
        if self.ended_at or any(warning.sign is sign for warning in self.warnings):
            return
        self.warnings.append(Warning(sign, detail, now))
        self.at_risk = True
        yield PairAtRisk(**self.names(), sign=sign, detail=detail, since=now)

    def signs(self) -> list[dict[str, Any]]:
        """The warnings as callers see them."""
        return [self.names() | asdict(warning) for warning in self.warnings]

    def names(self) -> dict[str, Any]:
        """The fields that every fact about the pair has."""
        return {
            "pair_id": self.id,
            "program_id": self.program_id,
            "mentor_id": self.mentor_id,
            "mentee_id": self.mentee_id,
        }

    def _decide(self, session: Session, state: SessionState, diaries: Diaries, now: datetime) -> None:
        session.decide(state, now)
        self.session_id = ""
        for diary in diaries:
            diary.free(session.id)

    def _name(self, event: PairCreated | PairEnded) -> None:
        self.program_id, self.mentor_id, self.mentee_id = event.program_id, event.mentor_id, event.mentee_id

    def _forget_warnings(self, *signs: Sign) -> None:
        """Drop these warnings, or all of them."""
        self.warnings = [each for each in self.warnings if signs and each.sign not in signs]
        self.at_risk = bool(self.warnings)


def _completed(session: Session, word: Word, now: datetime) -> SessionCompleted:
    return SessionCompleted(
        **session.facts(),
        started_at=session.started_at or word.started_at,
        ended_at=session.ended_at or word.ended_at,
        topics=tuple(session.topics),
        feedback=session.feedback,
        series_done=session.series_done,
        completed_at=session.decided_at or now,
    )
