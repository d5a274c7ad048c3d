"""The pages of the repository as a reader sees them: links, names in backticks, and blocks of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("libs", "services", "deploy", "tests", "benchmarks", "docs", "requirements")
CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_TARGET: Final = re.compile(r"^`([^`\n]+)`\n\n```", re.M)


def pages() -> list[Path]:
    """Every page that readers open, but for what builds and runs leave behind."""
    found = [path for room in ROOMS for path in (ROOT / room).rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *found])


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", page.read_text("utf-8"))


def spans(page: Path) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def anchors(page: Path) -> set[str]:
    """What can be linked to in a page, as the usual renderers name it."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each block of code with its language."""
    return ((language, code) for language, code in _FENCE.findall(text))


def commands(page: Path) -> list[str]:
    """Everything that a reader may type: spans, and the lines of console blocks without their variables."""
    typed = [
        line for language, code in blocks(page.read_text("utf-8")) if language == "console" for line in code.split("\n")
    ]
    return [re.sub(r"^(?:VICEVERSA_\w+=\S+ )+", "", line) for line in [*spans(page), *typed]]


@dataclass(frozen=True, slots=True)
class Change:
    """A block that belongs to a file: the whole file, or lines to take out and put in between others."""

    path: str
    language: str
    code: str

    def apply(self, root: Path) -> None:
        """Raises AssertionError where the lines that a change starts from are not there exactly once."""
        file = root / self.path
        if self.language != "diff":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.code, "utf-8")
            return
        before = "".join(f"{line[1:]}\n" for line in self.code.splitlines() if not line.startswith("+"))
        after = "".join(f"{line[1:]}\n" for line in self.code.splitlines() if not line.startswith("-"))
        text = file.read_text("utf-8")
        assert text.count(before) == 1, f"{self.path} has these lines {text.count(before)} times:\n{before}"
        file.write_text(text.replace(before, after), "utf-8")


def steps(heading: str) -> list[str]:
    """The five steps below a heading of CONTRIBUTING.md."""
    section = CONTRIBUTING.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.split(r"^(?=\*\*\d\. )", section, flags=re.M)[1:]


def changes(step: str) -> Iterator[Change]:
    """The blocks of a step, each with the file that was named last."""
    path = ""
    for part in re.finditer(rf"{_TARGET.pattern[:-3]}|{_FENCE.pattern}", step, re.M | re.S):
        if part[1]:
            path = part[1]
        elif part[2] != "console":
            yield Change(path, part[2], part[3])


@cache
def sources() -> str:
    """All that is not a page, and what the steps of CONTRIBUTING.md add to it."""
    kinds = {".py", ".toml", ".yaml", ".lock", ".txt", ".json", ".properties"}
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in kinds]
    texts = [path.read_text("utf-8") for path in [*files, ROOT / "pyproject.toml", ROOT / "Makefile"]]
    added = [change.code for heading in ("Add an event", "Add a service") for change in _all(heading)]
    return "\n".join([*texts, *added])


def made_by_steps() -> set[str]:
    """The files that the steps of CONTRIBUTING.md make."""
    return {change.path for heading in ("Add an event", "Add a service") for change in _all(heading)}


def _all(heading: str) -> Iterator[Change]:
    return (change for step in steps(heading) for change in changes(step))
