"""How long a request waits for Redis where it can do without: once, and not as long as redis-py, which asks again.

A Redis that is away says so at once. One that hangs says nothing, and would hold up whoever came to see that it does.
"""

from collections.abc import Callable
from typing import TypeVar

import gevent
import redis

T = TypeVar("T")

PATIENCE = 2.0  # seconds


def patiently(ask: Callable[[], T]) -> T:
    """What Redis says. Raises redis.RedisError, also where it says nothing in time."""
    limit = gevent.Timeout(PATIENCE)
    try:
        with limit:
            return ask()
    except gevent.Timeout as timeout:
        if timeout is not limit:
            raise
        raise redis.TimeoutError(f"no answer within {PATIENCE:g} s") from timeout
