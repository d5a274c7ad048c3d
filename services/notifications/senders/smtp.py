"""Mail goes out by SMTP (RFC 5321). What became of it is a value, never an exception."""

import asyncio
import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from ipaddress import ip_address
from types import TracebackType
from typing import Final, Self

import aiosmtplib


class Security(StrEnum):
    """How the connection is protected."""

    PLAIN = "plain"  # for a server on this machine
    STARTTLS = "starttls"
    TLS = "tls"  # from the first byte


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """Where mail goes. Without `security` it is plain for a loopback address and STARTTLS for any other.

    `hello` is the name said in EHLO, which some servers want to be a real one. Raises ValueError for credentials over a
    plain connection to another machine.
    """

    host: str
    port: int
    security: Security | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_seconds: float = 30.0
    connections: int = 4
    hello: str = "localhost"

    def __post_init__(self) -> None:
        if self.username and self.protection is Security.PLAIN and not _is_loopback(self.host):
            raise ValueError("credentials need STARTTLS or TLS")

    @property
    def protection(self) -> Security:
        """The security in force."""
        return self.security or (Security.PLAIN if _is_loopback(self.host) else Security.STARTTLS)


@dataclass(frozen=True, slots=True)
class Sent:
    """The server has taken the mail."""

    message_id: str


@dataclass(frozen=True, slots=True)
class TemporaryFailure:
    """It may work later: no connection, no answer in time, a 4xx answer, or our own log-in was refused."""

    words: str


@dataclass(frozen=True, slots=True)
class PermanentFailure:
    """It will never work: a 5xx answer about this mail, or an address that cannot be sent to."""

    words: str


Outcome = Sent | TemporaryFailure | PermanentFailure

# A missing or refused log-in (RFC 4954) is a fault of the set-up, which must not cost anybody a message.
_LOG_IN: Final = frozenset({530, 534, 535, 538})
_LONGEST_WORDS: Final = 300
_ADDRESS: Final = re.compile(r"[^\s<>@\"'(),;:]+@[^\s<>@\"'(),;:]+")


class SmtpPool:
    """Connections to one server, reused from mail to mail; at most `connections` mails are under way at once."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(settings.connections)
        self._idle: list[aiosmtplib.SMTP] = []
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, mail: EmailMessage) -> Outcome:
        """Send to the one person in `To`. Bounded by the time-out, apart from waiting for a turn."""
        async with self._turns:
            try:
                async with asyncio.timeout(self._settings.timeout_seconds):
                    return await self._send(mail)
            except TimeoutError:
                return TemporaryFailure("no answer in time")
            except (OSError, aiosmtplib.SMTPException) as error:
                return TemporaryFailure(masked(_words(error), mail))

    async def close(self) -> None:
        """Part with the server. A mail under way keeps its own connection until it is done."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            try:
                async with asyncio.timeout(1):
                    await connection.quit()
            except (OSError, TimeoutError, aiosmtplib.SMTPException):
                connection.close()

    async def _send(self, mail: EmailMessage) -> Outcome:
        connection = await self._connection()
        keep = False
        try:
            outcome = await _deliver(connection, mail)
            keep = connection.is_connected and not self._closed
            return outcome
        finally:
            if keep:
                self._idle.append(connection)
            else:
                connection.close()

    async def _connection(self) -> aiosmtplib.SMTP:
        while self._idle:
            connection = self._idle.pop()
            if await _is_alive(connection):
                return connection
        connection = _new(self._settings)
        await connection.connect()
        return connection


async def send(mail: EmailMessage, settings: SmtpSettings) -> Outcome:
    """Send one mail over a connection of its own."""
    async with SmtpPool(settings) as pool:
        return await pool.send(mail)


def masked(words: str, mail: EmailMessage) -> str:
    """A server's words on one line, without the addresses and the mailbox that it may repeat."""
    text = _ADDRESS.sub("[address]", " ".join(words.split()))
    for mailbox in _mailboxes(mail):
        text = re.sub(rf"\b{re.escape(mailbox)}\b", "[mailbox]", text, flags=re.IGNORECASE)
    return text[:_LONGEST_WORDS]


def _mailboxes(mail: EmailMessage) -> list[str]:
    to = mail["To"]
    return [address.username for address in to.addresses if address.username] if to is not None else []


async def _deliver(connection: aiosmtplib.SMTP, mail: EmailMessage) -> Outcome:
    try:
        refused, _ = await connection.send_message(mail)
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _refusal(error.recipients[0].code, error.recipients[0].message, mail)
    except aiosmtplib.SMTPResponseException as error:
        return _refusal(error.code, error.message, mail)
    except (aiosmtplib.SMTPNotSupported, ValueError) as error:
        return PermanentFailure(masked(str(error), mail))
    for code, words in refused.values():
        return _refusal(code, words, mail)
    return Sent(str(mail["Message-ID"]))


def _refusal(code: int, words: str, mail: EmailMessage) -> TemporaryFailure | PermanentFailure:
    said = masked(f"{code} {words}", mail)
    return PermanentFailure(said) if code >= 500 and code not in _LOG_IN else TemporaryFailure(said)


async def _is_alive(connection: aiosmtplib.SMTP) -> bool:
    try:
        await connection.rset()
    except (OSError, aiosmtplib.SMTPException):
        connection.close()
        return False
    return True


def _new(settings: SmtpSettings) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username,
        password=settings.password,
        use_tls=settings.protection is Security.TLS,
        start_tls=settings.protection is Security.STARTTLS,
        timeout=settings.timeout_seconds,
        local_hostname=settings.hello,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _words(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
