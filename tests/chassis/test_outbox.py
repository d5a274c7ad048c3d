"""Pages: bounded, and in an order that every reader may rely on, without a shared counter."""

import asyncio

import pytest

from libs.chassis.items import Raw
from libs.chassis.mongo import Database
from libs.chassis.outbox import OUTBOX, dead_letter
from tests.chassis.tiny import enrolled, facts, item, settling


async def test_a_chain_of_facts_keeps_its_order_whoever_says_its_links(database: Database) -> None:
    writers = [settling(database), settling(database)]

    for number in range(24):
        await writers[number % 2].settle([item(enrolled(), str(number))])

    assert await facts(database) == [("2026/ada", number + 1) for number in range(24)]


async def test_two_writers_at_once_keep_the_order_of_each_key(database: Database) -> None:
    async def write(writer: int) -> None:
        transactions = settling(database)
        for number in range(12):
            names = ("ada", "grace") if number % 2 == writer else ("grace", "mina")
            await transactions.settle([item(enrolled(name), f"{writer} {number} {name}") for name in names])

    await asyncio.gather(write(0), write(1))

    said = await facts(database)
    for name, times in (("ada", 12), ("grace", 24), ("mina", 12)):
        assert [number for key, number in said if key == f"2026/{name}"] == list(range(1, times + 1))


async def test_an_empty_outbox_starts_again_at_one(database: Database) -> None:
    transactions = settling(database)
    await transactions.settle([item(enrolled(), "1")])
    await transactions.settle([item(enrolled(), "2")])
    assert sorted(page["tick"] for page in await database.find(OUTBOX, {})) == [1, 2]
    await database.delete(OUTBOX, {})

    await transactions.settle([item(enrolled(), "3")])

    assert [page["tick"] for page in await database.find(OUTBOX, {})] == [1]


async def test_pages_are_bounded_in_bytes_and_in_records(database: Database) -> None:
    large = [item(enrolled(unit="Wordy"), f"large {number}") for number in range(10)]
    small = [item(enrolled(f"person-{number}"), f"small {number}") for number in range(1_100)]

    await settling(database).settle([*large, *small])

    pages = await database.find(OUTBOX, {}, sort=[("part", 1)])
    assert [page["part"] for page in pages] == list(range(len(pages)))
    assert max(len(page["records"]) for page in pages) <= 1_000
    assert max(sum(len(record["value"]) for record in page["records"]) for page in pages) < 1_000_000
    assert [number for key, number in await facts(database) if key == "2026/ada"] == list(range(1, 21))


@pytest.mark.parametrize("headers", [(("名" * 400_000, b""),), (("n", None),) * 200_000])
def test_a_dead_letter_that_weighs_more_than_its_topic_takes_points_to_its_bytes(
    headers: tuple[tuple[str, bytes | None], ...],
) -> None:
    """The relay would meet it again and again."""
    raw = Raw("participant-enrolled", 0, 0, 0, b"2026/ada", b"{}", headers)

    parked = dead_letter(raw, "tiny", reason="invalid_data", detail="")

    assert "dlq_pointer" in parked.headers
    assert parked.value == b""
