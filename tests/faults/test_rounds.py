"""Rounds whose replicas are killed at their worst moments, while people leave and take fewer places.

A few hundred pairs; with ROUND_PAIRS=5000 as many as a large company's round has.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.local.stack import Endpoints
from libs.chassis.due import DUE
from libs.chassis.leases import LEASES, NEVER
from libs.chassis.mongo import Database
from libs.contracts.events import Event, ParticipantEnrolled, ParticipantWithdrawn, ProgramPublished
from libs.contracts.examples import PARTICIPANT_WITHDRAWN
from libs.contracts.words import Mode
from services.matching.app import service
from services.matching.commands import AskForRound
from services.matching.store.rounds import RoundWish
from tests.chassis.tiny import obeyed, settling
from tests.faults.checker.check import CHECKS
from tests.faults.checker.evidence import Evidence, gather
from tests.faults.checker.story import story_of
from tests.faults.checker.told import Told
from tests.faults.struck.points import Point
from tests.journeys.company import Company, company, couple, program, until

PAIRS = int(os.environ.get("ROUND_PAIRS", "400"))
PATIENCE = 60 + PAIRS * 0.2
# Where, and how often the point is met up to the blow: the plan is stored and does not count yet; it counts; a sheet
# is written and not committed; nobody knows whether it is; it is, and its process has not heard so.
STRIKES = ((Point.PREPARED, 1), (Point.COMMITTED, 1), (Point.TO_COMMIT, 1), (Point.IN_COMMIT, 1), (Point.COMMITTED, 2))
# What a company can be judged by in which nobody meets and nobody is told.
CHECKED = (
    "ends",
    "readable",
    "ids",
    "numbers",
    "order",
    "said",
    "pairs once",
    "pairs of people",
    "places",
    "ends of pairs",
    "ends of rounds",
    "pairs of rounds",
    "pages",
    "state of pairs",
    "state of partners",
)


@pytest.mark.timeout(int(300 + 2 * PATIENCE))
def test_a_round_whose_replicas_are_killed_pairs_nobody_twice_and_loses_nobody(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path
) -> None:
    with company(stack, prefix, database_prefix, tmp_path) as office:
        wait_for_a_round(office)
        assert asyncio.run(asked(office)) == 202
        changes = iter(leavers())
        for number, (point, nth) in enumerate(STRIKES):
            office.say(list(islice(changes, 4)))
            killed(office, number, point, nth)
        office.servers["matching"].launch()
        office.say(list(changes))
        until(lambda: office.count("matching", "rounds", {"state": "done"}) == 1, PATIENCE, "the round")
        until(lambda: office.count("matching", "people", {"withdrawal": {"$ne": None}}) == 10, what="who leaves")
        until(lambda: not office.waiting_pages(), what="an empty outbox")
        found = evidence(office)
    story = story_of(found)
    assert [str(violation) for name in CHECKED for violation in CHECKS[name](story)] == []
    the_round_paired_all_who_stayed(found)


def wait_for_a_round(office: Company) -> None:
    """Mentors take two each, and as many mentees as they have places wait with them."""
    office.servers["matching"].launch()
    office.say([in_rounds(), *mentors(), *mentees()])
    until(lambda: office.count("matching", "people", {"seeking": True}) == PAIRS // 2 + PAIRS, PATIENCE, "everybody")
    until(lambda: office.count("matching", "programs", {}) == 1, what="the programme")
    office.servers["matching"].stop()


def in_rounds() -> ProgramPublished:
    published = program()
    return published.model_copy(update={"policy": published.policy.model_copy(update={"mode": Mode.ROUNDS})})


def mentors() -> Iterator[ParticipantEnrolled]:
    first = couple(0)[0]
    for number in range(PAIRS // 2):
        yield _named(first, f"ada-{number}", 2)


def mentees() -> Iterator[ParticipantEnrolled]:
    first = couple(0)[1]
    return (_named(first, f"grace-{number}", 1) for number in range(PAIRS))


def leavers() -> Iterator[Event]:
    """People who leave, and people who now want one pair only."""
    for number, mentor in enumerate(islice(mentors(), 10)):
        gone = {"program_id": mentor.program_id, "participant_id": f"grace-{number * PAIRS // 10}", "revision": 9}
        yield ParticipantWithdrawn.model_validate(PARTICIPANT_WITHDRAWN.model_dump() | gone)
        yield mentor.model_copy(update={"capacity": 1, "revision": mentor.revision + 1})


async def asked(office: Company) -> int:
    database = Database(office.values["VICEVERSA_MONGODB"], f"{office.database}_matching")
    try:
        command = AskForRound(program_id=in_rounds().program_id, round_id="r1", wish=RoundWish())
        return (await obeyed(settling(database, service), command, "r1")).status
    finally:
        database.close()


def killed(office: Company, number: int, point: Point, nth: int) -> None:
    """A replica works until it meets the point; then time passes for what it held."""
    log = office.root / "log" / f"matching-{number}.log"
    environment = os.environ | office.servers["matching"].environment | {"VICEVERSA_HTTP_PORT": "0"}
    words = [sys.executable, "-m", "tests.faults.struck", "matching", "--point", point, "--nth", str(nth)]
    with log.open("wb") as file, subprocess.Popen(words, env=environment, stdout=file, stderr=file) as replica:
        try:
            replica.wait(PATIENCE)
        finally:
            replica.kill()
    assert f"struck at {point}\n" in log.read_text(), log.read_text()[-2_000:]
    with MongoClient[dict[str, Any]](office.values["VICEVERSA_MONGODB"]) as client:
        its = client[f"{office.database}_matching"]
        its[DUE].update_many({}, {"$set": {"lease.until": NEVER}})
        its[LEASES].update_many({}, {"$set": {"until": NEVER}})


def evidence(office: Company) -> Evidence:
    return gather(
        office.values["VICEVERSA_KAFKA"],
        office.values["VICEVERSA_MONGODB"],
        office.prefix,
        office.database,
        office.root / "mails",
        Told(),
    )


def the_round_paired_all_who_stayed(found: Evidence) -> None:
    """Those who left, or took fewer places, may leave a partner of theirs behind."""
    matching = found.documents["matching"]
    (round,) = matching["rounds"]
    waiting = [row["_id"] for row in matching["people"] if row["seeking"] and not row["partners"]]
    assert round["planned"] >= PAIRS - 30
    assert len(waiting) <= 30


def _named(person: ParticipantEnrolled, id: str, capacity: int) -> ParticipantEnrolled:
    changed = {"participant_id": id, "name": id.title(), "email": f"{id}@engines.invalid", "capacity": capacity}
    return person.model_copy(update=changed)
