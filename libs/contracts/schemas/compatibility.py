"""Whether two JSON Schemas of an event may live on one topic, whichever of them a writer or a reader has.

Both directions must hold, so everything that constrains a value must stay as it is: tightening refuses old events,
loosening breaks old readers. What may be added is an optional field and a word of an open vocabulary, because readers
ignore the one and turn the other into `other`.
"""

from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]

_ANNOTATIONS: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})


def breaks(old: Schema, new: Schema) -> list[str]:
    """What of the new schema breaks a writer or reader of the old one; empty when nothing does."""
    return list(_compare(_resolve(old, old), _resolve(new, new), old, new, "data"))


def _resolve(node: Schema, root: Schema) -> Schema:
    if "$ref" not in node:
        return node
    target: Schema = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return target | {name: value for name, value in node.items() if name != "$ref"}


def _compare(old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str) -> Iterator[str]:
    def inside(a: Schema, b: Schema, name: str) -> Iterator[str]:
        return _compare(_resolve(a, old_root), _resolve(b, new_root), old_root, new_root, f"{path}.{name}")

    for keyword in sorted((old.keys() | new.keys()) - _ANNOTATIONS):
        was, now = old.get(keyword), new.get(keyword)
        match keyword, was, now:
            case "properties", dict(), dict():
                for name in was:
                    yield from inside(was[name], now[name], name) if name in now else [f"{path}.{name} was removed"]
            case "items", dict(), dict():
                yield from inside(was, now, "items")
            case "anyOf", list(), list() if len(was) == len(now):
                for number, (a, b) in enumerate(zip(was, now, strict=True)):
                    yield from inside(a, b, f"anyOf.{number}")
            case "x-known-words", list(), list():
                yield from [f"{path}: the word {word} was removed" for word in was if word not in now]
            case "required" | "enum", _, _:
                changed = set(was or ()) ^ set(now or ())
                yield from [f"{path}: {keyword} differs in {word}" for word in sorted(map(str, changed))]
            case _ if was != now:
                yield f"{path}: {keyword} was {was}, is {now}"
