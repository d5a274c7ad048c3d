"""All that is known when a notice's turn comes, and what follows: a mail, or why there is none."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Final

from libs.contracts.events import Event, ProgramPublished, SessionScheduled
from libs.contracts.ids import ParticipantId
from libs.contracts.words import ProgramState
from services.notifications.rules.invitations import Mailbox
from services.notifications.rules.mails import Letter, Unmailable, mail_of
from services.notifications.rules.notices import OFFICE, Template
from services.notifications.rules.people import Recipient, office_of
from services.notifications.rules.truth import Known, why_untrue
from services.notifications.store.notices import KeptNotice, NoticeState
from services.notifications.store.people import Person, Program
from services.notifications.store.sessions import Pair, Session
from services.notifications.work import Fate

# How somebody is named of whom nothing is kept any more.
_ERASED: Final = "N. N."


@dataclass(frozen=True, slots=True)
class NoMail:
    """Why nothing is sent."""

    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The documents around a notice; blank where there is none."""

    kept: KeptNotice
    person: Person
    program: Program
    partner: Person | None = None
    pair: Pair | None = None
    session: Session | None = None

    @property
    def known(self) -> Known:
        published = self.program.published
        return Known(
            person_left=self.person.left,
            program_closed=bool(published and published.state is ProgramState.CLOSED),
            pair_ended=bool(self.pair and self.pair.ended),
            meeting=self.session.meeting if self.session else None,
        )


def mail_or_not(desk: Desk, sender: Mailbox, web: str | None, now: datetime) -> EmailMessage | NoMail:
    """Pure: the same documents and settings give the same mail."""
    kept = desk.kept
    if done := nothing_left(kept):
        return done
    if untrue := why_untrue(kept.told, desk.known, now):
        return NoMail(Fate.UNTRUE, untrue.value)
    match _letter(desk, web):
        case Letter() as letter:
            mail = mail_of(letter, sender=sender, date=kept.planned_at or now)
            return NoMail(Fate.REFUSED, mail.why) if isinstance(mail, Unmailable) else mail
        case NoMail() as why:
            return why


def nothing_left(kept: KeptNotice) -> NoMail | None:
    """Whether it was sent or settled before."""
    if kept.accepted_at and kept.is_open:
        return NoMail(Fate.SENT)
    if kept.state is not NoticeState.PLANNED or kept.notice is None:
        return NoMail(Fate.SETTLED)
    return None


def _letter(desk: Desk, web: str | None) -> Letter | NoMail:
    notice, program = desk.kept.told, desk.program.published
    if program is None:
        return NoMail(Fate.TOO_EARLY, "the programme is not known")
    if desk.person.has_bounced:
        return NoMail(Fate.REFUSED, "mail to this address came back")
    to = office_of(program) if notice.participant_id == OFFICE else desk.person.as_recipient(program)
    if to is None:
        return NoMail(Fate.UNTRUE, "no_address")
    partner = _partner(desk, program)
    if desk.partner and partner is None:
        return NoMail(Fate.TOO_EARLY, "the other side's profile is not known")
    return Letter(
        notice=notice,
        fact=desk.kept.event or program,
        program=program,
        to=to,
        partner=partner,
        meeting=_last_meeting(desk, desk.kept.event),
        link=_link(desk, web),
    )


def _partner(desk: Desk, program: ProgramPublished) -> Recipient | None:
    if desk.partner and desk.partner.erased:
        who = ParticipantId(desk.partner.id.partition("/")[2])
        return Recipient(who, _ERASED, "erased@viceversa.invalid", "UTC", program.policy.default_locale)
    return desk.partner.as_recipient(program) if desk.partner else None


def _last_meeting(desk: Desk, fact: Event | None) -> SessionScheduled | None:
    return desk.session.scheduled if desk.session and not isinstance(fact, SessionScheduled) else None


def _link(desk: Desk, web: str | None) -> str | None:
    notice = desk.kept.told
    if web is None or notice.template is Template.WELCOME:
        return None
    return f"{web.rstrip('/')}/sessions/{notice.session_id}" if notice.session_id else None
