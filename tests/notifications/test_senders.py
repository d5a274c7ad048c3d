import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from services.notifications.senders.smtp import (
    PermanentFailure,
    Security,
    Sent,
    SmtpPool,
    SmtpSettings,
    TemporaryFailure,
    send,
)


@dataclass
class Server:
    """A mail server that says what it is told to say."""

    rcpt: str = "250 OK"
    data: str = "250 taken"
    hang_up_on_data: bool = False
    silent: bool = False
    mails: list[bytes] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    transports: list[asyncio.BaseTransport] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    gate: asyncio.Event | None = None
    crowded: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.sessions.add(id(server))
        self.transports.append(server.transport)
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):
        if self.hang_up_on_data:
            server.transport.abort()
            return "250 nobody hears this"
        if self.silent:
            await asyncio.Event().wait()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self.under_way > 1:
            self.crowded.set()
        if self.gate:
            await self.gate.wait()
        self.under_way -= 1
        if self.data.startswith("250"):
            self.mails.append(envelope.content)
        return self.data


@asynccontextmanager
async def serving(server: Server, **options) -> AsyncIterator[int]:
    listener = await asyncio.get_running_loop().create_server(
        lambda: SMTP(server, hostname="mail.invalid", enable_SMTPUTF8=False, **options), "127.0.0.1", 0
    )
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


def settings_for(port: int, **more) -> SmtpSettings:
    return SmtpSettings(**{"host": "127.0.0.1", "port": port, "timeout_seconds": 5.0, **more})


def mail_to(email: str = "ada.lovelace@engines.invalid", name: str = "Ada Lovelace", id: str = "n1") -> EmailMessage:
    mail = EmailMessage()
    mail["Message-ID"] = f"<{id}@viceversa.invalid>"
    mail["From"] = "programme@viceversa.invalid"
    mail["To"] = Address(name, addr_spec=email)
    mail["Subject"] = "Grüezi"
    mail.set_content("Grüezi Ada\n.\nbye")
    return mail


async def test_a_mail_that_the_server_takes_is_sent_under_its_message_id():
    server = Server()
    async with serving(server) as port:
        outcome = await send(mail_to(), settings_for(port))

    assert outcome == Sent("<n1@viceversa.invalid>")
    assert b"Message-ID: <n1@viceversa.invalid>" in server.mails[0]


async def test_not_now_is_temporary():
    async with serving(Server(rcpt="451 greylisted, come back")) as port:
        assert await send(mail_to(), settings_for(port)) == TemporaryFailure("451 greylisted, come back")


async def test_not_now_after_the_text_is_temporary_too():
    async with serving(Server(data="452 disk full")) as port:
        assert await send(mail_to(), settings_for(port)) == TemporaryFailure("452 disk full")


async def test_an_unknown_mailbox_is_permanent_with_the_servers_words_and_without_the_address():
    said = "550 5.1.1 <ada.lovelace@engines.invalid>: user Ada.Lovelace unknown"
    async with serving(Server(rcpt=said)) as port:
        outcome = await send(mail_to(), settings_for(port))

    assert outcome == PermanentFailure("550 5.1.1 <[address]>: user [mailbox] unknown")


async def test_a_refused_text_is_permanent():
    async with serving(Server(data="554 looks like spam")) as port:
        assert await send(mail_to(), settings_for(port)) == PermanentFailure("554 looks like spam")


async def test_a_server_that_hangs_up_is_temporary():
    async with serving(Server(hang_up_on_data=True)) as port:
        assert isinstance(await send(mail_to(), settings_for(port)), TemporaryFailure)


async def test_no_server_is_temporary():
    async with serving(Server()) as port:
        pass

    assert isinstance(await send(mail_to(), settings_for(port)), TemporaryFailure)


async def test_a_silent_server_is_given_up_in_time():
    async with serving(Server(silent=True)) as port:
        outcome = await send(mail_to(), settings_for(port, timeout_seconds=0.2))

    assert outcome == TemporaryFailure("no answer in time")


async def test_an_address_that_the_server_cannot_write_is_permanent():
    async with serving(Server()) as port:
        outcome = await send(mail_to("ada@zoë.invalid"), settings_for(port))

    assert isinstance(outcome, PermanentFailure)
    assert "zoë" not in outcome.words


async def test_one_connection_carries_many_mails():
    server = Server()
    async with serving(server) as port, SmtpPool(settings_for(port)) as pool:
        outcomes = [await pool.send(mail_to(id=f"n{n}")) for n in range(5)]

    assert outcomes == [Sent(f"<n{n}@viceversa.invalid>") for n in range(5)]
    assert len(server.sessions) == 1


async def test_a_refused_mail_does_not_cost_the_connection():
    server = Server(rcpt="550 no such user")
    async with serving(server) as port, SmtpPool(settings_for(port)) as pool:
        assert isinstance(await pool.send(mail_to()), PermanentFailure)
        server.rcpt = "250 OK"
        assert isinstance(await pool.send(mail_to()), Sent)

    assert len(server.sessions) == 1


async def test_a_connection_that_died_while_idle_is_replaced():
    server = Server()
    async with serving(server) as port, SmtpPool(settings_for(port)) as pool:
        assert isinstance(await pool.send(mail_to()), Sent)
        server.transports[0].abort()
        assert isinstance(await pool.send(mail_to()), Sent)

    assert len(server.mails) == 2


async def test_no_more_mails_are_under_way_than_connections():
    server = Server(gate=asyncio.Event())
    async with serving(server) as port, SmtpPool(settings_for(port, connections=2)) as pool:
        sending = [asyncio.create_task(pool.send(mail_to(id=f"n{n}"))) for n in range(6)]
        await asyncio.wait_for(server.crowded.wait(), 5)
        server.gate.set()
        outcomes = await asyncio.gather(*sending)

    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert server.most_under_way == 2
    assert len(server.sessions) == 2


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
async def test_a_refused_log_in_costs_nobody_a_message():
    asks = {"authenticator": knows_viceversa, "auth_required": True, "auth_require_tls": False}
    async with serving(Server(), **asks) as port:
        right = await send(mail_to(), settings_for(port, username="viceversa", password="secret"))
        wrong = await send(mail_to(), settings_for(port, username="viceversa", password="guess"))
        without = await send(mail_to(), settings_for(port))

    assert isinstance(right, Sent)
    assert wrong == TemporaryFailure("535 5.7.8 Authentication credentials invalid")
    assert without == TemporaryFailure("530 5.7.0 Authentication required")


def knows_viceversa(server, session, envelope, mechanism, auth):
    return AuthResult(success=auth.password == b"secret", handled=False)


async def test_a_server_without_starttls_is_not_used_where_it_is_asked_for():
    server = Server()
    async with serving(server) as port:
        outcome = await send(mail_to(), settings_for(port, security=Security.STARTTLS))

    assert isinstance(outcome, TemporaryFailure)
    assert server.mails == []


def test_mail_is_plain_to_this_machine_and_protected_to_any_other():
    assert settings_for(25).protection is Security.PLAIN
    assert SmtpSettings(host="mail.engines.invalid", port=587).protection is Security.STARTTLS


def test_credentials_never_travel_in_the_open():
    with pytest.raises(ValueError, match="credentials need STARTTLS or TLS"):
        SmtpSettings(host="mail.engines.invalid", port=25, security=Security.PLAIN, username="u", password="p")


def test_settings_do_not_show_the_password():
    assert "secret" not in repr(settings_for(25, username="u", password="secret"))
