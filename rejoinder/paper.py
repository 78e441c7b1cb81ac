"""What was printed cannot be taken back: how a text that is told anew goes on where the printed one stops.

Rule: no I/O in this file.
"""

from typing import NamedTuple


class Printing(NamedTuple):
    """What to print now. `anew`: it is another text than what was printed, and begins from its beginning."""

    text: str
    anew: bool = False


class Paper:
    """One answer in print. After `again` its text comes from the beginning, and is compared before any is printed."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._before = ""  # what stood there when it was told again …
        self._same = 0  # … and so many characters of it were told again so far

    def again(self) -> None:
        """From here on the text is told from its beginning."""
        if self._is_new:
            self._before += "".join(self._parts)
        self._parts, self._same = [], 0

    def take(self, text: str) -> Printing:
        """The next piece of the text, as it is told."""
        if not self._is_new:
            part = text[: len(self._before) - self._same]
            if self._before.startswith(part, self._same):
                self._same += len(part)
                text = text[len(part) :]
            else:
                self._parts = [self._before[: self._same], text]
                self._before, self._same = "", 0
                return Printing("".join(self._parts), anew=True)
        if text:
            self._parts.append(text)
        return Printing(text)

    @property
    def left_over(self) -> int:
        """So many characters are printed that are not in the text, if it ends here."""
        return len(self._before) - self._same

    @property
    def _is_new(self) -> bool:
        """Whether all that was printed was told again, so that what comes is new."""
        return self._same == len(self._before)
