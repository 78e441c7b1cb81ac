"""Traces: what one click sets in motion, and how long each part of it takes, in every process up to the model.

Rule: this file knows no OpenTelemetry. Without it, or unless it is wanted (OTEL_EXPORTER_OTLP_ENDPOINT), a span is an
object that does nothing, so that nobody asks whether there are traces. With it, see otel.py.

A span has no words in it: no prompt, no answer, no title, no address with an id that opens something.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Protocol

from telemetry.settings import TraceSettings

TRACEPARENT = "traceparent"  # https://www.w3.org/TR/trace-context/

MISSING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed; expected the packages of "
    "requirements/traces.txt (pip install --require-hashes --no-deps -r requirements/traces.txt), or no such variable"
)


class Kind(StrEnum):
    """Which side of a call a span is."""

    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    INTERNAL = "internal"


class Span(Protocol):
    """One part, from its beginning to its end."""

    def event(self, name: str) -> None:
        """Something happens, now."""

    def know(self, **facts: str | int | float) -> None:
        """Say more about it. `__` in a name stands for a dot."""

    def fail(self, why: str) -> None:
        """It has gone wrong; in one word."""


class Tracer(Protocol):
    """Makes spans, and knows in which one this is going on."""

    def span(
        self, name: str, kind: Kind, facts: Mapping[str, str | int | float], begun: float | None, /
    ) -> AbstractContextManager[Span]:
        """A part of what is going on, for the length of the block. `begun`: by the clock, if that is not now."""

    def continued(self, traceparent: str | None, /) -> AbstractContextManager[None]:
        """In the block, what is going on is a part of what is going on elsewhere."""

    def traceparent(self) -> str | None:
        """What to send to whoever goes on with it."""


class _NoSpan:
    def event(self, name: str) -> None: ...

    def know(self, **facts: str | int | float) -> None: ...

    def fail(self, why: str) -> None: ...


class _NoTracer:
    @contextmanager
    def span(self, *_: object) -> Iterator[Span]:
        yield NO_SPAN

    @contextmanager
    def continued(self, _: str | None) -> Iterator[None]:
        yield

    def traceparent(self) -> str | None:
        return None


NO_SPAN: Span = _NoSpan()
_tracer: Tracer = _NoTracer()


class TracesMissing(Exception):
    """Traces are wanted, and cannot be had. The message says what to do."""


def init_traces(settings: TraceSettings, process: str) -> None:
    """Trace from now on, if that is wanted. Raises TracesMissing."""
    global _tracer
    if settings.endpoint is None:
        return
    try:
        from telemetry.otel import OpenTelemetry
    except ImportError:
        raise TracesMissing(MISSING) from None
    _tracer = OpenTelemetry(f"rejoinder-{process}")


def span(
    name: str, kind: Kind = Kind.INTERNAL, *, begun: float | None = None, **facts: str | int | float
) -> AbstractContextManager[Span]:
    """See Tracer. `__` in the name of a fact stands for a dot."""
    return _tracer.span(name, kind, facts, begun)


def continued(traceparent: str | None) -> AbstractContextManager[None]:
    """See Tracer."""
    return _tracer.continued(traceparent)


def headers() -> dict[str, str]:
    """What whoever goes on with it is to be sent, with a request or a job."""
    found = _tracer.traceparent()
    return {TRACEPARENT: found} if found else {}
