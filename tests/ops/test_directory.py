"""Manager chains of any company, drawn at random, against a walk that knows nothing of the directory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.ops.directory import Directory, NoChain
from libs.ops.rows import Row
from tests.ops.files import mapping

IDS = [f"e{number}" for number in range(8)]
# `x` and `y` are in no row
COMPANIES = st.lists(st.sampled_from([*IDS, "x", "y", ""]), min_size=len(IDS), max_size=len(IDS))
ORDERS = st.permutations(range(len(IDS)))


def directory(bosses: dict[str, str], order: list[int], **managers: str) -> Directory:
    found = Directory(mapping(managers={"by": "id", **managers}))
    for line, id in enumerate([IDS[number] for number in order], start=2):
        cells = {"id": id, "name": f"Person {id}", "boss": bosses[id], "role": "mentor"}
        found.add(Row(line, cells))
    return found


def walk(bosses: dict[str, str], id: str) -> tuple[str, ...] | None:
    """None for a circle."""
    steps = [id]
    while bosses.get(steps[-1]):
        steps.append(bosses[steps[-1]])
        if len(steps) > len(bosses) + 1:
            return None
    return tuple(steps[1:])


@given(COMPANIES, ORDERS)
def test_a_chain_is_the_way_up_whatever_the_order_of_rows_and_a_circle_is_none(managers, order):
    bosses = dict(zip(IDS, managers, strict=True))
    found = directory(bosses, order)

    for id in IDS:
        expected = walk(bosses, id)
        if expected is None:
            with pytest.raises(NoChain, match="comes round"):
                found.chain(id)
        else:
            assert found.chain(id) == expected


@given(COMPANIES, ORDERS)
def test_names_and_ids_lead_to_the_same_managers(managers, order):
    bosses = dict(zip(IDS, [boss if boss in IDS else "" for boss in managers], strict=True))
    by_name = Directory(mapping())
    for line, id in enumerate([IDS[number] for number in order], start=2):
        boss = f"{bosses[id]},  PERSON " if bosses[id] else ""
        by_name.add(Row(line, {"id": id, "name": f"Person {id}", "boss": boss, "role": "mentor"}))

    for id in IDS:
        if walk(bosses, id) is not None:
            assert by_name.chain(id) == directory(bosses, order).chain(id)


def test_a_chain_has_an_end_even_where_the_file_has_none():
    bosses = {f"e{number}": f"e{number + 1}" for number in range(150)}
    found = Directory(mapping(managers={"by": "id"}))
    for line, (id, boss) in enumerate(bosses.items(), start=2):
        found.add(Row(line, {"id": id, "name": id, "boss": boss, "role": "mentor"}))

    assert len(found.chain("e60")) == 90
    with pytest.raises(NoChain, match="more than 100"):
        found.chain("e0")
