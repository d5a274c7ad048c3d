"""A contestant on a pool, in a process of its own so that time and memory are its own, and for a limited time."""

import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from .generator import Variant

ENGINE: Final = "engine"
# A contestant that would need more is stopped, not the machine
_MEMORY_BYTES: Final = 14 * 2**30


@dataclass(frozen=True, slots=True)
class Match:
    """The pool that contestants try."""

    people: int
    variant: Variant
    seed: int

    @property
    def name(self) -> str:
        kind = "" if self.variant is Variant.LOPSIDED else f"{self.variant}_"
        return f"matching_{kind}{self.people}"


@dataclass(slots=True)
class Done:
    """What a contestant reached; scores in millionths of a pair's best."""

    seconds: dict[str, float] = field(default_factory=dict)
    """By part: loading (events to arrays), scoring, solving, certificate, rationale."""
    memory: float = 0
    """MB at the peak of the process."""
    pairs: int = 0
    value: int = 0
    upper_bound: int | None = None
    """Where the contestant proves one."""
    verdict: dict[str, Any] | None = None
    """What the verifier found, where it was asked."""
    missed: str = ""
    """Why the contestant did not finish; empty if it did."""

    @property
    def matching(self) -> float:
        """Seconds from arrays to pairs, proven ones where the contestant proves them."""
        return sum(self.seconds.get(part, 0) for part in ("scoring", "solving", "certificate"))


def contest(name: str, match: Match, limit: float, *options: str) -> Done:
    """Let a contestant try, for at most `limit` seconds with all that goes before."""
    module = ["benchmarks.matching.engine"] if name == ENGINE else ["benchmarks.matching.rivals", name]
    command = [sys.executable, "-m", *module, str(match.people), match.variant, str(match.seed), *options]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return Done(missed=f"not within {limit:,.0f} s")
    if ended.returncode:
        return Done(missed=_last_line(ended.stderr) or f"ended with {ended.returncode}")
    return Done(**json.loads(ended.stdout.splitlines()[-1]))


def report(done: Done) -> None:
    """Tell the process that asked."""
    print(json.dumps(asdict(done)))


def limit_memory() -> None:
    """Fail here, with a MemoryError or by the library's own means, rather than take the machine down."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1][:200]
