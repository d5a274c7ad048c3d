"""The settings of scheduling."""

from pydantic import Field, SecretStr

from libs.chassis.settings import Settings as ChassisSettings


class Settings(ChassisSettings):
    """What every service is told, and the key of the calendar feeds."""

    calendar_secret: SecretStr | None = Field(
        None, description="Key from which the addresses of calendar feeds are made; without it the API token is taken"
    )
