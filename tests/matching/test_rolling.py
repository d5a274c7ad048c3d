"""Looks at arrivals on a real database: answered at once, whoever else waits and whatever a replica remembers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.stack import Endpoints
from libs.chassis import due, inbox, outbox
from libs.chassis.documents import from_row, to_row
from libs.chassis.metrics import Metrics
from libs.chassis.mongo import Database
from libs.chassis.service import Service
from libs.chassis.tracing import Off
from libs.chassis.transactions import Transactions
from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import PairEndReason
from services.matching.app import service
from services.matching.commands import ProgramWish, PublishProgram, WithdrawParticipant
from services.matching.everybody import propose_for_everybody
from services.matching.propose import LooksAtArrivals
from services.matching.store.people import FormerPartner, Person, Program
from services.matching.waiting import ASKED_AT_ONCE, OVERLAP
from services.matching.work import MatchEverybody, MatchWaiting, PairsProposed
from tests.chassis.polls import polling
from tests.chassis.tiny import obeyed, until
from tests.matching.rules_people import mentee, mentor, program
from tests.matching.world import enrol

WORK = MatchWaiting(program_id="2026")
LONG_AGO = timedelta(days=30)


@pytest.fixture
async def database(stack: Endpoints, database_prefix: str) -> AsyncIterator[Database]:
    database = Database(stack.mongodb, f"{database_prefix}vv_matching")
    for kind in service.keeps:
        await database.create_indexes(kind.collection, [(fields, {}) for fields in kind.indexes])
    for room, indexes in ((inbox.INBOX, inbox.INDEXES), (outbox.OUTBOX, outbox.INDEXES), (due.DUE, due.INDEXES)):
        await database.create_indexes(room, indexes)
    await publish(database, program(mode="rolling"))
    yield database
    database.close()


async def publish(database: Database, published: ProgramPublished) -> None:
    await database.delete(Program.collection, {})
    await database.insert(Program.collection, [to_row(Program(id="2026", version=1, published=published))])


async def arrive(database: Database, *people: ParticipantEnrolled, ago: timedelta = timedelta()) -> None:
    rows = []
    for member in people:
        person = Person(id=member.key, version=1)
        person.enrol(member, "/hr", database.now() - ago)
        rows.append(to_row(person))
    await database.insert(Person.collection, rows)


async def change(database: Database, name: str, **changed: Any) -> None:
    """A new version of a document, changed now."""
    (row,) = await database.find(Person.collection, {"_id": f"2026/{name}"})
    row |= {"version": row["version"] + 1, "changed_at": database.now()} | changed
    await database.delete(Person.collection, {"_id": row["_id"]})
    await database.insert(Person.collection, [row])


def pairs(proposal: Any) -> list[tuple[str, str]]:
    return sorted((pair.mentor_id, pair.mentee_id) for pair in proposal.pairs)


def after(proposal: PairsProposed, again: Sequence[str] = ()) -> MatchWaiting:
    return MatchWaiting.model_validate({"program_id": "2026", "last": proposal.last, "again": again})


async def test_an_arrival_behind_three_thousand_hopeless_people_is_answered_at_the_next_look(
    database: Database,
) -> None:
    await arrive(database, *(mentee(f"M{n}", languages=["fi"]) for n in range(3_000)), ago=LONG_AGO)
    looks = LooksAtArrivals()
    first = await looks.propose_pairs(WORK, database)
    await arrive(database, mentor("Ada"), mentee("Grace"))

    second = await looks.propose_pairs(after(first), database)

    assert (pairs(first), pairs(second)) == ([], [("ada", "grace")])


async def test_who_waits_meets_who_arrives_later(database: Database) -> None:
    await arrive(database, mentor("Ada"), ago=LONG_AGO)
    looks = LooksAtArrivals()
    first = await looks.propose_pairs(WORK, database)
    await arrive(database, mentee("Grace"))

    assert pairs(await looks.propose_pairs(after(first), database)) == [("ada", "grace")]


async def test_who_has_left_is_proposed_to_nobody(database: Database) -> None:
    await arrive(database, mentor("Ada"), ago=LONG_AGO)
    looks = LooksAtArrivals()
    first = await looks.propose_pairs(WORK, database)
    await change(database, "ada", seeking=False)
    await arrive(database, mentee("Grace"))

    assert pairs(await looks.propose_pairs(after(first), database)) == []


async def test_a_changed_profile_is_compared_anew(database: Database) -> None:
    hopeless = mentor("Ada", languages=["fi"])
    await arrive(database, hopeless, mentee("Grace"), ago=LONG_AGO)
    looks = LooksAtArrivals()
    first = await looks.propose_pairs(WORK, database)
    english = hopeless.model_copy(update={"languages": ("en",), "revision": 2})
    await change(database, "ada", profile=english.model_dump())

    assert (pairs(first), pairs(await looks.propose_pairs(after(first), database))) == ([], [("ada", "grace")])


@pytest.mark.parametrize("another_replica", [True, False])
async def test_a_look_whose_answer_was_lost_is_told_again(database: Database, another_replica: bool) -> None:
    looks = LooksAtArrivals()
    first = await looks.propose_pairs(WORK, database)
    await arrive(database, mentor("Ada"), mentee("Grace"))

    lost = await looks.propose_pairs(after(first), database)
    told = await (LooksAtArrivals() if another_replica else looks).propose_pairs(after(first), database)

    assert pairs(lost) == pairs(told) == [("ada", "grace")]


async def test_who_was_paired_in_vain_is_compared_again_though_unchanged(database: Database) -> None:
    looks = LooksAtArrivals()
    await arrive(database, mentor("Ada"), mentee("Grace"), mentee("Mina"), ago=LONG_AGO)
    first = await looks.propose_pairs(WORK, database)
    await database.delete(Person.collection, {"_id": "2026/grace"})

    second = await looks.propose_pairs(after(first, again=["ada", "grace"]), database)

    assert (pairs(first), pairs(second)) == ([], [("ada", "mina")])


async def test_a_new_revision_of_the_program_is_looked_at_with_a_pool_of_its_own(database: Database) -> None:
    await arrive(database, mentor("Ada"), mentee("Grace", grade=3))
    looks = LooksAtArrivals()
    first = await looks.propose_pairs(WORK, database)
    eased = program(mode="rolling", min_grade_gap=1).model_copy(update={"revision": 2})
    await publish(database, eased)

    assert (pairs(first), pairs(await looks.propose_pairs(WORK, database))) == ([], [("ada", "grace")])


async def test_more_arrivals_than_one_look_asks_for_are_left_to_the_next(database: Database) -> None:
    many = range(ASKED_AT_ONCE + 20)
    await arrive(database, *(mentor(f"Ada{n:03}") for n in many), ago=LONG_AGO)
    looks = LooksAtArrivals()
    first = await looks.propose_pairs(WORK, database)
    await arrive(database, *(mentee(f"Grace{n:03}") for n in many))

    second = await looks.propose_pairs(after(first), database)
    third = await looks.propose_pairs(after(second), database)

    assert second.last
    assert third.last
    assert (len(second.pairs), second.last.complete) == (ASKED_AT_ONCE, False)
    assert third.last.complete
    assert {pair.mentee_id for pair in (*second.pairs, *third.pairs)} == {f"grace{n:03}" for n in many}


async def test_who_changed_shortly_before_the_last_look_and_was_stored_after_it_is_seen(database: Database) -> None:
    looks = LooksAtArrivals()
    await arrive(database, mentor("Ada"), ago=LONG_AGO)
    first = await looks.propose_pairs(WORK, database)
    await arrive(database, mentee("Grace"), ago=OVERLAP / 2)

    assert pairs(await looks.propose_pairs(after(first), database)) == [("ada", "grace")]


async def test_a_look_at_everybody_sees_a_cooldown_that_ended(database: Database) -> None:
    await arrive(database, mentor("Ada"), mentee("Grace"), ago=LONG_AGO)
    ended = database.now() - timedelta(days=181)
    for one, other in (("ada", "grace"), ("grace", "ada")):
        (row,) = await database.find(Person.collection, {"_id": f"2026/{one}"})
        person = from_row(Person, row)
        person.former = [FormerPartner("old", other, PairEndReason.COMPLETED, ended)]
        await database.delete(Person.collection, {"_id": row["_id"]})
        await database.insert(Person.collection, [to_row(person)])

    arrivals = await LooksAtArrivals().propose_pairs(WORK, database)
    everybody = await propose_for_everybody(MatchEverybody(program_id="2026"), database)

    assert (pairs(arrivals), pairs(everybody)) == ([], [("ada", "grace")])


async def test_two_replicas_in_turns_pair_a_stream_of_arrivals_once(database: Database) -> None:
    other = replace(service, prepares={**service.prepares, MatchWaiting: LooksAtArrivals().propose_pairs})
    here = transactions(database, service)

    async def paired() -> Any:
        made = await database.find("pairs", {"state": "in_force"})
        return made if len(made) == 10 else None

    await database.delete(Program.collection, {})
    wish = ProgramWish.model_validate(program(mode="rolling").model_dump())
    await obeyed(here, PublishProgram(program_id="2026", wish=wish), str(uuid4()))
    async with working(database, service), working(database, other):
        for number in range(11):
            for person in (mentor(f"Ada{number}"), mentee(f"Grace{number}")):
                await obeyed(here, enrol(person), str(uuid4()))
        left = WithdrawParticipant(program_id="2026", participant_id="ada3", reason="leave")
        await obeyed(here, left, str(uuid4()))
        made = await until(paired)

    people = [row[side] for row in made for side in ("mentor_id", "mentee_id")]
    assert len(set(people)) == len(people) == 20


def transactions(database: Database, table: Service) -> Transactions:
    return Transactions(table, database, database.now, Metrics(table.name), Off(), lambda effects: None)


def working(database: Database, table: Service) -> AbstractAsyncContextManager[None]:
    """A replica that does what is due, by the real clock."""
    return polling(database, database.now, table, transactions(database, table))
