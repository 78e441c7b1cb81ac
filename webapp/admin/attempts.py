"""How often a wrong password may be given: counted for each address and in all, by all web processes together.

Whether a password was right is only told to whoever has guesses left, so a right guess after too many wrong ones looks
like another wrong one. While Redis is away each process counts for itself: other limits (defence/limits.py) let
everybody pass then, but whoever guesses is not everybody.
"""

import logging
import math
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from limits import RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter
from redis import Redis, RedisError

from webapp.patience import patiently
from webapp.problems import Problem, in_words

log = logging.getLogger(__name__)

MINUTES = 10
PER_ADDRESS = RateLimitItemPerMinute(10, MINUTES, namespace="admin")  # wrong ones; a person's typing errors are fewer
IN_ALL = RateLimitItemPerMinute(100, MINUTES, namespace="admin")  # for guesses that come from many addresses
WELCOME = RateLimitItemPerDay(1, 7, namespace="admin")  # taken by an address from which the right one came


class Attempts:
    """Wrong passwords of the last minutes."""

    def __init__(self, redis: Redis) -> None:
        shared = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix="rejoinder:limits")
        self._shared: RateLimiter = MovingWindowRateLimiter(shared)
        self._own: RateLimiter = MovingWindowRateLimiter(MemoryStorage())

    def judge(self, right: bool, address: str) -> bool:
        """Whether this is let in, given that its password is right or not. Raises Problem after too many wrong ones."""
        try:
            return patiently(partial(self._judge, self._shared, right, address))
        except RedisError as error:
            log.warning("wrong passwords are counted by this process alone: %s", error)
            return self._judge(self._own, right, address)

    def _judge(self, limiter: RateLimiter, right: bool, address: str) -> bool:
        """A wrong one is counted first, a right one is not: of many at once no more are answered than of few."""
        ask: Callable[..., bool] = limiter.test if right else limiter.hit
        if not ask(PER_ADDRESS, "from", address):
            raise _too_many(limiter, "from", address)
        # Who was let in before is not kept out by what others guess.
        if limiter.test(WELCOME, "welcome", address) and not ask(IN_ALL, "all"):
            raise _too_many(limiter, "all")
        if right:
            limiter.hit(WELCOME, "welcome", address)
        else:
            log.warning("wrong password for the admin pages", extra={"address": address})
        return right


def _too_many(limiter: RateLimiter, *whose: str) -> Problem:
    limit = IN_ALL if whose == ("all",) else PER_ADDRESS
    free = limiter.get_window_stats(limit, *whose).reset_time
    seconds = max(1, math.ceil(free - time.time()))
    detail = f"Too many wrong passwords. Try again {in_words(seconds)}."
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(seconds)})
