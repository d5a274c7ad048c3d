"""YAML files of operators: read, validated, and every error with its line and field."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from libs.ops.failures import Misused

Model = TypeVar("Model", bound=BaseModel)
_Path = Sequence[str | int]
_MOST = 20


def load(path: Path, kind: type[Model], **more: Any) -> Model:
    """The file as `kind`; `more` gives fields that stand in no file. Raises Misused."""
    tree, data = _parsed(path)
    if not isinstance(data, dict):
        raise Misused(f"{path}: holds no fields", "write `name: value` lines")
    try:
        model = kind.model_validate({**data, **more})
    except ValidationError as error:
        problems = [_line(tree, each["loc"]) + _said(each["loc"], each["msg"]) for each in error.errors()]
    else:
        problems = [_line(tree, loc) + _said(loc, "there is no such field") for loc in _unknown(model, data, ())]
        if not problems:
            return model
    rest = [f"and {len(problems) - _MOST} more"] if len(problems) > _MOST else []
    told = "\n".join(f"{path}: {problem}" for problem in [*problems[:_MOST], *rest])
    raise Misused(told, "correct the file and run it again")


class _Loader(yaml.SafeLoader):
    """A value that looks like a date or a number and is none has a line too."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            problem = f"reads as {kind} but cannot be one; a text goes in quotes"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


def _parsed(path: Path) -> tuple[yaml.Node | None, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return yaml.compose(text, Loader=_Loader), yaml.load(text, Loader=_Loader)
    except OSError as error:
        raise Misused(f"{path}: {error.strerror}", "check the path") from error
    except UnicodeDecodeError as error:
        raise Misused(f"{path}: not UTF-8", "save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise Misused(f"{path}: {line}{error.problem}", "correct the YAML") from error
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise Misused(f"{path}: line {number}: a character that no text has", "take it out") from error
    except RecursionError as error:
        raise Misused(f"{path}: is nested too deeply", "write at most a dozen levels") from error


def _said(loc: _Path, message: str) -> str:
    return f"{'.'.join(map(str, loc))}: {message.removeprefix('Value error, ')}"


def _line(node: yaml.Node | None, loc: _Path) -> str:
    """The line of the innermost part of `loc` that stands in the file."""
    line = node.start_mark.line if node else 0
    for part in loc:
        found = _child(node, part)
        if found is None:
            break
        line, node = found
    return f"line {line + 1}, "


def _child(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == str(part):
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None


def _unknown(model: object, data: Any, loc: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Fields that the tolerant contracts would ignore: in a file written by hand they are misspelt ones."""
    if isinstance(model, BaseModel) and isinstance(data, dict):
        fields = {field.alias or name: name for name, field in type(model).model_fields.items()}
        for name, value in data.items():
            if name in fields:
                yield from _unknown(getattr(model, fields[name]), value, (*loc, name))
            elif type(model).model_config.get("extra") != "allow":
                yield (*loc, name)
    elif isinstance(model, (list, tuple)) and isinstance(data, list):
        for index, (each, value) in enumerate(zip(model, data, strict=False)):
            yield from _unknown(each, value, (*loc, index))
