"""What the driver says to the database."""

from typing import Any

from pymongo import monitoring

Commands = list[tuple[str, dict[str, Any]]]


class Overheard(monitoring.CommandListener):
    """The commands that the driver sends."""

    def __init__(self) -> None:
        self.commands: Commands = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands.append((event.command_name, dict(event.command)))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass
