"""What notifications does when its time has come."""

from enum import StrEnum

from libs.chassis.words import Work


class SendNotice(Work):
    """A notice whose time has come."""

    notification_id: str
    person: str

    @property
    def key(self) -> str:
        return self.notification_id


class Fate(StrEnum):
    """What became of an attempt to send."""

    SENT = "sent"  # the server has it
    REFUSED_FOR_NOW = "refused_for_now"  # it may work later
    REFUSED = "refused"  # it will never work
    UNTRUE = "untrue"  # not sent, because it no longer holds
    TOO_EARLY = "too_early"  # a fact that it needs has not come yet
    SETTLED = "settled"  # nothing was left to do


class Delivered(Work):
    """The result of an attempt to send; `why` holds the server's words or the reason."""

    notification_id: str
    person: str
    fate: Fate
    why: str = ""

    @property
    def key(self) -> str:
        return self.notification_id


class Remind(Work):
    """So many minutes before its start a meeting is called to mind. A new time replaces the plan."""

    session_id: str
    program_id: str
    minutes: int

    @property
    def key(self) -> str:
        return f"{self.session_id}/{self.minutes}"


class PlanReminders(Work):
    """A meeting came before its programme, which says when to remind."""

    session_id: str
    program_id: str

    @property
    def key(self) -> str:
        return self.session_id
