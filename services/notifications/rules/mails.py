"""A notice as an e-mail (RFC 5322), in the reader's language, with a calendar part where it is about a meeting."""

from dataclasses import dataclass, replace
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import cache, lru_cache
from typing import Any, Final

from libs.contracts.events import Event, ProgramPublished, SessionCancelled, SessionScheduled
from libs.contracts.words import Role
from services.notifications.rules.invitations import Invitation, Mailbox, cancel, request
from services.notifications.rules.notices import Notice, Template
from services.notifications.rules.people import Recipient
from services.notifications.rules.wording import locale_of, page_of, spoken, text_of


class _Headers(HeaderRegistry):
    """Makes the class of a header once, and the headers that many mails share too: else half of a mail's time."""

    def __init__(self) -> None:
        super().__init__()
        self._class_of = cache(super().__getitem__)
        self._same = lru_cache(super().__call__)

    def __getitem__(self, name: str) -> type[Any]:
        return self._class_of(name)

    def __call__(self, name: str, value: Any) -> Any:
        return (self._same if name in _SHARED else super().__call__)(name, value)


class _Policy(EmailPolicy):
    """RFC 5322 with CRLF, in encoded parts too: RFC 5545 wants it."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        return _folded(name, value) if name in _SHARED else super().fold_binary(name, value)


_SHARED: Final = frozenset(
    {"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted", "From", "Reply-To"}
)
_POLICY: Final = _Policy(header_factory=_Headers(), linesep="\r\n")


@lru_cache
def _folded(name: str, value: Any) -> bytes:
    return SMTP.fold_binary(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """All that a message says.

    `partner` is the other side of the pair, `meeting` the last known time of the session that the fact is about, `link`
    where the reader can answer.
    """

    notice: Notice
    fact: Event
    program: ProgramPublished
    to: Recipient
    partner: Recipient | None = None
    meeting: SessionScheduled | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Unmailable:
    """The person has no address that a mail can be sent to."""

    why: str


def mail_of(letter: Letter, *, sender: Mailbox, date: datetime) -> EmailMessage | Unmailable:
    """The mail of a letter. The same letter, sender and date give the same words and the same Message-ID."""
    letter = replace(letter, to=_tidy(letter.to), partner=letter.partner and _tidy(letter.partner))
    to, from_ = _address(letter.to.name, letter.to.email), _address(sender.name, sender.email)
    if to is None or from_ is None:
        return Unmailable("not a valid address")
    locale = locale_of(letter.to.locale, letter.program.policy.default_locale)
    text = text_of(letter.notice.template, locale, _values(letter, locale))
    mail = EmailMessage(policy=_POLICY)
    mail["Message-ID"] = letter.notice.message_id
    mail["Date"] = format_datetime(date)
    mail["From"], mail["To"] = str(from_), to
    mail["Subject"] = one_line(text.subject)
    # RFC 3834: out-of-office replies stay away.
    mail["Auto-Submitted"] = "auto-generated"
    _add_reply_to(mail, letter.program)
    mail.set_content(text.body)
    mail.add_alternative(page_of(text, locale, _links(letter)), subtype="html")
    _add_invitation(mail, letter, sender, text.body)
    _fix_boundaries(mail, letter.notice)
    return mail


def one_line(text: str) -> str:
    """A text that can stand in a header or a parameter: no control characters, no line ends, no quotes."""
    printable = "".join(char if char.isprintable() and char != '"' else " " for char in text)
    return " ".join(printable.split())


def _tidy(person: Recipient) -> Recipient:
    return replace(person, name=one_line(person.name))


@lru_cache
def _address(name: str, email: str) -> Address | None:
    try:
        return Address(display_name=one_line(name), addr_spec=email)
    except (HeaderParseError, ValueError, IndexError):
        # IndexError: the standard library's parser on some malformed addresses.
        return None


def _add_reply_to(mail: EmailMessage, program: ProgramPublished) -> None:
    organizer = program.policy.organizer
    if organizer and (address := _address(organizer.name, organizer.email)):
        mail["Reply-To"] = str(address)


def _values(letter: Letter, locale: str) -> dict[str, Any]:
    meeting = _meeting(letter)
    return {
        "name": letter.to.name,
        "partner": letter.partner.name if letter.partner else None,
        "program": letter.program.name,
        "role": letter.notice.role,
        "fact": letter.fact,
        "when": spoken(meeting.starts_at, meeting.ends_at, letter.to.time_zone, locale) if meeting else None,
        "minutes": letter.program.policy.session_minutes,
        "sessions": letter.program.policy.sessions_per_pair,
        "join_url": meeting.join_url if meeting else None,
        "link": letter.link,
    }


def _meeting(letter: Letter) -> SessionScheduled | None:
    return letter.fact if isinstance(letter.fact, SessionScheduled) else letter.meeting


def _links(letter: Letter) -> tuple[str, ...]:
    meeting = _meeting(letter)
    return tuple(link for link in (letter.link, meeting.join_url if meeting else None) if link)


def _add_invitation(mail: EmailMessage, letter: Letter, sender: Mailbox, words: str) -> None:
    if letter.partner is None or letter.notice.template is Template.SESSION_REMINDER:
        return
    pair = (letter.to, letter.partner)
    mentor, mentee = pair if letter.notice.role is Role.MENTOR else pair[::-1]
    invitation = Invitation(
        summary=f"{letter.program.name}: {mentor.name} / {mentee.name}",
        description=words,
        organizer=_organizer(letter.program, sender),
        mentor=mentor,
        mentee=mentee,
        dtstamp=letter.notice.said_at,
    )
    match letter.fact:
        case SessionScheduled():
            _add_calendar(mail, request(letter.fact, invitation), "REQUEST")
        case SessionCancelled():
            _add_calendar(mail, cancel(letter.fact, letter.meeting, invitation), "CANCEL")
        case _:
            pass


def _organizer(program: ProgramPublished, sender: Mailbox) -> Mailbox:
    organizer = program.policy.organizer
    return Mailbox(one_line(organizer.name), organizer.email) if organizer else sender


def _add_calendar(mail: EmailMessage, calendar: str, method: str) -> None:
    mail.add_alternative(calendar, subtype="calendar", params={"method": method})


def _fix_boundaries(mail: EmailMessage, notice: Notice) -> None:
    # The standard library would draw a random boundary; this one makes every try the same bytes.
    mail.set_boundary(f"=-{notice.notification_id}")
