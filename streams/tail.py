"""One stream in memory, and everyone who watches it.

- A **Tail** holds the entries of one stream, once, for all its viewers.
- A **Cursor** is one viewer's place in a Tail: an index, no queue. A slow viewer has an older index, and gets one
  bigger batch when it is ready; it costs no memory.
- A **Batch** is a range of entries. It is encoded once per way of encoding, however many viewers it goes to.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from streams.chunk import Joined, Position, decode_notification, join
from streams.counts import Followed
from streams.follower import Follower
from streams.reader import Page

log = logging.getLogger(__name__)

MAX_BATCH_BYTES = 64 * 1024  # a longer range comes in several batches, so that pings and other streams get between
LATE = 1.0  # seconds; a notification takes milliseconds, so what is found after such a silence was not notified
MISSING_GRACE = 10.0  # seconds that a stream may be missing: its writer mends an emptied Redis within one heartbeat
BATCHES_KEPT = 4  # batches that a Tail remembers: a herd of late joiners asks for the same ones


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Entries `[start, stop)` of a stream, for any number of viewers."""

    stream_id: str
    epoch: str
    start: int
    entries: list[bytes]
    size: int = 0
    """Bytes of the entries."""
    _encoded: dict[Callable[["Batch"], bytes], bytes] = field(default_factory=dict)

    @property
    def stop(self) -> int:
        """The index behind the last entry."""
        return self.start + len(self.entries)

    def joined(self) -> Joined:
        """The text, the reasoning, and the end if it is reached."""
        return join(self.entries)

    def encoded(self, encode: Callable[["Batch"], bytes]) -> bytes:
        """`encode(self)`, computed once."""
        data = self._encoded.get(encode)
        if data is None:
            data = self._encoded[encode] = encode(self)
        return data


@dataclass(frozen=True, slots=True)
class Serving:
    """From where a viewer is really served. `epoch` is None while the stream is queued."""

    stream_id: str
    epoch: str | None
    index: int
    state: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """The stream is queued, and so many others come before it; None, that is not known.

    `away`: nobody is there who could begin it.
    """

    stream_id: str
    count: int | None
    away: bool


@dataclass(frozen=True, slots=True)
class Gone:
    """The stream is not in Redis (any more)."""

    stream_id: str


Event = Serving | Batch | Ahead | Gone


class Viewer(Protocol):
    """Whoever a cursor belongs to. Both methods are called with a lock held: they must not wait, nor call back."""

    def offer(self, cursor: "Cursor", batch: Batch) -> bool:
        """Write the batch now, without waiting; or return False, and `take` from the cursor when there is room.

        The last batch of a stream is never offered, but taken.
        """

    def wake(self, cursor: "Cursor") -> None:
        """There is something to `take` from this cursor."""


class Cursor:
    """One viewer's place in one Tail. Made by `StreamHub.follow`, given back with `close`."""

    __slots__ = ("_ahead", "_epoch", "_served", "_tail", "index", "live", "viewer")

    def __init__(self, tail: "Tail", viewer: Viewer, position: Position | None) -> None:
        self._tail = tail
        self.viewer = viewer
        self._epoch = position.epoch if position else None
        self.index = position.index if position else 0
        self._served: str | None = None  # what the viewer was last told of the stream's state
        self._ahead: Ahead | None = None  # what the viewer was last told of the queue
        self.live = False  # caught up: new batches are offered to the viewer as they come

    @property
    def stream_id(self) -> str:
        """The stream that it follows."""
        return self._tail.stream_id

    def take(self) -> Event | None:
        """What comes next for this viewer; None when it is caught up, and will be offered or woken. From any thread."""
        return self._tail.take(self)

    def close(self) -> None:
        """Follow no more."""
        self._tail.leave(self)


class Tail:
    """One stream in memory, and the cursors of all who watch it."""

    def __init__(
        self, stream_id: str, expected: bool, clock: Callable[[], float], counts: Followed | None = None
    ) -> None:
        self.stream_id = stream_id
        self._counts = counts or Followed()
        self._measured = (0, 0)  # an index, and the bytes before it
        self._clock = clock
        self._lock = threading.Lock()
        self._follower = Follower()
        self._cursors: dict[Cursor, None] = {}
        self._batches: dict[int, tuple[Batch, bool]] = {}  # by start; whether it is full, so that no more will fit
        self._expected = expected
        self._loaded = False  # the list was read, at least a page of it
        self._whole = False  # … and to its end
        self._ahead: Ahead | None = None
        self.gone = False
        self.heard = clock()  # when there was last news of any kind
        self._announced = 0  # the highest index that notifications have spoken of
        self.unwatched_since: float | None = None
        self._missing_since: float | None = None

    # -- for the hub

    @property
    def position(self) -> Position | None:
        """From where the list is to be read."""
        return self._follower.position

    @property
    def ended(self) -> bool:
        """Whether there can be no more news."""
        return self.gone or self._follower.ended

    def join(self, viewer: Viewer, position: Position | None) -> Cursor:
        """A new cursor, which begins with `take`."""
        cursor = Cursor(self, viewer, position)
        with self._lock:
            self._counts.attached += 1
            self._cursors[cursor] = None
            self.unwatched_since = None
        return cursor

    def leave(self, cursor: Cursor) -> None:
        """Forget a cursor."""
        with self._lock:
            self._cursors.pop(cursor, None)
            if not self._cursors:
                self.unwatched_since = self._clock()

    def notified(self, payload: bytes) -> bool:
        """Take a notification and pass it on. False means: read the list."""
        try:
            news = decode_notification(payload)
        except ValueError as error:  # only a hint, whoever sent it
            log.warning("a notification could not be read: %s", error, extra={"stream_id": self.stream_id})
            return False
        with self._lock:
            self.heard = self._clock()
            known = len(self._follower.entries)
            if self._loaded and news.epoch == self._follower.epoch:
                self._missed(news.start - max(known, self._announced))
                self._announced = max(self._announced, news.stop)
            if not (self._loaded and self._follower.notified(news)):
                return False
            self._deliver(known)
            return True

    def replayed(self, page: Page | None) -> bool:
        """Take what the list holds. False means: there is more, read on."""
        with self._lock:
            silent = self._clock() - self.heard >= LATE
            self.heard = self._clock()
            if page is None:
                self._not_there()
                return True
            first = not self._loaded
            self._loaded, self._missing_since = True, None
            epoch, known = self._follower.epoch, len(self._follower.entries)
            complete = self._follower.replayed(page)
            if first or self._follower.epoch != epoch:
                self._announced = 0
                self._measured = (0, 0)
                self._batches.clear()
                self._ahead = None
                self._whole = complete
                self._wake_all()
            elif complete and not self._whole:
                self._whole = True
                self._wake_all()
            else:
                if silent:
                    self._missed(len(self._follower.entries) - max(known, self._announced))
                self._deliver(known)
            return complete

    @property
    def is_queued(self) -> bool:
        """Whether somebody waits here for a stream that nobody has begun to write."""
        return bool(self._cursors) and self._loaded and not self.gone and self._follower.epoch is None

    def queued_behind(self, count: int | None, *, away: bool) -> None:
        """Tell everyone how many come before it, and whether nobody is there to begin it, if that has changed.

        Where the number is not known, only that nobody is there is worth telling, and that somebody is again.
        """
        ahead = Ahead(self.stream_id, count, away)
        with self._lock:
            known = count is not None or away or (self._ahead is not None and self._ahead.away)
            if self.is_queued and known and ahead != self._ahead:
                self._ahead = ahead
                self._wake_all()

    @property
    def viewers(self) -> int:
        """How many cursors there are."""
        return len(self._cursors)

    # -- for cursors

    def take(self, cursor: Cursor) -> Event | None:
        """See `Cursor.take`."""
        with self._lock:
            if self.gone:
                return Gone(self.stream_id) if self._once(cursor, "gone") else None
            if not self._loaded:
                return None
            epoch, entries = self._follower.epoch, self._follower.entries
            if cursor._epoch != epoch:  # other text
                cursor._epoch, cursor._served, cursor._ahead, cursor.index = epoch, None, None, 0
            elif cursor._served is None:
                if cursor.index > len(entries) and not self._whole:
                    return None  # what it has is on a page that is not read yet
                # Not from beyond what there is; and of what has ended, the end always comes.
                cursor.index = min(cursor.index, len(entries) - self._follower.ended)
                if cursor.index:
                    self._counts.resumed += 1
                    self._counts.saved_bytes += self._bytes_before(cursor.index)
            state = "queued" if epoch is None else "ended" if self._follower.ended else "running"
            if self._once(cursor, "queued" if epoch is None else "begun"):
                return Serving(self.stream_id, epoch, cursor.index, state)
            if epoch is None and self._ahead is not None and cursor._ahead != self._ahead:
                cursor._ahead = self._ahead
                return self._ahead
            if cursor.index < len(entries) and epoch is not None:
                batch = self._batch(epoch, cursor.index)
                cursor.index = batch.stop
                self._counts.delivered += 1
                self._counts.delivered_bytes += batch.size
                return batch
            cursor.live = True
            return None

    # -- inside

    def _missed(self, entries: int) -> None:
        if entries > 0:
            self._counts.gaps += 1
            self._counts.gap_entries += entries
            facts = {"stream_id": self.stream_id, "entries": entries}
            log.info("notifications were missed; read from the list", extra=facts)

    def _once(self, cursor: Cursor, state: str) -> bool:
        told, cursor._served = cursor._served == state, state
        return not told

    def _deliver(self, start: int) -> None:
        """Offer what came at `start` to everyone who is caught up. This loop is the hot path of the whole program."""
        stop, epoch = len(self._follower.entries), self._follower.epoch
        if stop == start or epoch is None:
            return
        batch = self._batch(epoch, start)
        if batch.stop < stop or self._follower.ended:
            self._wake_all()  # too much for one batch, or the last one, after which there is more to do than to write
            return
        passed_over = 0
        for cursor in self._cursors:
            if not cursor.live:
                passed_over += 1
                continue
            try:
                cursor.live = cursor.viewer.offer(cursor, batch)
            except Exception:  # one viewer's fault must not make the others miss the batch
                cursor.live = False
                log.exception("a viewer failed", extra={"stream_id": self.stream_id})
            if cursor.live:
                cursor.index = stop
            else:
                passed_over += 1
        delivered = len(self._cursors) - passed_over
        self._counts.delivered += delivered
        self._counts.delivered_bytes += delivered * batch.size

    def _wake_all(self) -> None:
        for cursor in self._cursors:
            cursor.live = False
            cursor.viewer.wake(cursor)

    def _batch(self, epoch: str, start: int) -> Batch:
        """The longest batch from `start` on; the same object for all who ask for the same range."""
        entries = self._follower.entries
        batch, full = self._batches.get(start, (None, False))
        if batch is None or not (full or batch.stop == len(entries)):
            stop, size = start, 0
            while stop < len(entries) and (size == 0 or size + len(entries[stop]) <= MAX_BATCH_BYTES):
                size += len(entries[stop])
                stop += 1
            batch = Batch(self.stream_id, epoch, start, entries[start:stop], size)
            self._batches.pop(start, None)
            self._batches[start] = batch, stop < len(entries)
            if len(self._batches) > BATCHES_KEPT:
                del self._batches[next(iter(self._batches))]
        return batch

    def _bytes_before(self, index: int) -> int:
        """Counted from the last place that was asked for: those who come back together ask for nearly the same."""
        place, size = self._measured
        entries = self._follower.entries
        if index >= place:
            size += sum(map(len, entries[place:index]))
        else:
            size -= sum(map(len, entries[index:place]))
        self._measured = index, size
        return size

    def _not_there(self) -> None:
        """Redis does not know the stream: gone, unless a writer is expected to bring it back in a moment."""
        if self.ended:
            return  # all of it is here; that it has expired there does not matter
        now = self._clock()
        if self._missing_since is None:
            self._missing_since = now
        if not self._expected or now - self._missing_since >= MISSING_GRACE:
            self.gone = True
            self._wake_all()

    @property
    def is_missing(self) -> bool:
        """Whether it should be looked for again soon."""
        return self._missing_since is not None and not self.gone
