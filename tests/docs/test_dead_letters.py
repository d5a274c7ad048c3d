"""Every command of the operators' page on dead letters is typed, in its order, against real services."""

import json
import shlex
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from deploy.local.stack import Endpoints
from libs.ops.app import app
from tests.docs.pages import ROOT, blocks
from tests.ops.bureau import Bureau, bureau

PAGE = ROOT / "docs/operations/dead-letters.md"


@pytest.fixture
def office(stack: Endpoints, prefix: str, database_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bureau]:
    with bureau(stack, prefix, database_prefix) as found:
        for name, url in found.urls.items():
            monkeypatch.setenv(f"VICEVERSA_{name.upper()}", url)
        monkeypatch.delenv("VICEVERSA_API_TOKEN", raising=False)
        yield found


def typed() -> list[str]:
    code = "".join(code for language, code in blocks(PAGE.read_text("utf-8")) if language == "console")
    return [line for line in code.splitlines() if line]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def parked() -> list[tuple[str, str]]:
    letters = json.loads(run("dead-letters", "list", "--json").stdout)
    return [(letter["dead_letter_id"], letter["reason"]) for letter in letters]


def test_every_command_does_what_the_page_says(office: Bureau) -> None:
    """Before each there are two that only a mended handler takes, and one that nobody can read."""
    lines = typed()
    assert len(lines) >= 15
    for line in lines:
        office.park(failed=2, unreadable=1)
        before = parked()
        id = next(id for id, reason in before if reason == "handler_failed")
        program, *words = [id if word == "ID" else word for word in shlex.split(line)]
        assert program == "viceversa"

        done = run(*words)

        left = parked()
        assert done.exit_code == (1 if words[1:] == ["replay", "--all"] else 0), (line, done.output)
        assert left == [letter for letter in before if not taken(letter, words, id)], (line, done.output)


def taken(letter: tuple[str, str], words: list[str], id: str) -> bool:
    """Whether the command ends the wait of this dead letter."""
    _, verb, *options = words
    if verb not in ("replay", "purge") or "--dry-run" in options:
        return False
    reason = {"replay": "--reason", "purge": "--parked-for"}[verb]
    if reason in options and letter[1] != options[options.index(reason) + 1]:
        return False
    if id in options and letter[0] != id:
        return False
    return verb == "purge" or letter[1] == "handler_failed"
