"""The operators' command line `viceversa`. Exit codes: 0 done, 1 in part or refused, 2 used wrongly, 3 no server."""

from typing import Any

import typer
from typer.core import TyperGroup

from libs.ops import dead_letter_commands, enrol_command, listing_commands, match_command, topic_commands
from libs.ops.failures import Failure
from libs.ops.screen import failed


class Commands(TyperGroup):
    """Turns a failure into one line, the next step and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            failed(failure)
            raise typer.Exit(failure.code) from failure


app = typer.Typer(cls=Commands, no_args_is_help=True, help=__doc__, pretty_exceptions_show_locals=False)
app.add_typer(topic_commands.topics, name="topics")
app.add_typer(listing_commands.program, name="program")
app.command("enrol")(enrol_command.enrol)
app.command("match")(match_command.match)
app.command("pairs")(listing_commands.pairs)
app.command("sessions")(listing_commands.sessions)
app.add_typer(dead_letter_commands.dead_letters, name="dead-letters")
app.command("flows")(topic_commands.flows)


def main() -> None:
    app(prog_name="viceversa")


if __name__ == "__main__":
    main()
