"""The tables of the operators' pages, made from the code: `python -m tests.docs.tables` writes them into the pages."""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry
from pydantic.fields import FieldInfo

from libs.chassis.metrics import Metrics
from libs.chassis.settings import Settings
from tests.docs.pages import ROOT

SETTINGS: Final = ROOT / "docs/operations/settings.md"
METRICS: Final = ROOT / "docs/operations/metrics.md"


def written(page: str, tables: dict[str, str]) -> str:
    """The page with the first table below each of these headings put in place."""
    for heading, table in tables.items():
        found = re.search(rf"^## {heading}\n(?:(?!^## ).)*?((?:^\|[^\n]*\n)+)", page, re.M | re.S)
        assert found, f"there is no table below {heading}"
        page = page[: found.start(1)] + table + page[found.end(1) :]
    return page


def settings_tables() -> dict[str, str]:
    own = {name: import_module(f"services.{name}.settings").Settings for name in ("scheduling", "notifications")}
    tables = {"Every service": _settings(Settings, {})}
    return tables | {name.capitalize(): _settings(kind, Settings.model_fields) for name, kind in own.items()}


def metrics_tables() -> dict[str, str]:
    faststream = CollectorRegistry()
    KafkaPrometheusMiddleware(registry=faststream, metrics_prefix="faststream")
    return {"Ours": _metrics(Metrics("any").registry), "FastStream's": _metrics(faststream)}


def _settings(kind: type[Settings], known: dict[str, FieldInfo]) -> str:
    fields = {name: field for name, field in kind.model_fields.items() if name not in known}
    rows = [
        (f"`VICEVERSA_{name.upper()}`", _default(field.default), field.description) for name, field in fields.items()
    ]
    return _table(("variable", "default", "meaning"), rows)


def _default(value: Any) -> str:
    return "none" if value in (None, "") else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _metrics(registry: CollectorRegistry) -> str:
    rows = [
        (f"`{name}`", each._type, ", ".join(f"`{label}`" for label in each._labelnames), each._documentation)
        for name, each in _families(registry)
    ]
    return _table(("metric", "kind", "labels", "meaning"), rows)


def _families(registry: CollectorRegistry) -> Iterator[tuple[str, Any]]:
    collectors: dict[Any, list[str]] = dict(registry._collector_to_names)
    for collector, names in collectors.items():
        total = next((name for name in names if name.endswith("_total")), names[0])
        yield total if collector._type == "counter" else names[0], collector


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: Any) -> str:
    return str(text).replace("|", "&#124;").replace("<", "&lt;")


if __name__ == "__main__":
    for path, tables in ((SETTINGS, settings_tables()), (METRICS, metrics_tables())):
        path.write_text(written(path.read_text("utf-8"), tables), "utf-8")
