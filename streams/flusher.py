"""All writers of a process, and what makes Redis equal to their logs.

There is no timer on the way of a delta: the flusher sleeps until something was appended, sends what every writer has in
one pipeline, and takes what gathered in the meantime with the next one. So batches grow only while a call is in flight.
In a cluster each server has a flusher of its own (lanes.py).
"""

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from streams import keys, scripts
from streams.connection import Client
from streams.counts import Written
from streams.errors import StreamBegun, StreamEnded
from streams.lanes import Lanes
from streams.settings import StreamSettings
from streams.subscriber import Subscriber
from streams.writer import StopReason, StreamWriter

log = logging.getLogger(__name__)

ENDED, BEGUN = -1, -2  # what open.lua answers in place of a fence


class StreamWriters:
    """Opens writers, flushes them, keeps their leases alive, and listens for stops. One per process."""

    def __init__(
        self,
        client: Client,
        settings: StreamSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._redis = client
        self._clock = clock
        self._settings = settings
        self._lock = threading.Lock()
        self._writers: dict[str, StreamWriter] = {}
        self.counts = Written()
        self._dirty: Lanes[StreamWriter] = Lanes(client, "stream-flusher", _key, self._flush, random=random)
        self._closing = threading.Event()
        self._control = Subscriber(client)
        self._heart = threading.Thread(target=self._beat_forever, name="stream-heartbeat", daemon=True)

    def start(self) -> None:
        """Start flushing. Nothing is written before."""
        self._control.add(keys.CONTROL, self._control_said)
        self._control.start()
        self._dirty.start()
        self._heart.start()

    def close(self) -> None:
        """Stop flushing. What is not flushed by now stays unwritten; use `wait_flushed` before."""
        self._closing.set()
        self._control.close()
        self._dirty.close()
        if self._heart.is_alive():
            self._heart.join()

    @contextmanager
    def open(self, stream_id: str, *, epoch: str | None = None, take_over: bool = False) -> Iterator[StreamWriter]:
        """Become the writer of a stream for the length of the block.

        An `epoch` of the caller's own lets it try again after an error: whoever has it got through. With `take_over`
        whoever wrote the stream before is fenced, and its text gives way; without, a stream is written once.

        Leaving the block does not end the stream: a stream left without its end is taken for interrupted when its lease
        runs out. Raises StreamEnded if it has its end already, StreamBegun, and redis.RedisError.
        """
        epoch = epoch or secrets.token_hex(8)
        its_keys = [keys.chunks(stream_id), keys.state(stream_id), keys.news(stream_id)]
        (fence, cancel, again), _ = scripts.run_together(
            self._redis,
            (scripts.open_stream, its_keys, [epoch, self._lease_ms, self._expiry_ms, int(take_over)]),
            (scripts.watch, [keys.UNSETTLED], [self._lease_ms, 0, stream_id]),  # of one that has ended, to no harm
        )
        if fence == ENDED:
            raise StreamEnded(stream_id)
        if fence == BEGUN:
            raise StreamBegun(stream_id)
        writer = StreamWriter(
            stream_id, epoch, fence, self._settings.max_answer_bytes, self._dirty.put, again=bool(again)
        )
        with self._lock:
            replaced = self._writers.get(stream_id)
            self._writers[stream_id] = writer
        if replaced is not None:
            replaced.fenced_by(fence, handed_on=bool(again))
        if cancel:
            writer.stop(StopReason.CANCELLED)
        try:
            yield writer
        finally:
            with self._lock:
                if self._writers.get(stream_id) is writer:
                    del self._writers[stream_id]
                self.counts.deltas += writer.deltas
                self.counts.characters += writer.characters
                self.counts.entries += writer.entries

    @property
    def open_streams(self) -> int:
        """How many are being written."""
        with self._lock:
            return len(self._writers)

    @property
    def reconnections(self) -> int:
        """How often a connection was lost over which it hears of stops."""
        return self._control.reconnections

    def written(self) -> tuple[int, int, int]:
        """Deltas, characters and entries so far, those of streams that are being written too."""
        with self._lock:
            deltas, characters, entries = self.counts.deltas, self.counts.characters, self.counts.entries
            for writer in self._writers.values():
                deltas += writer.deltas
                characters += writer.characters
                entries += writer.entries
            return deltas, characters, entries

    def written_of_each(self) -> dict[str, tuple[int, int]]:
        """Characters and deltas so far of each stream that is being written."""
        with self._lock:
            return {stream_id: (writer.characters, writer.deltas) for stream_id, writer in self._writers.items()}

    def flush(self) -> bool:
        """Send what every writer has pending, in one pipeline to each server. Returns whether every call was answered.

        The flusher's threads do nothing but this. What is still pending afterwards is sent with the next one.
        """
        return self._dirty.turn()

    # -- inside

    @property
    def _lease_ms(self) -> int:
        return int(self._settings.lease * 1000)

    @property
    def _expiry_ms(self) -> int:
        return int(self._settings.unsaved_retention * 1000)

    def _flush(self, dirty: list[StreamWriter]) -> list[StreamWriter]:
        """Send what these have pending. Returns those that were not answered."""
        batch = [writer for writer in dirty if self._writers.get(writer.stream_id) is writer]
        calls = [writer.next_call(self._lease_ms, self._expiry_ms) for writer in batch]
        begun = self._clock()
        replies = scripts.try_together(self._redis, [(scripts.append, call.keys, call.args) for call in calls])
        if batch:
            self.counts.flush_seconds.add(self._clock() - begun)
        entries = 0
        failed = []
        for writer, call, reply in zip(batch, calls, replies, strict=True):
            if isinstance(reply, Exception):
                writer.not_acknowledged(reply)
                failed.append(writer)
                continue
            self.counts.lost_entries += writer.acknowledge(*reply)
            entries += call.entries
            if writer.is_pending:
                self._dirty.put(writer)
        if entries:
            self.counts.flush_entries.add(entries)
        self.counts.failures += len(failed)
        if failed:
            self._tell_operator(next(reply for reply in replies if isinstance(reply, Exception)), len(failed))
        return failed

    def _tell_operator(self, error: Exception, count: int) -> None:
        facts = {"streams": count}
        if isinstance(error, redis.ConnectionError | redis.TimeoutError):
            log.warning("streams not flushed, trying again: %s", error, extra=facts)
        else:
            log.error("Redis refused to store chunks, trying again: %s", error, extra=facts)

    def _beat_forever(self) -> None:
        while not self._closing.wait(self._settings.heartbeat):
            with self._lock:
                writers = list(self._writers.values())
            if not writers:
                continue
            for writer in writers:
                writer.renew_lease()
            try:
                scripts.watch(self._redis, [keys.UNSETTLED], [self._lease_ms, 0, *(w.stream_id for w in writers)])
            except redis.RedisError as error:
                log.warning("heartbeat not delivered: %s", error)
            except Exception:  # the leases of all streams of the process depend on this thread
                log.exception("heartbeat failed")

    def _control_said(self, payload: bytes) -> None:
        with self._lock:
            writer = self._writers.get(payload.decode("utf-8", "replace"))
        if writer is not None:
            writer.stop(StopReason.CANCELLED)


def _key(writer: StreamWriter) -> str:
    return keys.chunks(writer.stream_id)
