"""The JSON Schemas of the events: `python -m libs.contracts.schemas write|check|list`.

`schemas/<topic>/v1.0.json` is the first schema of major version 1, `v1.1.json` its first compatible successor, and so
on; all of them stay. `write` adds a successor where a model gained a field or a word, brings titles and descriptions of
the latest up to date in place, and refuses what breaks any committed one. `check` fails unless the latest equals the
model and all versions are compatible with one another.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic.json_schema import GenerateJsonSchema

from ..examples import EXAMPLES  # noqa: TID252 - the wheel has another name
from ..topics import TOPICS, Topic  # noqa: TID252
from .compatibility import Schema, breaks

FOLDER: Final = Path(__file__).parent


class _Untitled(GenerateJsonSchema):
    """A title that repeats the field's name tells nobody anything."""

    def field_title_should_be_set(self, _schema: object) -> bool:
        return False


def generate(topic: Topic) -> Schema:
    """The schema of a topic's model as it is now."""
    schema = topic.event.model_json_schema(schema_generator=_Untitled)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": topic.dataschema}
    example = EXAMPLES[topic.name].model_dump(mode="json", exclude_none=True)
    return head | {"title": schema.pop("title")} | schema | {"examples": [example]}


def committed(topic: Topic, folder: Path = FOLDER) -> list[Schema]:
    """All committed schemas of a topic, oldest first."""
    paths = (folder / topic.name).glob(f"v{topic.event.version}.*.json")
    return [json.loads(path.read_text("utf-8")) for path in sorted(paths, key=_minor)]


def check(folder: Path = FOLDER, topics: Mapping[str, Topic] = TOPICS) -> list[str]:
    """What is wrong with the committed schemas; empty when nothing is."""
    strays = {path.parent.name for path in folder.glob("*/v*.json")} - set(topics)
    problems = [f"{name}: no topic has this schema" for name in sorted(strays)]
    for topic in topics.values():
        history, present = committed(topic, folder), generate(topic)
        problems += _broken(topic, history, present)
        if not history or history[-1] != present:
            problems.append(f"{topic.name}: the committed schema is not the model's (write it)")
    return problems


def write(folder: Path = FOLDER, topics: Mapping[str, Topic] = TOPICS) -> list[str]:
    """Commits the models' schemas to the folder. Gives what was refused as incompatible."""
    refused = []
    for topic in topics.values():
        history, present = committed(topic, folder), generate(topic)
        if problems := _broken(topic, history, present):
            refused += problems
        elif not history or history[-1] != present:
            _save(folder / topic.name / f"v{topic.event.version}.{_next_minor(history, present)}.json", present)
    return refused


def _broken(topic: Topic, history: list[Schema], present: Schema) -> list[str]:
    """Against every committed version, so that a detour over several small steps is caught too."""
    found = [problem for former in history for problem in breaks(former, present)]
    found += [problem for number, old in enumerate(history) for new in history[number:] for problem in breaks(old, new)]
    return [f"{topic.name}: {problem}" for problem in dict.fromkeys(found)]


def _next_minor(history: list[Schema], present: Schema) -> int:
    if history and not breaks(present, history[-1]):
        return len(history) - 1
    return len(history)


def _minor(path: Path) -> int:
    return int(path.stem.split(".")[1])


def _save(path: Path, schema: Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", "utf-8")


def main(arguments: list[str]) -> int:
    """Exit code 0 when all is well, 1 when something was found or refused, 2 when used wrongly."""
    match arguments:
        case ["write"]:
            problems = write()
        case ["check"]:
            problems = check()
        case ["list"]:
            problems = []
            print(*(topic.dataschema for topic in TOPICS.values()), sep="\n")
        case _:
            print("usage: schemas write|check|list", file=sys.stderr)
            return 2
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0
