"""Trying again: how long to wait before, and when to give up."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, with full jitter: many who failed together do not come back together."""

    first: float = 0.5  # seconds
    longest: float = 8.0  # seconds
    random: Callable[[], float] = random.random

    def delay(self, attempt: int) -> float:
        """Seconds before attempt number `attempt` + 1, where the first attempt has number 1."""
        return self.random() * min(self.longest, self.first * 2.0 ** (attempt - 1))


@dataclass(frozen=True, slots=True)
class Retry:
    """Tries again for a while. For work that may be repeated, against something that may be away."""

    backoff: Backoff
    clock: Callable[[], float]
    sleep: Callable[[float], object]

    def __call__(
        self, what: str, work: Callable[[], T], *, error: type[Exception], patience: float, **facts: object
    ) -> T:
        """Return what `work` returns. After `patience` seconds of failures raise the last one's `error`."""
        deadline = self.clock() + patience
        attempt = 0
        while True:
            attempt += 1
            try:
                return work()
            except error as failure:
                if self.clock() >= deadline:
                    raise
                log.warning("could not %s, trying again: %s", what, failure, extra={"attempt": attempt, **facts})
            self.sleep(self.backoff.delay(attempt))
