"""An erasure reaches what the chassis keeps beside documents."""

from libs.chassis.dead_letters import DeadLetter
from libs.chassis.inbox import INBOX
from libs.chassis.items import Cause, Item, digest
from libs.chassis.mongo import Database
from libs.chassis.words import Erased
from libs.contracts.events import ParticipantEnrolled
from tests.chassis.tiny import Count, enrolled, item, obeyed, settling


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
