"""How long a generation may take, and what is said when it took longer.

Rule: no clock in this file. Times go in, deadlines come out.
"""

from dataclasses import dataclass

from streams import End, Outcome

CLOSING = 5.0  # seconds for the usage and the end of the connection to follow a finished answer


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """All in seconds."""

    first_token: float
    silence: float
    whole: float


class Watch:
    """Watches one generation: told what happens and when, it says by when something else must happen."""

    def __init__(self, limits: TimeLimits, begun: float) -> None:
        self._limits = limits
        self._whole = begun + limits.whole
        self._next = begun + limits.first_token
        self._end = _too_slow(f"The model did not begin to answer within {_seconds(limits.first_token)}.")
        self._heard = False
        self._finished = False

    def heard(self, now: float) -> None:
        """A delta came. After the finish it changes nothing: whoever goes on talking does not undo it."""
        if self._finished:
            return
        self._next = now + self._limits.silence
        if not self._heard:
            self._heard = True
            self._end = _too_slow(f"The model fell silent for {_seconds(self._limits.silence)} in its answer.")

    def finished(self, now: float, end: End) -> None:
        """The answer is whole; what may still follow is a formality, and its lack no failure."""
        self._finished = True
        self._next = now + CLOSING
        self._whole = self._next
        self._end = end

    @property
    def deadline(self) -> tuple[float, End]:
        """By when the next thing must happen, and how the generation ends if it does not."""
        if self._next <= self._whole:
            return self._next, self._end
        return self._whole, _too_slow(f"The answer took longer than {_seconds(self._limits.whole)}.")


def _too_slow(reason: str) -> End:
    return End(Outcome.FAILED, reason)


def _seconds(seconds: float) -> str:
    return f"{seconds:g} seconds" if seconds < 120 else f"{seconds / 60:g} minutes"
