"""Every request has an id: the browser's or the router's, or one of ours. It goes back in the answer, into every line
that is logged meanwhile, and with a job to the worker and the model's server."""

from flask import Flask, Response, request

from telemetry import context
from telemetry.redaction import digest, keep_secret

KNOWN_BY = ("conversation_id", "stream_id", "message_id")  # names in routes


def init_correlation(app: Flask) -> None:
    """Before everything else that a request goes through: whatever refuses it says so with the id."""
    app.before_request(_begin)
    app.after_request(_tell)


def _begin() -> None:
    context.begin_request(request.headers.get(context.HEADER))
    named = request.view_args or {}
    context.know(**{name: named[name] for name in KNOWN_BY if name in named})
    if share_id := named.get("share_id") or request.args.get("share"):
        keep_secret(share_id)
        context.know(share=digest(share_id))


def _tell(response: Response) -> Response:
    response.headers[context.HEADER] = context.request_id() or ""
    return response
