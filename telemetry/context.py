"""What a line says besides itself: which request it belongs to, and which conversation and stream.

They are kept where structlog merges them into every line (contextvars). Each greenlet and thread has its own, and a new
one begins with none: what belongs together is started with `carrying_on`.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars

from telemetry import traces
from telemetry.redaction import keep_secret

P = ParamSpec("P")
T = TypeVar("T")

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9+/=_-]{8,128}")  # a UUID, or what routers and browsers make: no space, no line
TRAVELS = ("request_id", "conversation_id")  # with a job


def forget() -> None:
    """Whoever served one request begins with another."""
    clear_contextvars()
    keep_secret()


def begin_request(given: str | None) -> str:
    """Every line from now on has this id, or one of our own where there is none that could be one. Returns it."""
    forget()
    request_id = given if given and WELL_FORMED.fullmatch(given) else secrets.token_hex(16)
    bind_contextvars(request_id=request_id)
    return request_id


def know(**ids: str) -> None:
    """Every line from now on has these too."""
    bind_contextvars(**ids)


def request_id() -> str | None:
    """The request that all of this began with."""
    found: str | None = get_contextvars().get("request_id")
    return found


def headers() -> dict[str, str]:
    """What a request of ours to somebody else says of where it comes from."""
    found = request_id()
    return {**({HEADER: found} if found else {}), **traces.headers()}


def luggage() -> dict[str, str]:
    """What a job takes along, as its `meta`."""
    known = get_contextvars()
    return {**{name: known[name] for name in TRAVELS if name in known}, **traces.headers()}


@contextmanager
def unpacked(meta: Mapping[str, object]) -> Iterator[None]:
    """Every line of the block has what came along, and its spans belong to that trace. What is no id is left."""
    ids = {name: meta.get(name) for name in TRAVELS}
    known = {name: found for name, found in ids.items() if isinstance(found, str) and WELL_FORMED.fullmatch(found)}
    trace = meta.get(traces.TRACEPARENT)
    with bound_contextvars(**known), traces.continued(trace if isinstance(trace, str) else None):
        yield


def carrying_on(function: Callable[P, T]) -> Callable[P, T]:
    """The function, for another greenlet, with what is known here."""
    context = copy_context()

    def carried_on(*args: P.args, **kwargs: P.kwargs) -> T:
        return context.run(function, *args, **kwargs)

    return carried_on
