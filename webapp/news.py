"""News of conversations: whoever watches one is told when it has a newer version.

The version in the database is the truth, and a channel in Redis the hint. The database is asked when a watch begins
and whenever the channel is (again) subscribed, so nothing falls between a page's GET and its socket, or into a
reconnection.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from conversations import Store
from streams import Subscriber
from streams import keys as stream_keys

log = logging.getLogger(__name__)

RETRY_AFTER = 2.0  # seconds until a database that was away is asked again; nothing tells when it is back

Told = Callable[[str, int], None]


class Watch:
    """One page's interest in one conversation, beginning at the version that it has seen."""

    def __init__(self, conversation_id: str, version: int, told: Told) -> None:
        self.conversation_id = conversation_id
        self._version = version
        self._told = told

    def newest(self, version: int) -> None:
        """Tell the page, unless it has seen this version."""
        if version > self._version:
            self._version = version
            self._told(self.conversation_id, version)


class News:
    """All watches of a process, over the process's one pub/sub connection."""

    def __init__(
        self, store: Store, subscriber: Subscriber, background: Callable[[Callable[[], None]], object]
    ) -> None:
        """`background` runs a function soon, on a thread that may wait for the database."""
        self._store = store
        self._subscriber = subscriber
        self._background = background
        self._lock = threading.Lock()
        self._watches: dict[str, set[Watch]] = {}

    def watch(self, watch: Watch) -> None:
        """Begin; a newer version than it has seen is told at once. The caller has checked whose conversation it is."""
        with self._lock:
            watches = self._watches.setdefault(watch.conversation_id, set())
            first = not watches
            watches.add(watch)
        if first:
            self._subscriber.add(
                stream_keys.versions(watch.conversation_id),
                partial(self._heard, watch.conversation_id),
                partial(self._subscribed, watch.conversation_id),
            )
        else:
            self._subscribed(watch.conversation_id)

    def unwatch(self, watch: Watch) -> None:
        """Tell it no more."""
        with self._lock:
            watches = self._watches.get(watch.conversation_id, set())
            watches.discard(watch)
            if not watches and self._watches.pop(watch.conversation_id, None) is not None:
                self._subscriber.remove(stream_keys.versions(watch.conversation_id))

    def _heard(self, conversation_id: str, payload: bytes) -> None:
        self._tell(conversation_id, int(payload))

    def _subscribed(self, conversation_id: str) -> None:
        self._background(partial(self._ask, conversation_id))

    def _ask(self, conversation_id: str) -> None:
        while conversation_id in self._watches:
            try:
                version = self._store.versions([conversation_id]).get(conversation_id)
            except SQLAlchemyError as error:
                log.warning("news not read, trying again: %s", error, extra={"conversation_id": conversation_id})
                time.sleep(RETRY_AFTER)
                continue
            if version is not None:
                self._tell(conversation_id, version)
            return

    def _tell(self, conversation_id: str, version: int) -> None:
        with self._lock:
            watches = list(self._watches.get(conversation_id, ()))
        for watch in watches:
            watch.newest(version)
