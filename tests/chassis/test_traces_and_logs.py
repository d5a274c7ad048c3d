"""Traces link facts to what led to them; logs are JSON lines without content."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pymongo.errors import BulkWriteError

from libs.chassis import logs, tracing
from libs.chassis.items import Cause
from libs.chassis.mongo import Database, sorted_failure
from libs.chassis.outbox import OUTBOX, header_pairs
from tests.chassis.tiny import enrolled, item, settling

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def traceparents(database: Database) -> list[str | None]:
    records = [record for page in await database.find(OUTBOX, {}) for record in page["records"]]
    return [value.decode() if (value := dict(header_pairs(record)).get("traceparent")) else None for record in records]


async def test_a_fact_carries_the_span_of_what_led_to_it(database: Database) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    heard, alone = item(enrolled(), "1"), item(enrolled("grace"), "2")
    heard.cause = Cause("1", "1", CALLER)

    await settling(database, tracing=tracing.Spans(provider)).settle([heard, alone])

    first, second = exporter.get_finished_spans()
    assert first.parent is not None
    assert (f"{first.context.trace_id:032x}", f"{first.parent.span_id:016x}") == tuple(CALLER.split("-")[1:3])
    assert second.parent is None
    said = [(parent or "").split("-")[1:3] for parent in await traceparents(database)]
    assert said == [[f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"] for span in (first, second)]


async def test_tracing_is_off_by_default_and_passes_the_callers_trace_on(database: Database) -> None:
    off = tracing.configured("tiny", None)
    assert isinstance(off, tracing.Off)
    heard = item(enrolled(), "1")
    heard.cause = Cause("1", "1", CALLER)

    await settling(database, tracing=off).settle([heard, item(enrolled("grace"), "2")])

    assert await traceparents(database) == [CALLER, None]


@pytest.fixture
def configured() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure("tiny", "INFO")
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()


@pytest.mark.usefixtures("configured")
def test_an_exception_is_told_by_class_and_place_and_never_by_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers[0].setStream(__import__("sys").stdout)  # type: ignore[attr-defined]
    try:
        try:
            int("grace@example.com")
        except ValueError as error:
            raise RuntimeError from error
    except RuntimeError:
        structlog.get_logger().exception("a batch can't be settled")
        logging.getLogger("uvicorn.error").exception("in an application")

    lines = [json.loads(line)["exception"].splitlines() for line in capsys.readouterr().out.splitlines()]

    for told in lines:
        assert [line for line in told if not line.startswith(" ")] == ["RuntimeError", "after", "ValueError"]
        assert sum("test_traces_and_logs.py" in line for line in told) == 2


def test_what_a_server_refused_is_told_without_the_document() -> None:
    details = {"writeErrors": [{"code": 64, "errmsg": "w: grace@example.com", "op": {"name": "Grace Hopper"}}]}

    assert str(sorted_failure(BulkWriteError(details))) == "BulkWriteError: ['64']"


@pytest.mark.usefixtures("configured")
def test_every_line_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers[0].setStream(__import__("sys").stdout)  # type: ignore[attr-defined]
    structlog.get_logger().warning("parked", reason="poison")
    logging.getLogger("uvicorn.error").warning("two\nlines")
    logging.getLogger("aiokafka").info("not told")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [(line["event"], line["level"]) for line in lines] == [("parked", "warning"), ("two\nlines", "warning")]
    assert lines[0]["reason"] == "poison"
    assert all(line["timestamp"] and line["service"] == "tiny" for line in lines)
