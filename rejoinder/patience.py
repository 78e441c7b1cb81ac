"""When to try again, and when to give up: one rule for requests and sockets (webapp/PROTOCOL.md, Close codes)."""

import random as any_random
import time
from collections.abc import Callable

from rejoinder.errors import Unreachable
from rejoinder.words import duration

FIRST, LONGEST = 0.5, 30.0  # seconds: attempt n waits random() * min(LONGEST, FIRST * 2 ** n)
WORTH_SAYING = 0.5  # seconds; a shorter pause is over before it is read


class Patience:
    """Counts failures in a row. Time and chance are passed in."""

    def __init__(
        self,
        seconds: float,
        say: Callable[[str], None],
        *,
        random: Callable[[], float] = any_random.random,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Gives up when nothing has worked for so many seconds."""
        self._seconds = seconds
        self._say = say
        self._random = random
        self._clock = clock
        self._sleep = sleep
        self._failures = 0
        self._since: float | None = None

    def worked(self) -> None:
        """Whatever comes next is a first failure."""
        self._failures, self._since = 0, None

    def has(self, seconds: float) -> bool:
        """Whether it is worth waiting for so long."""
        return seconds <= self._seconds

    def wait(self, why: str, *, asked: float | None = None, spread: float | None = None) -> None:
        """Return when it is time to try again. Raises Unreachable.

        `asked`: so many seconds the server wants to be left alone; and then at any moment within `spread` more, which
        without one grows with every failure.
        """
        now = self._clock()
        if self._since is None:
            self._since = now
        left = self._since + self._seconds - now
        within = min(LONGEST, FIRST * 2.0 ** min(self._failures, 20)) if spread is None else spread
        pause = (asked or 0.0) + self._random() * within
        self._failures += 1
        if pause > left:
            raise Unreachable(f"{why}. Given up after {duration(now - self._since)}.")
        if pause >= WORTH_SAYING:
            self._say(f"{why}; trying again in {duration(pause)}.")
        self._sleep(pause)
