"""How fast somebody may go on: at a steady rate, and for a while faster."""

from collections.abc import Callable


class Pace:
    """So many steps in a second, of which those of `lead` seconds may come at once (GCRA: one number, no timer)."""

    __slots__ = ("_clock", "_due", "_lead", "_step")

    def __init__(self, per_second: float, lead: float, clock: Callable[[], float]) -> None:
        self._step = 1 / per_second
        self._lead = lead
        self._clock = clock
        self._due = 0.0  # when somebody who never hurries would be done with the steps so far

    def keeps(self) -> bool:
        """Take one more step; whether that was not too fast."""
        now = self._clock()
        self._due = max(self._due, now) + self._step
        return self._due - now <= self._lead
