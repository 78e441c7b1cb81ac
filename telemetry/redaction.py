"""Keeps out of sight what opens something: a share's id is a capability, which no reader of a log is meant to have.

In its place stands a digest, by which lines about the same share are still found together.
"""

import hashlib
import re
from contextvars import ContextVar

_of_this_request: ContextVar[tuple[str, ...]] = ContextVar("secrets_of_this_request", default=())

# Where a share's id stands in an address, and in words about one. What a request was let in by is known exactly; this
# is for lines that are written elsewhere, as gunicorn's.
IN_ADDRESSES = re.compile(r"((?:/s/|/shares/|\bshare=|\bshare ')['\"]?)([A-Za-z0-9_-]{8,64})")


def digest(secret: str) -> str:
    """Names it, and opens nothing."""
    return "share:" + hashlib.sha256(secret.encode()).hexdigest()[:12]


def keep_secret(*secrets: str) -> None:
    """From now on these are hidden in whatever this request says. They take the place of those before."""
    _of_this_request.set(tuple(filter(None, secrets)))


def hide(text: str) -> str:
    """The text with digests in the place of secrets."""
    for secret in _of_this_request.get():
        text = text.replace(secret, digest(secret))
    return IN_ADDRESSES.sub(lambda found: found[1] + digest(found[2]), text)
