"""Follows streams for all viewers of a process, over one pub/sub connection.

The way of a chunk, from Redis to a thousand viewers:

    subscriber ──notification──> Tail ──one Batch──> each Cursor that is caught up ──> its Viewer writes it at once
                                  │                  (a Cursor that is behind takes what it lacks by itself)
       list ──page, when needed───┘

The list is read when a channel is (again) subscribed, when a notification does not fit, and after a silence. There is
one thread for the notifications and one for the reading, however many streams and viewers there are; in a cluster, one
of each for each server.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from functools import partial

import redis

from streams import keys
from streams.chunk import Position
from streams.connection import Client
from streams.counts import Followed
from streams.lanes import Lanes
from streams.reader import read_pages
from streams.subscriber import Subscriber
from streams.tail import Cursor, Tail, Viewer

log = logging.getLogger(__name__)

SILENCE = 5.0  # seconds without news after which the list is read in any case: pub/sub is only a hint
UNWATCHED_GRACE = 30.0  # seconds that a Tail without viewers is kept: whoever refreshes is back within them
TICK = 1.0  # seconds between looks for silent, missing and unwatched Tails
READ_AT_ONCE = 50  # streams read in one round trip


class StreamHub:
    """All Tails of a process. Viewers come and go; the hub subscribes, reads, and forgets."""

    def __init__(
        self,
        client: Client,
        subscriber: Subscriber,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._redis = client
        self._subscriber = subscriber
        self._clock = clock
        self._lock = threading.Lock()
        self._tails: dict[str, Tail] = {}
        self._due: Lanes[str] = Lanes(  # streams whose list is to be read
            client, "stream-reader", keys.chunks, self._read, at_once=READ_AT_ONCE, random=random
        )
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._tick_forever, name="stream-ticker", daemon=True)
        self.counts = Followed()
        self.list_reads = 0  # pages read so far; tests and the operations page look at it

    def start(self) -> None:
        """Start reading. The subscriber is started, and closed, by whoever made it."""
        self._due.start()
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._closing.set()
        self._due.close()
        if self._thread.is_alive():
            self._thread.join()

    def follow(
        self, stream_id: str, viewer: Viewer, position: Position | None = None, *, expected: bool = True
    ) -> Cursor:
        """Follow a stream for a viewer; it is woken when there is something to `take`. Does not wait.

        `expected` says that someone should be writing it, so that a stream that Redis does not know is waited for
        (MISSING_GRACE) before it is gone.
        """
        with self._lock:
            tail = self._tails.get(stream_id)
            if tail is None or tail.gone:
                tail = self._tails[stream_id] = Tail(stream_id, expected, self._clock, self.counts)
                self._subscriber.add(
                    keys.news(stream_id), partial(self._notified, stream_id), partial(self._due.put, stream_id)
                )
            return tail.join(viewer, position)

    @property
    def tails(self) -> dict[str, int]:
        """The streams that are held in memory, with their viewers."""
        with self._lock:
            return {stream_id: tail.viewers for stream_id, tail in self._tails.items()}

    @property
    def queued(self) -> list[str]:
        """The streams that somebody follows here and nobody has begun to write."""
        with self._lock:
            return [stream_id for stream_id, tail in self._tails.items() if tail.is_queued]

    def queued_behind(self, stream_id: str, ahead: int | None, *, away: bool) -> None:
        """Tell who follows this stream how many come before it, and whether all who could begin it are `away`.

        None: their number is not known. What a queue is, the caller knows.
        """
        tail = self._tails.get(stream_id)
        if tail is not None:
            tail.queued_behind(ahead, away=away)

    # -- inside

    def _notified(self, stream_id: str, payload: bytes) -> None:
        tail = self._tails.get(stream_id)
        if tail is not None and not tail.notified(payload):
            self._due.put(stream_id)

    def _read(self, stream_ids: list[str]) -> list[str]:
        """Read a page of each. Returns those that could not be read."""
        with self._lock:
            tails = [self._tails[stream_id] for stream_id in stream_ids if stream_id in self._tails]
        try:
            pages = read_pages(self._redis, [(tail.stream_id, tail.position) for tail in tails])
        except redis.RedisError as error:
            log.warning("streams not read, trying again: %s", error)
            return [tail.stream_id for tail in tails]
        self.list_reads += len(pages)
        for tail, page in zip(tails, pages, strict=True):
            if not tail.replayed(page):
                self._due.put(tail.stream_id)
        return []

    def _tick_forever(self) -> None:
        while not self._closing.wait(TICK):
            try:
                self._tick(self._clock())
            except Exception:  # every viewer of the process depends on this thread
                log.exception("looking at the streams failed")

    def _tick(self, now: float) -> None:
        """Look for Tails that are silent or missing (read them) and for those that nobody watches (drop them)."""
        with self._lock:
            for stream_id, tail in list(self._tails.items()):
                unwatched = tail.unwatched_since is not None and now - tail.unwatched_since >= UNWATCHED_GRACE
                if unwatched or (tail.gone and not tail.viewers):
                    del self._tails[stream_id]
                    self._subscriber.remove(keys.news(stream_id))
                elif not tail.ended and (tail.is_missing or (tail.viewers and now - tail.heard >= SILENCE)):
                    self._due.put(stream_id)
