"""Words in the reader's language: which texts there are, and how a time is said."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

FALLBACK: Final = "en"
_TEXTS: Final = Path(__file__).parent.parent / "templates"

_environment = Environment(
    loader=FileSystemLoader(_TEXTS),
    autoescape=lambda name: bool(name and name.endswith(".html")),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates: Final = {name: _environment.get_template(name) for name in _environment.list_templates(["txt", "html"])}
_words: Final[dict[str, dict[str, Any]]] = {
    path.parent.name: json.loads(path.read_text("utf-8")) for path in sorted(_TEXTS.glob("*/words.json"))
}
LOCALES: Final = frozenset(_words)


@dataclass(frozen=True, slots=True)
class Text:
    """A message in words: one line of subject, and paragraphs."""

    subject: str
    paragraphs: tuple[str, ...]

    @property
    def body(self) -> str:
        """The paragraphs as plain text."""
        return "\n\n".join(self.paragraphs) + "\n"


def locale_of(*wanted: str) -> str:
    """The first wanted locale that there are texts for, exactly or by its language alone, else English."""
    choices = [choice for locale in wanted for choice in (locale, locale.split("-")[0].lower())]
    return next((choice for choice in choices if choice in LOCALES), FALLBACK)


def text_of(template: str, locale: str, values: dict[str, Any]) -> Text:
    """A template filled in: its first line is the subject, blank lines part the paragraphs."""
    filled = _templates[f"{locale}/{template}.txt"].render(values).strip()
    subject, _, body = filled.partition("\n")
    paragraphs = (paragraph.strip() for paragraph in body.split("\n\n"))
    return Text(subject.strip(), tuple(paragraph for paragraph in paragraphs if paragraph))


def page_of(text: Text, locale: str, links: tuple[str, ...]) -> str:
    """The same words as a plain HTML page; only paragraphs that are one of our own links can be clicked."""
    template: Template = _templates["page.html"]
    return template.render(text=text, locale=locale, links=links)


def spoken(starts_at: datetime, ends_at: datetime, zone: str, locale: str) -> str:
    """A meeting's time as the reader says it, in the reader's zone."""
    words, start, end = _words[locale], starts_at.astimezone(ZoneInfo(zone)), ends_at.astimezone(ZoneInfo(zone))
    moment: str = words["moment"].format(
        day=words["days"][start.weekday()],
        date=start.day,
        month=words["months"][start.month - 1],
        year=start.year,
        start=f"{start:%H:%M}",
        end=f"{end:%H:%M}",
        zone=zone,
    )
    return moment
