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
    """What Redis says. Raises what `ask` raises, and redis.TimeoutError where it says nothing in time."""
    # In a greenlet of its own: one keeps all the stack that it has ever needed, redis-py needs much, and a socket lives
    # for days. It is 3.6 KiB for each (`make bench Q=memory`).
    asking = gevent.spawn(_tried, ask)
    try:
        asking.join(PATIENCE)
        if not asking.ready():
            raise redis.TimeoutError(f"no answer within {PATIENCE:g} s")
    finally:
        asking.kill(block=False)
    answer: T
    answer, error = asking.get()
    if error is not None:
        raise error
    return answer


def _tried(ask: Callable[[], T]) -> tuple[T, None] | tuple[None, BaseException]:
    """What ends a greenlet would be printed."""
    try:
        return ask(), None
    except BaseException as error:  # noqa: BLE001 (it is raised where it was asked)
        return None, error
