"""Requests are checked before they reach a view; what is wrong is said by name."""

from collections.abc import Sequence
from http import HTTPStatus

import gevent
from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest

from webapp.problems import Problem

PATIENCE = 60.0  # seconds for a whole body; whoever sends slower holds a connection that others need
MOST_MEMBERS = 100  # of a body; none of ours has more than ten, and each unknown one is named in the answer
WITHOUT_BODY = {"GET", "HEAD", "OPTIONS"}
MAX_BODY = 2 * 1024 * 1024  # bytes; 100,000 characters, each escaped as \ud83d\ude00, are 1.2 MB


def init_bodies(app: Flask, patience: float = PATIENCE) -> None:
    """Take in what a request carries before anything is done about it: so much, and within so many seconds.

    gunicorn waits for a body as long as it takes.
    """
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY

    def receive() -> None:
        if request.method in WITHOUT_BODY:
            return
        limit = gevent.Timeout(patience)
        try:
            with limit:
                request.get_data()  # which stays there for whoever reads it
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
            detail = f"The body of this request did not arrive within {patience:g} seconds."
            raise Problem(HTTPStatus.REQUEST_TIMEOUT, detail) from None

    app.before_request(receive)


def require_json_object() -> None:
    """A body of the API, where there is one, is a JSON object. Raises Problem, or werkzeug's 413 and 415."""
    if request.method not in {"POST", "PATCH"} or not request.path.startswith("/api/") or not request.get_data():
        return
    try:
        body = request.get_json()
    except BadRequest as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"The body is not JSON. {error.__cause__ or ''}".strip()) from None
    except RecursionError:
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is nested too deeply.") from None
    if not isinstance(body, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, 'The body must be a JSON object, for example {"content": "Hello"}.')
    if len(body) > MOST_MEMBERS:
        raise Problem(HTTPStatus.BAD_REQUEST, f"The body has {len(body):,} members, of which most cannot be meant.")


def invalid_request(error: ValidationError) -> Response:
    """The problem for what pydantic found."""
    errors = [
        {"field": _field(found["loc"]), "message": _message(found["type"], found["msg"])}
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    detail = "; ".join(f"{one['field'] or 'body'}: {one['message']}" for one in errors)
    return Problem(HTTPStatus.BAD_REQUEST, detail, errors=errors).response()


def _field(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location)


def _message(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "Unknown field"
    if kind == "model_type":
        return "A JSON object is required"
    return message.removeprefix("Value error, ")
