"""Which pages show whose list of conversations, and how they hear that it has changed.

What is told is only that: the page reads its list again. It is told once when it begins, and whenever the channel was
subscribed anew, so nothing falls between a page's reading and its socket, or into a reconnection.
"""

import threading
from collections.abc import Callable
from functools import partial

from streams import Subscriber, keys

Told = Callable[[], None]


class Lists:
    """All lists that pages of this process show, over the process's one pub/sub connection."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._lock = threading.Lock()
        self._pages: dict[str, set[Told]] = {}

    def watch(self, owner: str, told: Told) -> None:
        """Call `told`, which must not wait, now and with every change."""
        with self._lock:
            pages = self._pages.setdefault(owner, set())
            first = not pages
            pages.add(told)
            if first:  # under the lock: whoever leaves at the same moment must not take this subscription along
                tell = partial(self._tell, owner)
                self._subscriber.add(keys.listing(owner), lambda _: tell(), tell)
        if not first:
            told()

    def unwatch(self, owner: str, told: Told) -> None:
        """Tell it no more."""
        with self._lock:
            pages = self._pages.get(owner, set())
            pages.discard(told)
            if not pages and self._pages.pop(owner, None) is not None:
                self._subscriber.remove(keys.listing(owner))

    def _tell(self, owner: str) -> None:
        with self._lock:
            pages = list(self._pages.get(owner, ()))
        for told in pages:
            told()
