"""The settings of matching."""

from libs.chassis.settings import Settings as CommonSettings


class Settings(CommonSettings):
    """Those of every service; matching has none of its own."""
