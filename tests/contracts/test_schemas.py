"""The committed schemas are the models' and stay compatible for ever."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, create_model

from libs.contracts import schemas
from libs.contracts.schemas.compatibility import breaks
from libs.contracts.topics import TOPICS, Topic

PAIR_ENDED = TOPICS["pair-ended"]


def topic_with(**fields: Any) -> dict[str, Topic]:
    """The table with a pair-ended that somebody changed."""
    changed = dataclasses.replace(PAIR_ENDED, event=create_model("PairEnded", __base__=PAIR_ENDED.event, **fields))
    return {changed.name: changed}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert schemas.write(tmp_path, {"pair-ended": PAIR_ENDED}) == []
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "pair-ended").iterdir())


def test_the_committed_schemas_are_the_models() -> None:
    assert schemas.check() == []


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS.keys())
def test_a_schema_is_identified_by_what_the_envelope_says(topic: Topic) -> None:
    latest = schemas.committed(topic)[-1]
    assert latest["$id"] == topic.dataschema
    assert latest["examples"]


def test_a_new_optional_field_passes_as_a_successor(folder: Path) -> None:
    changed = topic_with(note=(str | None, None))
    assert any("write it" in problem for problem in schemas.check(folder, changed))
    assert schemas.write(folder, changed) == []
    assert schemas.check(folder, changed) == []
    assert names(folder) == ["v1.0.json", "v1.1.json"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"note": (str, ...)}, "data: required differs in note"),
        ({"reason": (int, ...)}, "data.reason: type was string, is integer"),
        ({"ended_by": (str | None, Field(default=None, max_length=20))}, "maxLength"),
        ({"ended_by": (str | None, "office")}, "data.ended_by: default was None, is office"),
        ({"mentor_id": (str | None, None)}, "data: required differs in mentor_id"),
    ],
)
def test_an_incompatible_change_is_refused(folder: Path, fields: dict[str, Any], problem: str) -> None:
    changed = topic_with(**fields)
    assert any(problem in found for found in schemas.check(folder, changed))
    assert any(problem in found for found in schemas.write(folder, changed))
    assert names(folder) == ["v1.0.json"]


def test_a_field_that_is_gone_is_an_incompatible_change(folder: Path) -> None:
    assert schemas.write(folder, topic_with(note=(str | None, None))) == []
    assert "pair-ended: data.note was removed" in schemas.check(folder, {"pair-ended": PAIR_ENDED})


def test_another_wording_changes_the_latest_in_place(folder: Path) -> None:
    path = folder / "pair-ended" / "v1.0.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"description": "Older words."}))
    assert schemas.check(folder, {"pair-ended": PAIR_ENDED}) != []
    assert schemas.write(folder, {"pair-ended": PAIR_ENDED}) == []
    assert schemas.check(folder, {"pair-ended": PAIR_ENDED}) == []
    assert names(folder) == ["v1.0.json"]


def test_a_schema_of_no_topic_is_noticed(folder: Path) -> None:
    (folder / "pair-ended").rename(folder / "pair-forgotten")
    assert "pair-forgotten: no topic has this schema" in schemas.check(folder, {"pair-ended": PAIR_ENDED})


def test_an_open_vocabulary_may_grow_and_never_shrink() -> None:
    small, large = ({"type": "string", "x-known-words": words} for words in (["a", "other"], ["a", "b", "other"]))
    assert breaks(small, large) == []
    assert breaks(large, small) == ["data: the word b was removed"]


def test_a_closed_vocabulary_may_neither_grow_nor_shrink() -> None:
    small, large = {"enum": ["a"]}, {"enum": ["a", "b"]}
    assert breaks(small, large) == breaks(large, small) == ["data: enum differs in b"]


def test_a_change_deep_inside_is_found_through_references() -> None:
    def schema(level: int) -> dict[str, Any]:
        skill = {"properties": {"level": {"maximum": level}}}
        return {"properties": {"skills": {"items": {"$ref": "#/$defs/Skill"}}}, "$defs": {"Skill": skill}}

    assert breaks(schema(5), schema(9)) == ["data.skills.items.level: maximum was 5, is 9"]


@pytest.mark.parametrize(("arguments", "code"), [(["check"], 0), (["list"], 0), ([], 2), (["reade"], 2)])
def test_the_command_answers_by_exit_code(arguments: list[str], code: int) -> None:
    assert schemas.main(arguments) == code
