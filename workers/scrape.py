"""Where Prometheus reads this worker's numbers: METRICS_PORT."""

import hmac
from collections.abc import Callable, Iterable
from typing import Any

from gevent.pywsgi import WSGIServer

from telemetry.exposition import CONTENT_TYPE_LATEST
from workers.metrics import EXPOSITION


class PortTaken(Exception):
    """The message says which port, and what to do about it."""


def serve_metrics(port: int, token: str | None) -> None:
    """Answer there from now on, whoever asks; with a token only who has it. Raises PortTaken."""

    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is nothing but /metrics here.\n"]
        if token is not None and not _same(environ.get("HTTP_AUTHORIZATION", ""), f"Bearer {token}"):
            start_response("401 Unauthorized", [("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer")])
            return [b"This is for who has the token of METRICS_TOKEN.\n"]
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [EXPOSITION.text()]

    try:
        WSGIServer(("", port), answer, log=None).start()
    except OSError as error:
        what = f"{error.strerror or error}; expected a port of its own for each worker on this machine"
        raise PortTaken(f"METRICS_PORT={port}: {what}") from None


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("latin-1", "replace"), expected.encode())
