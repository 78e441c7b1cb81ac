"""What a person is told while the model has not begun to answer.

Rule: no clock in this file. Times go in; when there is something to say, it is said. A model that begins at once gets
no word, unless another worker was to ask it before.
"""

from collections.abc import Callable

PATIENCE = 3.0  # seconds from asking to the first word about it: most models begin sooner

AGAIN = "The worker that had this question stopped. Another one is asking the model…"
SLOW = "Waiting for the model: it may be loading."
NOTHING = ""  # takes back what was said


class Waiting:
    """Watches the beginning of one answer, told what happens and when."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told = NOTHING
        self.due: float | None = None
        """When `late` is to be called, unless something else happens before."""

    def asked(self, now: float, *, again: bool = False) -> None:
        """The model is asked. `again`: another worker had that to do before, which is said, until there is text."""
        if again:
            self._tell(AGAIN)
        else:
            self.due = now + PATIENCE

    def refused(self, words: str, asked_again: float) -> None:
        """It has said "not now", and is asked again at that time."""
        self.due = asked_again + PATIENCE
        self._say(words)

    def late(self) -> None:
        """Nothing has been heard of it for a while."""
        self.due = None
        self._say(SLOW)

    def over(self) -> None:
        """It has begun."""
        self.due = None
        self._say(NOTHING)

    def _say(self, words: str) -> None:
        if words != self._told:
            self._told = words
            self._tell(words)
