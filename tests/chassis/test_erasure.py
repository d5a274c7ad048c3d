"""An erasure reaches what the chassis keeps beside documents."""

from dataclasses import replace
from typing import Any

from libs.chassis.dead_letters import DeadLetter, ReplayDeadLetter
from libs.chassis.inbox import INBOX
from libs.chassis.items import Cause, Item, Raw, digest
from libs.chassis.mongo import Database
from libs.chassis.words import Erased, Facts, Handler
from libs.contracts.events import ParticipantEnrolled
from tests.chassis.tiny import Count, enrolled, forget, item, obeyed, service, settling, tally


def erasure(person: str, id: str) -> Item:
    return Item(f"record {id}", Erased(ParticipantEnrolled, f"2026/{person}"), digest(b""), Cause(id, id))


async def test_parked_records_and_kept_answers_of_an_erased_person_lose_their_content(database: Database) -> None:
    transactions = settling(database)
    await transactions.settle(
        [item(enrolled(name, "Broken"), name, place) for place, name in enumerate(("ada", "mina"))]
    )
    for name in ("ada", "mina"):
        await obeyed(transactions, Count(key=f"2026/{name}"), name)

    await transactions.settle([item(enrolled("ada", "Broken", revision=2), "2", 7), erasure("ada", "e1")])

    letters = await database.find(DeadLetter.collection, {})
    assert {bytes(row["key"] or b"").decode(): row["state"] for row in letters} == {"": "purged", "2026/mina": "parked"}
    assert [row["value"] for row in letters if row["state"] == "purged"] == [None, None]
    kept = {row["_id"]: "answer" in row for row in await database.find(INBOX, {"about": {"$exists": True}})}
    assert kept == {"http ada": False, "http mina": True}
    again = await obeyed(transactions, Count(key="2026/ada"), "ada")
    assert (again.status, again.body) == (204, {})


async def test_an_erasure_that_failed_waits_with_its_key_until_it_is_replayed(database: Database) -> None:
    def broken(*_: Any) -> Facts:
        raise ValueError("not yet")

    await settling(database).settle([item(enrolled("ada"), "1")])
    failing = replace(service, erases={ParticipantEnrolled: Handler(broken, forget.first)})
    record = replace(erasure("ada", "e1"), raw=Raw(ParticipantEnrolled.topic, 0, 5, 0, b"2026/ada", None, ()))
    await settling(database, failing).settle([record])
    (letter,) = await database.find(DeadLetter.collection, {})
    assert (letter["state"], (await tally(database, "ada"))["times"]) == ("parked", 1)

    answer = await obeyed(settling(database), ReplayDeadLetter(dead_letter_id=letter["_id"]), "again")

    assert (answer.status, (await tally(database, "ada"))["times"]) == (200, 0)
