"""Sending, outside any transaction: as few mails as a crash may repeat are under way at once."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cache
from typing import Final

import structlog

from libs.chassis.documents import D, from_row
from libs.chassis.errors import Transient
from libs.chassis.mongo import Database
from services.notifications.letters import Desk, NoMail, mail_or_not, nothing_left
from services.notifications.senders.smtp import PermanentFailure, Sent, SmtpPool, TemporaryFailure
from services.notifications.settings import Settings
from services.notifications.store.notices import KeptNotice
from services.notifications.store.people import Person, Program
from services.notifications.store.sessions import Pair, Session
from services.notifications.work import Delivered, Fate, SendNotice

_REMEMBERED: Final = 10_000

log = structlog.get_logger()


@dataclass(slots=True)
class Postman:
    """Sends what is due.

    A crash between the server's yes and the record of it repeats a mail (under the same Message-ID). So a mail's turn
    lasts until that record is durable, and there are `smtp_at_once` turns: one, unless the operator prefers speed.
    """

    settings: Settings
    pool: SmtpPool = field(init=False)
    _turns: asyncio.Semaphore = field(init=False)
    _accepted: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.pool = SmtpPool(self.settings.smtp_settings)
        self._turns = asyncio.Semaphore(self.settings.smtp_at_once)

    async def deliver(self, work: SendNotice, database: Database) -> Delivered:
        """Never raises for what a mail server does or does not do; raises Transient when the database is away."""
        desk = await _desk(work, database)
        mail = mail_or_not(desk, self.settings.sender, self.settings.web, database.now())
        if isinstance(mail, NoMail):
            return _delivered(work, mail.fate, mail.why)
        await self._turns.acquire()
        turn = asyncio.create_task(self._take_turn(work, mail, database))
        # A service that stops gives up its waiting work, but never a mail between the server's yes and its record.
        return await asyncio.shield(turn)

    async def _take_turn(self, work: SendNotice, mail: EmailMessage, database: Database) -> Delivered:
        try:
            return await self._send(work, mail, database)
        finally:
            self._turns.release()

    async def _send(self, work: SendNotice, mail: EmailMessage, database: Database) -> Delivered:
        # Work whose lease ran out while it waited for its turn is handed over a second time.
        if work.notification_id in self._accepted:
            return _delivered(work, Fate.SENT)
        # And whoever was frozen meanwhile has lost its lease without knowing: others may have sent what it read.
        if done := nothing_left(await _one(database, KeptNotice, work.notification_id)):
            return _delivered(work, done.fate, done.why)
        match await self.pool.send(mail):
            case Sent():
                self._remember(work.notification_id)
                await _record_acceptance(work, database)
                return _delivered(work, Fate.SENT)
            case TemporaryFailure(words):
                log.warning("a mail was refused for now", notice=work.notification_id, words=words)
                return _delivered(work, Fate.REFUSED_FOR_NOW, words)
            case PermanentFailure(words):
                return _delivered(work, Fate.REFUSED, words)

    def _remember(self, notification_id: str) -> None:
        self._accepted[notification_id] = None
        if len(self._accepted) > _REMEMBERED:
            self._accepted.popitem(last=False)


async def deliver(work: SendNotice, database: Database) -> Delivered:
    """Send by the postman of this process."""
    return await _postman().deliver(work, database)


@cache
def _postman() -> Postman:
    return Postman(Settings())


def _delivered(work: SendNotice, fate: Fate, why: str = "") -> Delivered:
    return Delivered(notification_id=work.notification_id, person=work.person, fate=fate, why=why)


async def _record_acceptance(work: SendNotice, database: Database) -> None:
    """If the database is away just now, the result is still recorded with the work."""
    try:
        change = {"$set": {"accepted_at": database.now()}}
        await database.update(KeptNotice.collection, {"_id": work.notification_id}, change, many=False)
    except Transient as error:
        log.warning("a sent mail is not recorded yet", notice=work.notification_id, error=type(error).__name__)


async def _desk(work: SendNotice, database: Database) -> Desk:
    kept = await _one(database, KeptNotice, work.notification_id)
    notice = kept.notice
    if notice is None:
        return Desk(kept=kept, person=Person(id=work.person), program=Program(id=""))
    partner = f"{notice.program_id}/{notice.partner_id}" if notice.partner_id else None
    people, program, pair, session = await asyncio.gather(
        _some(database, Person, [id for id in (work.person, partner) if id]),
        _one(database, Program, notice.program_id),
        _maybe(database, Pair, notice.pair_id),
        _maybe(database, Session, notice.session_id),
    )
    return Desk(
        kept=kept,
        person=people[work.person],
        program=program,
        partner=people[partner] if partner else None,
        pair=pair,
        session=session,
    )


async def _some(database: Database, kind: type[D], ids: list[str]) -> dict[str, D]:
    rows = await database.find(kind.collection, {"_id": {"$in": ids}})
    return {id: kind(id=id) for id in ids} | {row["_id"]: from_row(kind, row) for row in rows}


async def _one(database: Database, kind: type[D], id: str) -> D:
    return (await _some(database, kind, [id]))[id]


async def _maybe(database: Database, kind: type[D], id: str | None) -> D | None:
    return await _one(database, kind, id) if id else None
