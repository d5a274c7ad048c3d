"""What scheduling does when its time has come."""

from libs.chassis.words import Work
from libs.contracts.ids import PairId, SessionId


class NoShowCheck(Work):
    """The grace period after a meeting is over. A meeting that was moved has another revision, and another check."""

    session_id: SessionId
    revision: int

    @property
    def key(self) -> str:
        return self.session_id


class LookAgain(Work):
    """A pair had no meeting for a while: its horizon has moved on, or what it missed has come."""

    pair_id: PairId

    @property
    def key(self) -> str:
        return self.pair_id
