"""OpenTelemetry: a span for each message, linked across services by `traceparent`. Off without an endpoint."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Protocol

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from libs.chassis.items import Item

_PROPAGATOR = TraceContextTextMapPropagator()


class Tracing(Protocol):
    """Opens a span for each item of a batch, and closes them after the transaction."""

    def around(self, items: Sequence[Item]) -> AbstractContextManager[None]: ...


class Off:
    """Passes the caller's `traceparent` on and records nothing."""

    def around(self, items: Sequence[Item]) -> AbstractContextManager[None]:
        return nullcontext()


class Spans:
    """Spans by the messaging conventions; the facts that an item leads to carry its span as their parent."""

    def __init__(self, provider: trace.TracerProvider) -> None:
        self._tracer = provider.get_tracer("viceversa.chassis")

    @contextmanager
    def around(self, items: Sequence[Item]) -> Iterator[None]:
        spans = [self._start(item) for item in items]
        try:
            yield
        finally:
            for span in spans:
                span.end()

    def _start(self, item: Item) -> trace.Span:
        carrier = {"traceparent": item.cause.traceparent} if item.cause.traceparent else {}
        place = item.raw.topic if item.raw else type(item.message).__name__
        span = self._tracer.start_span(
            f"process {place}",
            context=_PROPAGATOR.extract(carrier),
            kind=SpanKind.CONSUMER,
            attributes={"messaging.system": "kafka", "messaging.operation.type": "process"}
            | ({"messaging.destination.name": place} if item.raw else {}),
        )
        injected: dict[str, str] = {}
        _PROPAGATOR.inject(injected, trace.set_span_in_context(span))
        item.cause = replace(item.cause, traceparent=injected.get("traceparent"))
        return span


def configured(service: str, endpoint: str | None) -> Tracing:
    """Spans to the OTLP endpoint, or nothing. Needs the extra `tracing`."""
    if endpoint is None:
        return Off()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"viceversa-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return Spans(provider)
