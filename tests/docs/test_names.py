"""What a page names is there: links, files, words of the code, make targets, settings, routes, commands."""

import ast
import importlib
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from libs.chassis.run import Runtime, http_app
from libs.chassis.settings import Settings
from libs.contracts.topics import TOPICS
from libs.ops.app import app as command_line
from libs.ops.remote import SERVICES
from tests.docs.pages import ROOMS, ROOT, anchors, blocks, commands, links, made_by_steps, pages, prose, sources, spans
from tests.docs.tables import metrics_tables

EACH = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))

# Words of other programs, which no line here spells out.
FOREIGN = {"offsets.retention.minutes", "group.min.session.timeout.ms", "AsyncMongoClient", "with_transaction"}


@EACH
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link} has no such heading"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link]
    assert {page for page in pages() if page not in reached} == set()


@EACH
def test_no_name_is_broken_over_two_lines(page: Path) -> None:
    """The tests below would not see it."""
    assert [line for line in prose(page).splitlines() if line.count("`") % 2] == []


@EACH
def test_every_path_is_there(page: Path) -> None:
    named = {span.rstrip("/") for span in spans(page) if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", span)}
    paths = {path for path in named if path.split("/")[0] in (*ROOMS, ".ci")}
    assert {path for path in paths - made_by_steps() if not (ROOT / path).exists()} == set()


@EACH
def test_every_single_word_is_one_of_the_code(page: Path) -> None:
    words = {span for span in spans(page) if re.fullmatch(r"(?!VICEVERSA_|viceversa_|faststream_)[\w.@()-]+", span)}
    unknown = {word for word in words - FOREIGN if word.removesuffix("()") not in sources()}
    files = {path.name for room in ROOMS for path in (ROOT / room).rglob("*.*")} | {
        path.name for path in ROOT.iterdir()
    }
    assert unknown - files - _labels() == set()


@EACH
def test_every_make_target_is_one(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {word for typed in commands(page) for word in re.findall(r"^make ([a-z]+)", typed)} <= targets


@EACH
def test_every_variable_is_read_by_somebody(page: Path) -> None:
    read = {f"VICEVERSA_{name.upper()}" for name in (*_settings(), *SERVICES)}
    named = set(re.findall(r"VICEVERSA_[A-Z_]+\b", page.read_text("utf-8")))
    assert {name for name in named - read if name not in sources()} == set()


@EACH
def test_every_metric_is_measured(page: Path) -> None:
    names = {span.partition("{")[0] for span in spans(page) if re.match(r"(viceversa|faststream)_[a-z_]+($|\{)", span)}
    assert names - {"viceversa_contracts"} <= _metrics()


@EACH
def test_every_route_is_served(page: Path, routes: set[str]) -> None:
    named = {span for span in spans(page) if re.match(r"(GET|PUT|POST|DELETE) /", span)}
    assert named <= routes


@EACH
def test_every_command_can_be_typed(page: Path) -> None:
    for typed in commands(page):
        if found := re.match(r"(?:\.venv/bin/)?viceversa ([a-z].*)", typed):
            _must_parse(found[1].split())
        if found := re.match(r"(?:\.venv/bin/)?python -m ([\w.]+)", typed):
            assert find_spec(found[1]) or found[1].startswith("services.history"), f"{found[1]} is no module"


@EACH
def test_every_topic_with_a_dash_is_in_the_table(page: Path) -> None:
    words = r"\b(?:program|participant|pair|session|notification)-(?!id)[a-z]+\b"
    named = set(re.findall(rf"`({words})(?:\.|`)", prose(page)))
    assert {name for name in named - TOPICS.keys() if f'topic: ClassVar[str] = "{name}"' not in sources()} == set()


@EACH
def test_every_python_snippet_compiles_and_imports_what_exists(page: Path) -> None:
    for language, code in blocks(page.read_text("utf-8")):
        if language == "python":
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and node.module:
                    _must_import(node.module, [alias.name for alias in node.names])


def _must_import(module: str, names: list[str]) -> None:
    if "history" in module:
        return
    found = importlib.import_module(module.replace("viceversa_contracts", "libs.contracts"))
    missing = [name for name in names if not hasattr(found, name) and f"class {name}(" not in sources()]
    assert [name for name in missing if not find_spec(f"{module}.{name}")] == []


def _must_parse(words: list[str]) -> None:
    """`a|b` stands for two commands, and a word in capitals for an argument."""
    command: Any = typer.main.get_command(command_line)
    while isinstance(command, click.Group | typer.core.TyperGroup) and words:
        name, *words = words
        for each in name.split("|"):
            assert each in command.commands, f"viceversa has no command {each}"
        command = command.commands[name.split("|")[-1]]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.fixture(scope="session")
async def routes() -> set[str]:
    """Of all services, such as `GET /pairs/{pair_id}`."""
    found = set()
    for name in SERVICES:
        service = importlib.import_module(f"services.{name}.app").service
        paths = http_app(Runtime(service, Settings())).openapi()["paths"]
        found |= {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}
    return found | {f"GET {path}" for path in ("/openapi.json", "/docs")}


def _settings() -> set[str]:
    kinds = [importlib.import_module(f"services.{name}.settings").Settings for name in SERVICES]
    return {field for kind in kinds for field in kind.model_fields}


def _labels() -> set[str]:
    """FastStream's are spelt out nowhere here."""
    return set(re.findall(r"`(\w+)`", "".join(metrics_tables().values())))


def _metrics() -> set[str]:
    return set(re.findall(r"`((?:viceversa|faststream)_\w+)`", "".join(metrics_tables().values())))
