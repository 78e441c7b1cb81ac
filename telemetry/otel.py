"""Traces by OpenTelemetry, sent by OTLP over HTTP. All that can be set is set by its own variables (OTEL_…)."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry.traces import TRACEPARENT, Kind, Span

Facts = Mapping[str, str | int | float]

KINDS = {kind: SpanKind[kind.name] for kind in Kind}


class OpenTelemetry:
    """See traces.Tracer."""

    def __init__(self, service: str) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME") or service
        provider = TracerProvider(resource=Resource.create({"service.name": name}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = provider.get_tracer("rejoinder")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, kind: Kind, facts: Facts, begun: float | None) -> Iterator[Span]:
        start = None if begun is None else int(begun * 1e9)
        # What an exception says may be what people ask: only its type is told.
        with self._tracer.start_as_current_span(
            name,
            kind=KINDS[kind],
            attributes=_named(facts),
            start_time=start,
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            told = _Span(made)
            try:
                yield told
            except Exception as error:
                told.fail(type(error).__name__)
                raise

    @contextmanager
    def continued(self, traceparent: str | None) -> Iterator[None]:
        token = context.attach(self._propagator.extract({TRACEPARENT: traceparent} if traceparent else {}))
        try:
            yield
        finally:
            context.detach(token)

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(TRACEPARENT)


class _Span:
    def __init__(self, made: trace.Span) -> None:
        self._made = made

    def event(self, name: str) -> None:
        self._made.add_event(name)

    def know(self, **facts: str | int | float) -> None:
        self._made.set_attributes(_named(facts))

    def fail(self, why: str) -> None:
        self._made.set_status(Status(StatusCode.ERROR, why))


def _named(facts: Facts) -> dict[str, str | int | float]:
    return {name.replace("__", "."): value for name, value in facts.items()}
