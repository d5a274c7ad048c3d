"""A pure mailroom: facts in, mails out, with time moved by hand and a mail server that says what the test wants."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage

from libs.chassis.unit_of_work import Outcome
from libs.chassis.words import Later
from libs.contracts.events import NotificationEvent
from services.notifications.app import service
from services.notifications.letters import Desk, NoMail, mail_or_not
from services.notifications.rules.invitations import Mailbox
from services.notifications.store.notices import KeptNotice, NoticeState
from services.notifications.store.people import Person, Program
from services.notifications.store.sessions import Pair, Session
from services.notifications.work import Delivered, Fate, SendNotice
from tests.given import Given, given
from tests.notifications.people import NOON

SENDER = Mailbox("Viceversa", "viceversa@engines.invalid")
Server = Callable[[EmailMessage], tuple[Fate, str]]


def accepts(mail: EmailMessage) -> tuple[Fate, str]:
    return Fate.SENT, ""


def is_busy(mail: EmailMessage) -> tuple[Fate, str]:
    return Fate.REFUSED_FOR_NOW, "451 later"


def knows_nobody(mail: EmailMessage) -> tuple[Fate, str]:
    return Fate.REFUSED, "550 no such mailbox"


@dataclass
class Mailroom:
    """The service without its servers."""

    server: Server = accepts
    world: Given = field(default_factory=lambda: given(service))
    due: dict[str, Later] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    said: list[NotificationEvent] = field(default_factory=list)

    def hear(self, *facts: object, at: datetime = NOON) -> "Mailroom":
        for fact in facts:
            self._hand_over(fact, at)
        return self

    def work(self, until: datetime = NOON) -> "Mailroom":
        """Do what is due, each at its own time."""
        while self.due:
            id, later = min(self.due.items(), key=lambda each: (each[1].at, each[0]))
            if later.at > until:
                break
            del self.due[id]
            result = self._deliver(later.work, later.at) if isinstance(later.work, SendNotice) else later.work
            self._hand_over(result, later.at)
        return self

    def told(self, who: str) -> list[str]:
        """The templates that a person was sent, in order."""
        return [said.template for said in self.said if said.participant_id == who and said.topic == "notification-sent"]

    def notices(self, who: str) -> dict[str, KeptNotice]:
        """A person's newest notices by template."""
        rows = self.world.rows.get(KeptNotice.collection, {})
        every = [self.world.document(KeptNotice, id) for id in rows]
        return {kept.told.template.value: kept for kept in every if kept.told.participant_id == who}

    def _hand_over(self, message: object, at: datetime) -> Outcome:
        outcome = self.world.when(message, at=at)
        assert outcome.refused is None, outcome.refused
        self.said += [said.event for said in outcome.facts if isinstance(said.event, NotificationEvent)]
        self.due.update({later.work.work_id: later for later in outcome.later})
        return outcome

    def _deliver(self, work: SendNotice, at: datetime) -> Delivered:
        match mail_or_not(self._desk(work), SENDER, "https://mentoring.invalid", at):
            case NoMail(fate, why):
                pass
            case EmailMessage() as mail:
                fate, why = self.server(mail)
                if fate is Fate.SENT:
                    self.mails.append(mail)
        return Delivered(notification_id=work.notification_id, person=work.person, fate=fate, why=why)

    def _desk(self, work: SendNotice) -> Desk:
        kept = self.world.document(KeptNotice, work.notification_id)
        about, document = kept.told, self.world.document
        return Desk(
            kept=kept,
            person=document(Person, work.person),
            program=document(Program, about.program_id),
            partner=document(Person, f"{about.program_id}/{about.partner_id}") if about.partner_id else None,
            pair=document(Pair, about.pair_id) if about.pair_id else None,
            session=document(Session, about.session_id) if about.session_id else None,
        )


def states(mailroom: Mailroom, who: str) -> dict[str, NoticeState]:
    return {template: kept.state for template, kept in mailroom.notices(who).items()}
