"""Break everything and check that nothing is lost: `python -m tests.faults run --seed 7 --minutes 5`."""

import faulthandler
import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from deploy.local.processes import LOCAL
from tests.faults.driver import account, campaign
from tests.faults.driver.faults import KINDS

INTERRUPTED = 130

app = typer.Typer(add_completion=False, help=__doc__)

Seed = Annotated[int, typer.Option(help="The same seed asks for the same things and strikes in the same order.")]
Minutes = Annotated[float, typer.Option(min=0.1, help="For how long things break.")]
Only = Annotated[list[str] | None, typer.Option(help="A kind of fault to choose from; may be said several times.")]


@app.command()
def run(seed: Seed = 1, minutes: Minutes = 5, only: Only = None) -> None:
    """One run, with the story of what it found."""
    _play(campaign.Plan(seed, minutes, tuple(only or ())))


@app.command()
def soak(seed: Seed = 1, minutes: Minutes = 60) -> None:
    """A long run with a picture of it in .local/soak.svg."""
    from tests.faults.driver.picture import draw

    plan = campaign.Plan(seed, minutes)
    try:
        _play(plan)
    finally:
        draw(plan.place, LOCAL / "soak.svg")


@app.command()
def kinds() -> None:
    """The kinds of faults, and how often each is in the deck."""
    for kind, line in KINDS.items():
        print(f"{line.copies:3}  {kind}")


def _play(plan: campaign.Plan) -> None:
    if unknown := [kind for kind in plan.only if kind not in KINDS]:
        raise typer.BadParameter(f"unknown kinds: {', '.join(unknown)}; see `python -m tests.faults kinds`")
    faulthandler.enable()
    # Each byte goes through a thread of the proxies, which would wait 5 ms for its turn.
    sys.setswitchinterval(0.0005)
    # Who is told to end stops the servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    outcome = campaign.run(plan)
    account.write(outcome)
    account.show(outcome, Console(width=150))
    raise SystemExit(0 if outcome.clean else 1)


if __name__ == "__main__":
    app()
