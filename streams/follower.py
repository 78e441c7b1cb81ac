"""Joins replayed and live entries into one ordered sequence, each entry once.

Rule: no I/O, no clock and no locks in this file. Pages and notifications go in, in any order and any number of times,
so every race can be written down as a list and tested. What is in the list is the truth: a notification that does not
fit exactly is not held or guessed at, it only says that the list must be read.
"""

from streams.chunk import Notification, Position, is_end
from streams.reader import Page


class Follower:
    """What is known of one stream: its epoch and its entries from 0 without a hole."""

    __slots__ = ("entries", "epoch")

    def __init__(self) -> None:
        self.epoch: str | None = None
        self.entries: list[bytes] = []

    @property
    def position(self) -> Position | None:
        """From where to read on; None while no epoch is known."""
        return Position(self.epoch, len(self.entries)) if self.epoch else None

    @property
    def ended(self) -> bool:
        """Whether the last entry is the end."""
        return bool(self.entries) and is_end(self.entries[-1])

    def notified(self, news: Notification) -> bool:
        """Take a notification. False means: something is missing or contradicts, read the list."""
        if news.epoch != self.epoch:
            return False
        if news.stop <= len(self.entries):
            return True  # seen before
        if news.start > len(self.entries) or news.entries is None:
            return False
        self._extend(news.start, news.entries)
        return True

    def replayed(self, page: Page) -> bool:
        """Take a page that was read from `position` on. False means: there is more, read on.

        A page of another epoch replaces everything.
        """
        if page.epoch != self.epoch:
            self.epoch, self.entries = page.epoch, []
        self._extend(page.start, page.entries)
        # A list shorter than what is known has lost its end in a failover; its writer is about to mend it.
        return len(self.entries) >= page.length

    def _extend(self, start: int, entries: list[bytes]) -> None:
        known = len(self.entries)
        if start <= known:
            self.entries += entries[known - start :]
