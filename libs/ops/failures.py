"""What ends a command early, each kind with its exit code. 0 is done.

Failure
├── Refused      1  done in part, or a server said no
├── Misused      2  the command, a file or a setting is wrong
└── Unreachable  3  a server cannot be reached
"""

from typing import ClassVar


class Failure(Exception):
    """`next_step` tells the operator what to do now."""

    code: ClassVar[int] = 1

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.next_step = next_step


class Refused(Failure):
    code = 1


class Misused(Failure):
    code = 2


class Unreachable(Failure):
    code = 3
