"""Dead letters as operators need them: found fast, shown masked, rehearsed, replayed once, never in a circle."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from deploy.local.stack import Endpoints
from libs.chassis import due
from libs.chassis.dead_letters import MOST_REPLAYS, DeadLetter, PurgeDeadLetter, ReplayDeadLetter
from libs.chassis.items import Cause, Item, digest
from libs.chassis.mongo import Database
from libs.chassis.run import Runtime
from libs.chassis.service import Service
from libs.chassis.state import State
from libs.chassis.words import Facts, Handler, Later, reads
from libs.contracts.events import NotificationSent, ParticipantEnrolled
from tests.chassis.processes import World, header, record, running
from tests.chassis.tiny import NOW, Remind, Tally, enrolled, facts, item, obeyed, service, settling, tally, told, until

ENROLLED = ParticipantEnrolled.topic


@reads(lambda event: [Tally.by_id(event.key)])
def mended(event: ParticipantEnrolled, state: State, now: Any) -> Facts:
    state[Tally, event.key].times += 1
    state[Tally, event.key].held = [state.source, state.event_id]
    yield told(event.key)


def with_handler(handler: Handler[Any]) -> Service:
    return replace(service, hears={**service.hears, ParticipantEnrolled: handler})


async def parked(client: httpx.AsyncClient, **wanted: str) -> list[dict[str, Any]]:
    return (await client.get("/dead-letters", params={"state": "parked", **wanted})).json()["items"]


async def the_path(client: httpx.AsyncClient) -> str:
    (letter,) = await until(lambda: parked(client))
    return f"/dead-letters/{letter['dead_letter_id']}"


async def test_what_fails_again_stays_the_same_letter_and_is_refused_after_three_replays(world: World) -> None:
    world.say([record(enrolled("ada", "Broken"), "1")])
    async with running(world.runtime()) as client:
        path = await the_path(client)

        tries = [(await client.post(f"{path}/replay", json={"by": "grace"})).status_code for _ in range(MOST_REPLAYS)]
        refused = await client.post(f"{path}/replay")
        forced = await client.post(f"{path}/replay", json={"force": True})

        assert (tries, forced.status_code) == ([500] * MOST_REPLAYS, 500)
        assert (refused.status_code, refused.json()["reason"]) == (409, "replayed_too_often")
        (letter,) = await parked(client)
        assert (letter["state"], letter["replays"]) == ("parked", MOST_REPLAYS + 1)


async def test_a_repeated_request_counts_once(world: World) -> None:
    world.say([record(enrolled("ada", "Broken"), "1")])
    async with running(world.runtime()) as client:
        path = await the_path(client)

        answers = [await client.post(f"{path}/replay", headers={"Idempotency-Key": "k"}) for _ in range(3)]

        assert {answer.status_code for answer in answers} <= {500}
        (letter,) = await parked(client)
        assert letter["replays"] == 1


async def test_a_replay_is_counted_before_its_handler_runs_so_that_one_that_ends_the_process_counts(
    world: World, stack: Endpoints
) -> None:
    counted: list[int] = []

    @reads(lambda event: [Tally.by_id(event.key)])
    def looking(event: ParticipantEnrolled, state: State, now: Any) -> Facts:
        letters = everything(stack, f"{world.database}_tiny")[DeadLetter.collection]
        counted.extend(row["replays"] for row in letters)
        yield told(event.key)

    world.say([record(enrolled("ada", "Broken"), "1")])
    async with running(world.runtime()) as client:
        path = await the_path(client)
    async with running(world.runtime(with_handler(looking))) as client:
        answer = await client.post(f"{path}/replay")

    assert (answer.status_code, counted) == (200, [1])


async def test_operators_who_replay_at_once_through_two_replicas_have_one_effect_and_one_fact(world: World) -> None:
    world.say([record(enrolled("ada", "Broken"), "1"), record(enrolled("grace"), "2")])
    async with running(world.runtime()) as client:
        path = await the_path(client)
    first, second = (world.runtime(with_handler(mended)) for _ in range(2))
    async with running(first) as ada, running(second, until_ready=False) as grace:
        await until(lambda: live(grace, path))

        answers = await asyncio.gather(
            *(client.post(f"{path}/replay", json={"force": True}) for client in (ada, grace) * 4)
        )

        assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]
        await until(lambda: all_published(first))
        assert (await tally(first.database, "ada"))["times"] == 1
    subjects = [header(message, "ce_subject") for message in await world.read(NotificationSent.topic)]
    assert sorted(subjects) == ["2026/ada", "2026/grace"]


async def live(client: httpx.AsyncClient, path: str) -> bool:
    return (await client.get(path)).status_code == 200


async def all_published(runtime: Runtime) -> bool:
    return await runtime.database.count("outbox") == 0


async def test_a_replayed_event_is_heard_with_its_own_id_and_source(database: Database) -> None:
    """Ids of notices are made of it: without, the notices of two replayed events would be one."""
    await settling(database).settle([item(enrolled("ada", "Broken"), "7")])
    (letter,) = await database.find(DeadLetter.collection, {})

    await obeyed(settling(database, with_handler(mended)), ReplayDeadLetter(dead_letter_id=letter["_id"]), "k")

    assert (await tally(database, "ada"))["held"] == ["/hr", "7"]


def foreseen_table() -> Service:
    """Of today's code, to which some parked events are good, some are not."""

    def today(event: ParticipantEnrolled, state: State, now: Any) -> Facts:
        if event.participant_id == "omar":
            state[Tally, event.key].times += 100
            raise ValueError(event.name)
        if event.participant_id == "mina":
            yield Later(Remind(person=event.key), now)
        yield from mended(event, state, now)

    return with_handler(Handler(today, mended.first))


async def test_a_rehearsal_tells_what_would_happen_and_writes_nothing(world: World, stack: Endpoints) -> None:
    people = ("ada", "mina", "omar")
    broken = [record(enrolled(name, "Broken"), name, partition=0) for name in people]
    world.say([*broken, replace(record(enrolled("wei"), "wei", partition=1), value=b'{"name": "Wei"')])
    async with running(world.runtime()) as client:
        await until(lambda: four(client))
    runtime = world.runtime(foreseen_table())
    async with running(runtime) as client:
        letters = await parked(client)
        before = everything(stack, f"{world.database}_tiny")

        found = [(await client.get(f"/dead-letters/{each['dead_letter_id']}/outlook")).json() for each in letters]
        missing = await client.get("/dead-letters/nothing/outlook")

        assert everything(stack, f"{world.database}_tiny") == before
    assert [(each["would_be"], each["reason"], each["facts"], each["planned"]) for each in found] == [
        ("handled", "", ["notification-sent"], []),
        ("handled", "", ["notification-sent"], ["Remind"]),
        ("failed", "handler_failed", [], []),
        ("refused", "unreadable", [], []),
    ]
    assert found[2]["detail"].startswith("ValueError in test_dead_letters.py")
    assert "invalid_json" in found[3]["detail"]
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


async def four(client: httpx.AsyncClient) -> bool:
    return len(await parked(client)) == 4


def everything(stack: Endpoints, name: str) -> dict[str, Any]:
    """Each document of a database but for leases, which live by the second."""
    with MongoClient[dict[str, Any]](stack.mongodb) as client:
        names = sorted(set(client[name].list_collection_names()) - {"leases"})
        return {each: list(client[name][each].find(sort=[("_id", 1)])) for each in names}


async def test_a_purge_keeps_why_it_was_parked_and_why_by_whom_and_when_it_was_purged(database: Database) -> None:
    await settling(database).settle([item(enrolled("ada", "Broken"), "1")])
    (letter,) = await database.find(DeadLetter.collection, {})
    purge = PurgeDeadLetter(dead_letter_id=letter["_id"], reason="said again", by="grace")

    await obeyed(settling(database), purge, "k")

    (kept,) = await database.find(DeadLetter.collection, {})
    assert [kept[name] for name in ("key", "value", "headers", "work")] == [None, None, [], None]
    assert [kept[name] for name in ("reason", "detail")] == [letter["reason"], letter["detail"]]
    assert [kept[name] for name in ("state", "because", "by", "changed_at")] == ["purged", "said again", "grace", NOW]


async def test_parked_due_work_is_handled_at_once_and_leaves_what_was_planned_since(database: Database) -> None:
    await settling(database).settle([Item("due x", Remind(person="2026/ada", amount=5_000), digest(b""), Cause("c"))])
    planned = due.row(Later(Remind(person="2026/ada", amount=1), NOW + timedelta(days=9)), Cause("c"))
    async with database.transaction() as transaction:
        await transaction.insert(due.DUE, [planned])
    (letter,) = await database.find(DeadLetter.collection, {})
    again = ReplayDeadLetter(dead_letter_id=letter["_id"])

    still = await obeyed(settling(database), again, "k1")
    table = replace(service, wakes={**service.wakes, Remind: Handler(remind, lambda work: [Tally.by_id(work.person)])})
    done = await obeyed(settling(database, table), again, "k2")

    assert (still.status, done.status) == (500, 200)
    assert [row["state"] for row in await database.find(DeadLetter.collection, {})] == ["replayed"]
    assert [row["work"]["amount"] for row in await database.find(due.DUE, {})] == [1]
    assert ((await tally(database, "ada"))["times"], await facts(database)) == (5_000, [("2026/ada", 1)])


def remind(work: Remind, state: State, now: Any) -> Facts:
    state[Tally, work.person].times += work.amount
    yield told(work.person)


async def test_what_is_no_longer_a_topic_or_a_kind_of_work_is_refused_and_stays(database: Database) -> None:
    await settling(database).settle([Item("due x", Remind(person="2026/ada", amount=5_000), digest(b""), Cause("c"))])
    await settling(database).settle([item(enrolled("ada", "Broken"), "1")])
    await database.update(DeadLetter.collection, {"topic": ENROLLED}, {"$set": {"topic": "long-gone"}})
    await database.update(DeadLetter.collection, {"topic": None}, {"$set": {"work": {"person": 7}}})
    letters = await database.find(DeadLetter.collection, {}, sort=[("_id", 1)])

    answers = [
        await obeyed(settling(database), ReplayDeadLetter(dead_letter_id=row["_id"]), row["_id"]) for row in letters
    ]

    assert [answer.body["reason"] for answer in answers] == ["unreadable", "unreadable"]
    assert ["it is no Remind of today" in answers[0].body["detail"], "long-gone" in answers[1].body["detail"]] == [
        True
    ] * 2


MANY = 100_000


def letter(number: int) -> dict[str, Any]:
    """One of many: two topics, three reasons, a minute apart, a twentieth replayed."""
    topic = (ENROLLED, "pair-ended")[number % 2]
    found = DeadLetter(id=f"{topic}.{number % 3:04}.{number:019}.0.x", topic=topic, partition=number % 3, offset=number)
    row = {name: getattr(found, name) for name in DeadLetter.__dataclass_fields__ if name not in ("id", "collection")}
    state = "replayed" if number % 20 == 0 else "parked"
    reason = ("handler_failed", "conflict", "poison")[number % 7 % 3]
    at = NOW + timedelta(minutes=number)
    return {**row, "_id": found.id, "version": 1, "state": state, "reason": reason, "at": at, "value": b"x" * 200}


@pytest.fixture
async def many(world: World, stack: Endpoints) -> World:
    """A hundred thousand dead letters."""
    async with running(world.runtime()):
        pass
    with MongoClient[dict[str, Any]](stack.mongodb) as client:
        letters = client[f"{world.database}_tiny"][DeadLetter.collection]
        for start in range(0, MANY, 10_000):
            letters.insert_many([letter(number) for number in range(start, start + 10_000)])
    return world


async def test_a_hundred_thousand_are_counted_filtered_and_paged_through_indexes(many: World, stack: Endpoints) -> None:
    expected = [letter(number) for number in range(MANY)]
    async with running(many.runtime()) as client:
        whole = (await client.get("/dead-letters/summary")).json()
        waiting = (await client.get("/dead-letters/summary", params={"state": "parked"})).json()
        window = {
            "since": (NOW + timedelta(minutes=600)).isoformat(),
            "until": (NOW + timedelta(minutes=700)).isoformat(),
        }
        late = await parked(client, reason="poison", topic="pair-ended", **window)
        pages = [ids async for ids in paged(client, {"reason": "conflict", "topic": ENROLLED})]

    assert (whole["total"], len(whole["items"])) == (MANY, 6)
    assert waiting["total"] == sum(row["state"] == "parked" for row in expected)
    assert whole["items"][0]["oldest"] < whole["items"][0]["newest"]
    matching = sorted(row["_id"] for row in expected if row["reason"] == "conflict" and row["topic"] == ENROLLED)
    assert [id for ids in pages for id in ids] == matching
    in_window = [row for row in expected[600:700] if row["reason"] == "poison" and row["topic"] == "pair-ended"]
    assert sorted(each["offset"] for each in late) == [row["offset"] for row in in_window if row["state"] == "parked"]
    for wanted, order in (
        ({"state": {"$in": ["parked", "replayed", "purged"]}, "reason": "conflict"}, [("_id", 1)]),
        ({"state": "parked", "reason": "conflict", "topic": ENROLLED, "_id": {"$gt": pages[0][-1]}}, [("_id", 1)]),
        ({"state": "parked", "at": {"$lt": NOW + timedelta(minutes=50_000)}}, [("_id", 1)]),
        ({"state": {"$in": ["parked", "purged"]}, "topic": {"$gt": ENROLLED}}, [("topic", 1)]),
        ({"state": "parked", "topic": ENROLLED, "reason": "poison", "at": {"$gt": NOW}}, [("at", -1)]),
    ):
        assert examined(stack, f"{many.database}_tiny", wanted, order) <= 101


async def paged(client: httpx.AsyncClient, wanted: dict[str, str]) -> Any:
    cursor: str | None = ""
    while cursor is not None:
        query = {**wanted, "limit": "500"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/dead-letters", params=query)).json()
        yield [each["dead_letter_id"] for each in page["items"]]
        cursor = page["next"]


def examined(stack: Endpoints, name: str, wanted: dict[str, Any], order: list[tuple[str, int]]) -> int:
    """How many documents MongoDB opens for a page; the rest is decided in an index, and nothing is sorted."""
    with MongoClient[dict[str, Any]](stack.mongodb) as client:
        told = client[name][DeadLetter.collection].find(wanted, sort=order, limit=101).explain()
    assert '"SORT"' not in str(told["queryPlanner"]["winningPlan"]).replace("'", '"')
    return int(told["executionStats"]["totalDocsExamined"])


async def test_records_of_a_partition_are_listed_in_their_order_and_only_those_asked_for(world: World) -> None:
    broken = [record(enrolled(f"person-{number}", "Broken"), str(number), partition=0) for number in range(12)]
    world.say([*broken, replace(record(enrolled("wei"), "wei", partition=1), value=b"{")])
    async with running(world.runtime()) as client:
        await until(lambda: thirteen(client))
        listed = await parked(client, reason="handler_failed")

        assert [each["offset"] for each in listed] == list(range(12))
        assert [each["partition"] for each in await parked(client, reason="invalid_json")] == [1]
        assert await parked(client, since="2200-01-01T00:00:00Z") == []
        assert len(await parked(client, until="2200-01-01T00:00:00+02:00", topic=ENROLLED)) == 13
        for wrong in ({"since": "2026-03-02T09:00:00"}, {"until": "0001-01-01T00:00:00+14:00"}, {"state": "lost"}):
            assert (await client.get("/dead-letters", params=wrong)).status_code == 422


async def thirteen(client: httpx.AsyncClient) -> bool:
    return len(await parked(client)) == 13


async def test_one_is_shown_with_its_structure_and_without_what_it_says(world: World) -> None:
    world.say([record(enrolled("ada", "Broken"), "1")])
    async with running(world.runtime()) as client:
        shown = await client.get(await the_path(client))

    found = shown.json()
    assert (found["key"], found["value"]["grade"], found["value"]["name"]) == ("text (8)", "whole number", "text (3)")
    assert "ce_source" in found["headers"]
    for value in ("ada", "okafor", "zurich", "/hr"):
        assert value not in shown.text.lower()


async def test_the_routes_are_described_with_their_answers_and_problems(world: World) -> None:
    async with running(world.runtime(), until_ready=False) as client:
        described = (await client.get("/openapi.json")).json()

    paths = {path: verbs for path, verbs in described["paths"].items() if path.startswith("/dead-letters")}
    assert len(paths) == 6
    for verbs in paths.values():
        for route in verbs.values():
            assert "$ref" in route["responses"]["200"]["content"]["application/json"]["schema"]
    replay = paths["/dead-letters/{dead_letter_id}/replay"]["post"]["responses"]["409"]["content"]
    assert replay["application/problem+json"]["schema"]["$ref"].removeprefix("#/components/schemas/") == "Problem"
    assert "Problem" in described["components"]["schemas"]
