"""The settings of every service, from environment variables with the prefix VICEVERSA_."""

from ipaddress import ip_address
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start. A service adds its own in its `settings.py`."""

    model_config = SettingsConfigDict(env_prefix="VICEVERSA_", frozen=True, extra="ignore")

    kafka: str = Field("127.0.0.1:9092", description="Bootstrap servers, host:port separated by commas")
    mongodb: str = Field("mongodb://127.0.0.1:27017/?replicaSet=rs0", description="Connection string of a replica set")
    prefix: str = Field("", description="Put before every topic, group and transactional id, for instance `mentoring.`")
    database: str = Field("viceversa", description="Databases are named <database>_<service>")
    http_host: str = Field("127.0.0.1", description="Address to bind to; other than loopback needs an API token")
    http_port: int = Field(8080, ge=0, le=65535, description="Port to bind to; 0 takes a free one")
    api_token: SecretStr | None = Field(
        None, description="Bearer token asked for by every route but health, metrics and calendar feeds"
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    batch_records: int = Field(1_000, ge=1, le=10_000, description="Messages in one transaction at most")
    command_seconds: float = Field(10.0, gt=0, description="How long a caller waits for a command's transaction")
    outbox_pages_limit: int = Field(10_000, ge=1, description="Waiting pages above which commands are answered 503")
    outbox_age_limit: float = Field(30.0, gt=0, description="Age in seconds of the oldest page above which not ready")
    shutdown_seconds: float = Field(20.0, gt=0, description="How long a graceful stop may take")
    otlp_endpoint: str | None = Field(None, description="OTLP/HTTP endpoint for traces; none leaves tracing off")

    @model_validator(mode="after")
    def _closed_unless_asked(self) -> Self:
        if not self.api_token and not _loopback(self.http_host):
            raise ValueError(
                f"refusing to listen on {self.http_host} without a token: set VICEVERSA_API_TOKEN, "
                "or VICEVERSA_HTTP_HOST=127.0.0.1"
            )
        return self


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
