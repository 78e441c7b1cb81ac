"""Every error as an RFC 9457 problem: one shape, words for a person, never a stack trace."""

import json
import logging
import math
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, Field
from redis import RedisError
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from conversations import (
    Busy,
    ConversationTooLong,
    DiscussionFull,
    InvalidCursor,
    KeyReused,
    NotFound,
    NothingToContinue,
    NotShared,
    OutOfTokens,
    ShareOver,
    TooManyRunning,
    WrongRole,
)
from streams import StreamNotFound

log = logging.getLogger(__name__)

ANSWER_TAKES = 10  # seconds, or so
RETRY_AFTER = 2  # seconds; Redis and a database come back within seconds, or not soon


class Problem(Exception):
    """Raise it to answer with it. `members` are the extension members of RFC 9457."""

    def __init__(
        self, status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def as_dict(self) -> dict[str, Any]:
        return {"status": self.status, "title": self.status.phrase, "detail": self.detail, **self.members}

    def response(self) -> Response:
        return Response(json.dumps(self.as_dict()), self.status, self.headers, content_type="application/problem+json")


def invalid_field(field: str, message: str) -> Problem:
    """One thing wrong with a request, by its name."""
    return Problem(HTTPStatus.BAD_REQUEST, f"{field}: {message}", errors=[{"field": field, "message": message}])


class FieldError(BaseModel):
    """One thing wrong with a request."""

    field: str = Field(description="the member, parameter or header at fault; empty for the request as a whole")
    message: str


class ProblemBody(BaseModel):
    """An RFC 9457 problem."""

    model_config = ConfigDict(title="Problem")

    status: int
    title: str
    detail: str
    errors: list[FieldError] | None = Field(default=None, description="with 400: what is wrong, each by its name")
    stream: str | None = Field(default=None, description="with 409: the stream that is running")
    left: int | None = Field(default=None, description="with 429 for tokens: how many there are today")
    returns: str | None = Field(default=None, description="…and when there are new ones")
    fault: str | None = Field(default=None, description="with 500: where to find it in the server's log")


def described(*statuses: HTTPStatus) -> dict[str | int | HTTPStatus, Any]:
    """The problems that an operation may answer, for its OpenAPI description; `default` stands for all the others."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    named: dict[str | int | HTTPStatus, Any] = {
        status: {"description": status.phrase, "content": content} for status in statuses
    }
    return {**named, "default": {"description": "Any other problem", "content": content}}


def init_problems(app: Flask) -> None:
    """Answer every exception of this application with a problem."""
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(StreamNotFound, _not_found)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(ShareOver, _share_over)
    app.register_error_handler(NotShared, _not_shared)
    app.register_error_handler(KeyReused, _key_reused)
    app.register_error_handler(WrongRole, _wrong_role)
    app.register_error_handler(DiscussionFull, _discussion_full)
    app.register_error_handler(NothingToContinue, _nothing_to_continue)
    app.register_error_handler(InvalidCursor, _invalid_cursor)
    app.register_error_handler(TooManyRunning, _too_many_running)
    app.register_error_handler(OutOfTokens, _out_of_tokens)
    app.register_error_handler(ConversationTooLong, _conversation_too_long)
    for unreachable, what in (
        (RedisError, "Redis"),
        (OperationalError, "the database"),
        (InterfaceError, "the database"),
        (InternalError, "the database"),  # a server that was demoted, or took us for dead in mid-transaction
        (PoolTimeout, "the database"),
    ):
        app.register_error_handler(unreachable, _unavailable(what))
    app.register_error_handler(Exception, _fault)


def _from_http(error: HTTPException) -> Response:
    """What Flask and werkzeug say themselves (404, 405, 413 …), with the headers that belong to it (`Allow`)."""
    original = error.get_response(request.environ)
    if original.status_code < HTTPStatus.BAD_REQUEST:  # a redirect is no problem
        return Response(original.get_data(), original.status_code, original.headers)
    headers = {name: value for name, value in original.headers if name not in {"Content-Type", "Content-Length"}}
    status = HTTPStatus(original.status_code)
    return Problem(status, error.description or status.description or status.phrase, headers=headers).response()


def _not_found(_: Exception) -> Response:
    """The same words for what does not exist and what belongs to somebody else."""
    return Problem(HTTPStatus.NOT_FOUND, "There is nothing of yours at this address.").response()


def _busy(error: Busy) -> Response:
    detail = "An answer is being written in this conversation. Wait for its end, or stop it."
    return Problem(HTTPStatus.CONFLICT, detail, stream=error.stream_id).response()


def _share_over(_: ShareOver) -> Response:
    return Problem(HTTPStatus.GONE, "This link was revoked, or its time is over.").response()


def _not_shared(error: NotShared) -> Response:
    return Problem(
        HTTPStatus.FORBIDDEN, f"This link is not for {error.what}. Its owner can make one that is."
    ).response()


def _key_reused(_: KeyReused) -> Response:
    detail = "This Idempotency-Key was used for another request. One key names one send; take a new one."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail).response()


def _wrong_role(error: WrongRole) -> Response:
    detail = f"This message is of role {error.role}; this can be done only with one of role {error.wanted}."
    return Problem(HTTPStatus.BAD_REQUEST, detail).response()


def _discussion_full(error: DiscussionFull) -> Response:
    detail = f"This discussion is full: it has seen {error.most:,} remarks and removals."
    return Problem(HTTPStatus.CONFLICT, detail).response()


def _nothing_to_continue(_: NothingToContinue) -> Response:
    detail = "This answer has no text to go on from. Have it written anew instead (…/regenerate)."
    return Problem(HTTPStatus.BAD_REQUEST, detail).response()


def _invalid_cursor(_: InvalidCursor) -> Response:
    return invalid_field("before", "This is no place in the list; take `next` from the page before").response()


def _too_many_running(error: TooManyRunning) -> Response:
    detail = (
        f"{error.most} of your answers are queued or being written, and that is the most. Wait for one, or stop one."
    )
    headers = {"Retry-After": str(ANSWER_TAKES)}
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers=headers).response()


def _out_of_tokens(error: OutOfTokens) -> Response:
    """Of all together nobody is told more than that there is nothing left."""
    wait = max(1, math.ceil((error.returns - datetime.now(UTC)).total_seconds()))
    until = f"There are new ones from midnight UTC on, {in_words(wait)}."
    if error.limit is None:
        detail = f"The tokens that this server has for today are used up. {until}"
    else:
        detail = f"Your {error.limit:,} tokens for today are used up. {until}"
    headers = {"Retry-After": str(wait)}
    returns = error.returns.isoformat().replace("+00:00", "Z")
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers=headers, left=0, returns=returns).response()


def _conversation_too_long(error: ConversationTooLong) -> Response:
    detail = (
        f"This conversation has grown to {error.length:,} characters, and at most {error.most:,} are sent to a model. "
        "Begin a new one."
    )
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail).response()


def in_words(seconds: int) -> str:
    """How long one has to wait."""
    for least, unit, name in ((5400, 3600, "hour"), (90, 60, "minute"), (0, 1, "second")):
        if seconds > least:
            count = math.ceil(seconds / unit)
            return f"in {count} {name}{'s' if count > 1 else ''}"
    return "now"


def _unavailable(what: str) -> Callable[[Exception], Response]:
    def answer(error: Exception) -> Response:
        log.warning("unavailable: %s", error, extra={"what": what, "route": str(request.url_rule)})
        detail = f"A part of the server ({what}) does not answer at the moment. Try again in a few seconds."
        headers = {"Retry-After": str(RETRY_AFTER)}
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=headers).response()

    return answer


def _fault(error: Exception) -> Response:
    fault = secrets.token_hex(6)
    log.error("fault %s", fault, extra={"fault": fault, "route": str(request.url_rule)}, exc_info=error)
    detail = f"Something went wrong in the server. Its log says what, under {fault}."
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, fault=fault).response()
