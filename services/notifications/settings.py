"""The settings of notifications, besides those of every service."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from libs.chassis.settings import Settings as ChassisSettings
from services.notifications.rules.invitations import Mailbox
from services.notifications.senders.smtp import Security, SmtpSettings


class Settings(ChassisSettings):
    """Read once at start."""

    smtp: str = Field("127.0.0.1:1025", pattern=r"^\S+:[0-9]{1,5}$", description="Mail server, host:port")
    smtp_user: str | None = Field(None, description="Log-in at the mail server, where it asks for one")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server")
    smtp_tls: Security | None = Field(
        None, description="plain, starttls or tls; without it plain on loopback and STARTTLS elsewhere"
    )
    smtp_at_once: int = Field(
        1, ge=1, le=16, description="Mails under way at once; so many a crash can repeat, under the same Message-ID"
    )
    smtp_seconds: float = Field(15.0, gt=0, le=30, description="How long one mail may take")
    sender_name: str = Field("Viceversa", min_length=1, max_length=200, description="Name in From")
    sender_email: str = Field("viceversa@viceversa.invalid", pattern=r"^[^@\s]+@[^@\s]+$", description="From")
    web: str | None = Field(None, pattern=r"^https?://\S+$", description="Where people answer: <web>/sessions/<id>")

    @property
    def sender(self) -> Mailbox:
        return Mailbox(self.sender_name, self.sender_email)

    @property
    def smtp_settings(self) -> SmtpSettings:
        host, _, port = self.smtp.rpartition(":")
        return SmtpSettings(
            host=host.strip("[]"),
            port=int(port),
            security=self.smtp_tls,
            username=self.smtp_user,
            password=self.smtp_password.get_secret_value() if self.smtp_password else None,
            timeout_seconds=self.smtp_seconds,
            connections=self.smtp_at_once,
        )

    @model_validator(mode="after")
    def _can_send(self) -> Self:
        _ = self.smtp_settings
        return self
