"""Runs one process of a service that is struck at a point of the chassis's sequence, or whose clock is wrong:
`python -m tests.faults.struck matching --point committed --nth 2 --signal STOP --clock -3600`."""

import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from importlib import import_module

from deploy.local.parts import SERVICES
from libs.chassis import run as production
from tests.faults.struck.clock import shift
from tests.faults.struck.points import Fate, Point
from tests.faults.struck.service import struck

BLOWS = {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP}


def main(words: Sequence[str] | None = None) -> None:
    parser = ArgumentParser(prog="python -m tests.faults.struck", description=__doc__)
    parser.add_argument("service", choices=[part.name for part in SERVICES])
    parser.add_argument("--point", type=Point, choices=list(Point), help="where; without it nothing strikes")
    parser.add_argument("--nth", type=_positive, default=1, help="how often the point is met up to the blow")
    parser.add_argument("--signal", choices=BLOWS, default="KILL")
    parser.add_argument("--clock", type=float, default=0.0, metavar="SECONDS", help="how far its clock is ahead")
    asked = parser.parse_args(words)
    service = import_module(f"services.{asked.service}.app").service
    settings = import_module(f"services.{asked.service}.settings").Settings()
    if asked.clock:
        shift(asked.clock)
    with struck(Fate(asked.point, asked.nth, BLOWS[asked.signal])):
        production.run(service, settings)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("a number from 1")
    return int(text)


if __name__ == "__main__":
    main()
