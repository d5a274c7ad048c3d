"""A refusal says what is wrong and, behind a colon, what to do about it. Read from the source, so that none forgets."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.processes import CHECKOUT

ROOMS = ("libs/chassis", "services/matching", "services/scheduling", "services/notifications")
REFUSING = ("Refused", "HTTPException", "problem")


def refusals(source: str) -> Iterator[tuple[int, str]]:
    """The line and the detail of each; what is put in is shown as `{}`. A detail that is only passed on is left out."""
    nodes = list(ast.walk(ast.parse(source)))
    named = [node for node in nodes if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    for call in nodes:
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in REFUSING:
            detail = call.args[1]
            if isinstance(detail, ast.Name):
                detail = _newest(detail.id, call.lineno, named)
            if text := _text(detail):
                yield call.lineno, text


def _newest(name: str, line: int, named: list[ast.Assign]) -> ast.expr:
    """What was given to the name last."""
    before = [node for node in named if ast.unparse(node.targets[0]) == name and node.lineno < line]
    return max(before, key=lambda node: node.lineno).value if before else ast.Constant("")


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "{}" for part in parts)
    return ""


def has_remedy(text: str) -> bool:
    wrong, _, remedy = text.partition(": ")
    return bool(wrong) and len(remedy.split()) > 1


@pytest.mark.parametrize("room", ROOMS)
def test_every_refusal_names_its_remedy(room: str) -> None:
    paths: list[Path] = sorted((CHECKOUT / room).rglob("*.py"))
    found = {f"{path.name}:{line}": text for path in paths for line, text in refusals(path.read_text())}
    assert found
    assert {place: text for place, text in found.items() if not has_remedy(text)} == {}


def test_a_refusal_without_a_remedy_is_noticed() -> None:
    source = 'def f():\n    detail = f"it was {state} before"\n    yield Refused("not_parked", detail)\n'
    assert [(line, has_remedy(text)) for line, text in refusals(source)] == [(3, False)]
