"""One writer: an append-only log in memory, which the flusher mirrors to Redis.

The model is never held back: `append` puts a delta into memory and returns. Deltas gather in an open chunk until the
flusher takes them, so a chunk is one delta while Redis keeps up, and more of them only under load.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from streams import keys
from streams.chunk import MAX_CHUNK_CHARS, End, Joined, Kind, encode_end, encode_note, encode_text, join
from streams.errors import AnswerTooLong, Fenced
from streams.scripts import Argument

log = logging.getLogger(__name__)

MAX_CALL_ENTRIES = 500  # entries that one script call pushes: keeps any single call to Redis short
MAX_CALL_BYTES = 1024 * 1024
TEXTS = (b"t:", b"r:")  # what a person reads of an answer; not notes, nor the end
MAX_NOTIFICATION = 4096  # bytes of entries that travel with a notification; larger ones are read from the list


class StopReason(Enum):
    """Why a writer should stop."""

    CANCELLED = "someone asked for it"
    FENCED = "a newer owner has taken the stream"


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one run of append.lua."""

    keys: list[str]
    args: list[Argument]
    entries: int


class StreamWriter:
    """Made by `StreamWriters.open`. `append` and `end` may be called from one thread, the rest from any."""

    def __init__(
        self,
        stream_id: str,
        epoch: str,
        fence: int,
        limit: int,
        wake: Callable[["StreamWriter"], None],
        *,
        again: bool = False,
    ) -> None:
        self.stream_id = stream_id
        self.epoch = epoch
        self.fence = fence
        self.again = again
        """Whether another worker had the stream before, and was gone before the first chunk of its answer."""
        self._limit = limit
        self._wake = wake
        self._changed = threading.Condition(threading.RLock())
        self._log: list[bytes] = []  # sealed entries; never changed once they are here, so a call can be repeated
        self._open_kind = Kind.TEXT
        self._open: list[str] = []  # deltas of the chunk that is not sealed yet
        self._bytes = 0
        self.deltas = self.characters = 0  # in the log
        self._stored = 0  # entries that Redis is known to hold
        self._renew = False  # the next call renews the lease
        self._failure: Exception | None = None  # why the last call was not acknowledged
        self._ended = False
        self._newest_fence: int | None = None
        self._handed_on = False
        self._has_shown_text = False
        self._stop_reason: StopReason | None = None
        self._on_stop: list[Callable[[StopReason], None]] = []

    # -- for the producer

    def append(self, kind: Kind, delta: str) -> None:
        """Take a delta; return at once.

        Raises Fenced if a newer owner has taken the stream, AnswerTooLong if the delta would go past the limit (it is
        then not taken, what came before stays), RuntimeError after `end`.
        """
        if not delta:
            return
        with self._changed:
            self._check_open()
            size = len(delta.encode("utf-8", "replace"))
            if self._bytes + size > self._limit:
                raise AnswerTooLong(self._limit)
            self._bytes += size
            if kind is not self._open_kind:
                self._seal()
                self._open_kind = kind
            self._open.append(delta)
        self._wake(self)

    def note(self, words: str) -> None:
        """Say in a short sentence what the text waits for; empty: for nothing more. It is no part of the text.

        May be called from any thread. A note that would go past the limit is not taken, nor one after `end`. Raises
        Fenced.
        """
        entry = encode_note(words)
        with self._changed:
            if self._ended or self._bytes + len(entry) > self._limit:
                return
            self._check_open()
            self._bytes += len(entry)
            self._seal()
            self._log.append(entry)
        self._wake(self)

    def end(self, end: End) -> None:
        """Add the last entry. Raises Fenced, or RuntimeError if it was called before."""
        with self._changed:
            self._check_open()
            self._seal()
            self._log.append(encode_end(end))
            self._ended = True
        self._wake(self)

    def wait_flushed(self, timeout: float | None = None) -> bool:
        """Wait until Redis holds all of it, the end included; False after `timeout` seconds. Raises Fenced."""
        with self._changed:
            return self._wait_for(lambda: self._is_flushed, timeout)

    def wait_stored(self, timeout: float | None = None) -> bool:
        """Wait until Redis holds what is here by now; False after `timeout` seconds. Raises Fenced."""
        with self._changed:
            self._seal()
            stop = len(self._log)
            return self._wait_for(lambda: self._stored >= stop, timeout)

    def on_stop(self, callback: Callable[[StopReason], None]) -> None:
        """Have `callback` called once, from another thread, when the stream should stop; now if it already should."""
        with self._changed:
            if self._stop_reason is None:
                self._on_stop.append(callback)
                return
        callback(self._stop_reason)

    @property
    def has_shown_text(self) -> bool:
        """Whether Redis has taken any text or reasoning. From then on nobody else begins the answer anew."""
        with self._changed:
            return self._has_shown_text

    @property
    def text(self) -> str:
        """The whole text so far."""
        return self._joined().text

    @property
    def reasoning(self) -> str:
        """The whole reasoning so far."""
        return self._joined().reasoning

    @property
    def stored(self) -> Joined:
        """What Redis is known to hold of it. Raises Fenced."""
        with self._changed:
            self._check_fence()
            return join(self._log[: self._stored])

    # -- for the flusher

    @property
    def entries(self) -> int:
        """How many there are."""
        return len(self._log)

    @property
    def is_pending(self) -> bool:
        """Whether Redis has yet to be told something."""
        with self._changed:
            return self._newest_fence is None and (self._renew or bool(self._open) or self._stored < len(self._log))

    def renew_lease(self) -> None:
        """Have the next call say that the producer lives, even if it has nothing to write."""
        with self._changed:
            self._renew = not self._ended or not self._is_flushed
        self._wake(self)

    def next_call(self, lease_ms: int, expiry_ms: int) -> Call:
        """Seal what has gathered, and say what Redis lacks. Until it is acknowledged the same call comes again."""
        with self._changed:
            self._seal()
            start = stop = self._stored
            size = 0
            while stop < len(self._log) and stop - start < MAX_CALL_ENTRIES and size < MAX_CALL_BYTES:
                size += len(self._log[stop])
                stop += 1
            ends = self._ended and stop == len(self._log) and stop > start
            args: list[Argument] = [self.fence, self.epoch, start, lease_ms if self._renew else 0, expiry_ms]
            args += ["1" if ends else "0", MAX_NOTIFICATION, *self._log[start:stop]]
            self._renew = False
            its_keys = [keys.chunks(self.stream_id), keys.state(self.stream_id), keys.news(self.stream_id)]
            return Call(its_keys, args, stop - start)

    def acknowledge(self, length: int, cancel: int, handed_on: int = 0) -> int:
        """Take the reply of append.lua. A length below what was stored before means that Redis lost entries: so many
        are returned."""
        if length < 0:
            self.fenced_by(cancel, handed_on=bool(handed_on))
            return 0
        with self._changed:
            lost = max(0, self._stored - length)
            self._tell_operator(length)
            self._stored = min(length, len(self._log))
            if not self._has_shown_text:
                self._has_shown_text = any(entry[:2] in TEXTS for entry in self._log[: self._stored])
            self._changed.notify_all()
        if cancel:
            self.stop(StopReason.CANCELLED)
        return lost

    def fenced_by(self, fence: int, *, handed_on: bool) -> None:
        """The stream has a newer owner: nothing more of this one's reaches Redis, and its producer is told to stop."""
        with self._changed:
            self._newest_fence, self._handed_on = fence, handed_on
            self._changed.notify_all()
        self.stop(StopReason.FENCED)

    def not_acknowledged(self, failure: Exception) -> None:
        """The call failed, for a reason that the operator shall know: what it would have renewed is still to be."""
        with self._changed:
            self._renew = True
            self._failure = self._failure or failure

    def stop(self, reason: StopReason) -> None:
        """Tell the producer to stop; the first reason stands."""
        with self._changed:
            if self._stop_reason is not None or self._is_flushed:
                return
            self._stop_reason = reason
            callbacks, self._on_stop = self._on_stop, []
        for callback in callbacks:
            callback(reason)

    # -- inside

    @property
    def _is_flushed(self) -> bool:
        return self._ended and self._stored == len(self._log)

    def _tell_operator(self, length: int) -> None:
        """One line for each loss, and for each time that Redis was away, when it is mended."""
        facts = {"stream_id": self.stream_id, "held": length}
        if length < self._stored:
            log.warning("Redis had lost entries; writing them again", extra={**facts, "lost": self._stored - length})
        if self._failure is not None:
            log.warning("Redis takes what was held back: %s", self._failure, extra=facts)
            self._failure = None

    def _wait_for(self, condition: Callable[[], bool], timeout: float | None) -> bool:
        """With the lock held. Raises Fenced."""
        met = self._changed.wait_for(lambda: condition() or self._newest_fence is not None, timeout)
        self._check_fence()
        return met

    def _check_fence(self) -> None:
        if self._newest_fence is not None:
            raise Fenced(self.stream_id, self.fence, self._newest_fence, handed_on=self._handed_on)

    def _check_open(self) -> None:
        self._check_fence()
        if self._ended:
            raise RuntimeError(f"stream {self.stream_id!r} has its end; nothing can be added")

    def _seal(self) -> None:
        if self._open:
            text = "".join(self._open)
            self.deltas += len(self._open)
            self.characters += len(text)
            self._open.clear()
            for place in range(0, len(text), MAX_CHUNK_CHARS):
                self._log.append(encode_text(self._open_kind, text[place : place + MAX_CHUNK_CHARS]))

    def _joined(self) -> Joined:
        with self._changed:
            self._seal()
            return join(self._log)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.stream_id} {self.epoch}:{self._stored}/{len(self._log)}>"
