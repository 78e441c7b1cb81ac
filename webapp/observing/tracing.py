"""The span of a request: a part of the page's click, or of whoever sends a `traceparent`; all else is a part of it.

WebSockets have none: they last for days. A span names the route and not the address, which may be a link.
"""

from contextlib import ExitStack
from http import HTTPStatus

from flask import Flask, Response, g, request

from telemetry import traces


def init_tracing(app: Flask) -> None:
    """Trace every request, if that is wanted."""
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)


def _begin() -> None:
    if request.headers.get("Upgrade"):
        return
    route = request.url_rule.rule if request.url_rule else "none"
    stack = g.trace = ExitStack()
    stack.enter_context(traces.continued(request.headers.get(traces.TRACEPARENT)))
    g.span = stack.enter_context(traces.span(f"{request.method} {route}", traces.Kind.SERVER, http__route=route))


def _tell(response: Response) -> Response:
    if "span" in g:
        g.span.know(http__response__status_code=response.status_code)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            g.span.fail(HTTPStatus(response.status_code).name.lower())
    return response


def _end(_error: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("trace", None)
    if stack is not None:
        stack.close()
