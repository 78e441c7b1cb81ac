"""A server that takes what a Sentry client sends, over real HTTP."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.serving import serving


class SentryServer:
    """`dsn` is where to send; `bodies` is all that came, unpacked."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        taken = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken.append((gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body).decode())
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def dsn(self) -> str:
        return f"http://publickey@127.0.0.1:{self.server.server_port}/7"

    def events(self) -> list[dict[str, Any]]:
        """Each error that was sent: the items of that type in all envelopes."""
        found = []
        for body in self.bodies:
            _, *lines = body.splitlines()
            headers = map(json.loads, lines[::2])
            found += [json.loads(item) for header, item in zip(headers, lines[1::2], strict=False) if is_event(header)]
        return found


def is_event(header: dict[str, Any]) -> bool:
    return header.get("type") == "event"


@contextmanager
def running_sentry() -> Iterator[SentryServer]:
    sentry = SentryServer()
    with serving(sentry.server):
        yield sentry
