"""An OTLP collector: takes spans over real HTTP, and reads the protobuf."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.serving import serving


@dataclass(frozen=True, slots=True)
class Told:
    """A span, as it was sent."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    start: int
    stop: int
    facts: dict[str, str]
    events: list[tuple[str, int]]
    failed: bool


class Collector:
    """`endpoint` is what OTEL_EXPORTER_OTLP_ENDPOINT wants."""

    def __init__(self) -> None:
        self.spans: list[Told] = []
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
                if self.path == "/v1/traces":
                    collector.bodies.append(body)
                    collector.spans += spans_of(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


def spans_of(body: bytes) -> list[Told]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    found = []
    for resource in request.resource_spans:
        about = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                facts = {each.key: each.value.string_value or str(each.value.int_value) for each in span.attributes}
                found.append(
                    Told(
                        about["service.name"],
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        span.start_time_unix_nano,
                        span.end_time_unix_nano,
                        facts,
                        [(event.name, event.time_unix_nano) for event in span.events],
                        span.status.code == 2,
                    )
                )
    return found


@contextmanager
def running_collector() -> Iterator[Collector]:
    collector = Collector()
    with serving(collector.server):
        yield collector
