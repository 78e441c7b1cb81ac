"""How fast somebody may go on: at a steady rate, and for a while faster (GCRA: one number each, no timer)."""

from collections.abc import Callable

FEW = 1_000  # names, for which nothing is forgotten
ROUNDING = 1e-6  # seconds


class Pace:
    """So many steps in a second, of which those of `lead` seconds may come at once."""

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


class Paces:
    """The same for many, each by a name. Those who would be done with all steps so far are forgotten now and then."""

    def __init__(self, per_second: float, lead: float, clock: Callable[[], float]) -> None:
        self._step = 1 / per_second
        self._lead = lead
        self._clock = clock
        self._due: dict[str, float] = {}
        self._most = FEW

    def late(self, name: str) -> float:
        """Take one more step, if that is not too fast: 0. Else none is taken, and may be in so many seconds."""
        now = self._clock()
        due = max(self._due.get(name, 0.0), now) + self._step
        late = due - now - self._lead
        if late > ROUNDING:
            return late
        self._due[name] = due
        if len(self._due) > self._most:
            self._due = {name: due for name, due in self._due.items() if due > now}
            self._most = max(FEW, 2 * len(self._due))
        return 0.0

    def __len__(self) -> int:
        """How many are known."""
        return len(self._due)
