"""Runs of chosen tests in the copy."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.stack import Endpoints
from tests.faults.mutations.mutation import Mutation
from tests.faults.mutations.scratch import Scratch

GREEN, RED = 0, 1
LIMIT_SECONDS = 90
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+\.py.*?)(?: - (.*))?$", re.MULTILINE)


class NoTrial(Exception):
    """The tests could not be run, so that they prove nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`caught_by` is the first test that failed, and `why` what it said; empty if the mutation survived."""

    caught_by: str
    seconds: float
    why: str = ""


def rehearse(scratch: Scratch, endpoints: Endpoints, mutations: Sequence[Mutation]) -> float:
    """The seconds that the chosen tests take on the sound copy. Raises NoTrial unless all of them are green."""
    chosen = dict.fromkeys(test for mutation in mutations for test in mutation.caught_by)
    verdict = run(scratch, endpoints, list(chosen))
    if verdict.caught_by:
        raise NoTrial(f"red without any mutation: {verdict.caught_by}: {verdict.why}")
    return verdict.seconds


def judge(scratch: Scratch, endpoints: Endpoints, mutation: Mutation) -> Verdict:
    with scratch.spoiled(mutation):
        return run(scratch, endpoints, mutation.caught_by)


def run(scratch: Scratch, endpoints: Endpoints, tests: Sequence[str]) -> Verdict:
    """Run tests until the first that fails. Raises NoTrial where pytest itself has a complaint, or where code from
    outside the copy was tested."""
    begun = time.monotonic()
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", f"{__package__}.proof", f"--timeout={LIMIT_SECONDS}"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=scratch.root,
        env=_environment(scratch, endpoints),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    failed = FAILED.search(ended.stdout)
    if ended.returncode not in (GREEN, RED) or (ended.returncode == RED) != bool(failed):
        raise NoTrial(f"pytest ended with {ended.returncode}:\n{ended.stdout[-3_000:]}")
    seconds = round(time.monotonic() - begun, 1)
    return Verdict(failed[1], seconds, (failed[2] or "")[:120]) if failed else Verdict("", seconds)


def _environment(scratch: Scratch, endpoints: Endpoints) -> dict[str, str]:
    where = {"VICEVERSA_KAFKA": endpoints.kafka, "VICEVERSA_MONGODB": endpoints.mongodb}
    # Bytecode is told from its source by seconds and size, and a mutation may change neither.
    python = {"PYTHONPATH": str(scratch.root), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **where, **python, "COLUMNS": "400"}
