"""All writers of a process, and the one thread that makes Redis equal to their logs.

There is no timer on the way of a delta: the flusher sleeps until something was appended, sends what every writer has in
one pipeline, and takes what gathered in the meantime with the next one. So batches grow only while a call is in flight.
"""

import logging
import random
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from streams import keys, scripts
from streams.connection import leave_demoted
from streams.errors import StreamBegun, StreamEnded
from streams.settings import StreamSettings
from streams.subscriber import Subscriber
from streams.writer import StopReason, StreamWriter

log = logging.getLogger(__name__)

ENDED, BEGUN = -1, -2  # what open.lua answers in place of a fence
FIRST_DELAY = 0.05  # seconds before the first retry while Redis is away; doubles with every failure …
LONGEST_DELAY = 1.0  # … up to this: nobody should wait long once Redis is back


class StreamWriters:
    """Opens writers, flushes them, keeps their leases alive, and listens for stops. One per process."""

    def __init__(
        self,
        client: "redis.Redis",
        settings: StreamSettings,
        *,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._redis = client
        self._settings = settings
        self._random = random
        self._lock = threading.Lock()
        self._writers: dict[str, StreamWriter] = {}
        self._dirty: dict[StreamWriter, None] = {}
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._control = Subscriber(client)
        self._threads = [
            threading.Thread(target=self._flush_forever, name="stream-flusher", daemon=True),
            threading.Thread(target=self._beat_forever, name="stream-heartbeat", daemon=True),
        ]

    def start(self) -> None:
        """Start flushing. Nothing is written before."""
        self._control.add(keys.CONTROL, self._control_said)
        self._control.start()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop flushing. What is not flushed by now stays unwritten; use `wait_flushed` before."""
        self._closing.set()
        self._wake.set()
        self._control.close()
        for thread in self._threads:
            thread.join()

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
            stream_id, epoch, fence, self._settings.max_answer_bytes, self._mark_dirty, again=bool(again)
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
                self._dirty.pop(writer, None)

    def flush(self) -> bool:
        """Send what every writer has pending, in one pipeline. Returns whether every call was answered.

        The flusher's thread does nothing but this. What is still pending afterwards is marked to be sent again.
        """
        with self._lock:
            batch = [writer for writer in self._dirty if self._writers.get(writer.stream_id) is writer]
            self._dirty.clear()
        if not batch:
            return True
        pipeline = self._redis.pipeline(transaction=False)
        for writer in batch:
            call = writer.next_call(self._lease_ms, self._expiry_ms)
            scripts.append.queue(pipeline, call.keys, call.args)
        try:
            replies = pipeline.execute(raise_on_error=False)
        except redis.RedisError as error:
            log.warning("streams not flushed, trying again: %s", error, extra={"streams": len(batch)})
            replies = [error] * len(batch)
        failed = [reply for reply in replies if isinstance(reply, Exception)]
        if failed:
            leave_demoted(self._redis, failed[0])
        for writer, reply in zip(batch, replies, strict=True):
            if isinstance(reply, Exception):
                writer.not_acknowledged(None if isinstance(reply, redis.exceptions.NoScriptError) else reply)
            else:
                writer.acknowledge(*reply)
            if writer.is_pending:
                self._mark_dirty(writer)
        if any(isinstance(error, redis.exceptions.NoScriptError) for error in failed):
            return self._load_script() and self.flush()
        if failed and not isinstance(failed[0], redis.ConnectionError | redis.TimeoutError):
            log.error("Redis refused to store chunks, trying again: %s", failed[0], extra={"streams": len(failed)})
        return not failed

    # -- inside

    @property
    def _lease_ms(self) -> int:
        return int(self._settings.lease * 1000)

    @property
    def _expiry_ms(self) -> int:
        return int(self._settings.unsaved_retention * 1000)

    def _mark_dirty(self, writer: StreamWriter) -> None:
        with self._lock:
            self._dirty[writer] = None
        self._wake.set()

    def _flush_forever(self) -> None:
        failures = 0
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                flushed = self.flush()
            except Exception:  # every stream of the process depends on this thread
                log.exception("flushing streams failed")
                flushed = False
            if flushed:
                failures = 0
            else:
                failures += 1
                self._closing.wait(self._random() * min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures, 10)))

    def _load_script(self) -> bool:
        try:
            scripts.append.load(self._redis)
        except redis.RedisError as error:
            log.warning("script not loaded, trying again: %s", error)
            return False
        return True

    def _beat_forever(self) -> None:
        while not self._closing.wait(self._settings.heartbeat):
            with self._lock:
                writers = list(self._writers.values())
            if not writers:
                continue
            for writer in writers:
                writer.renew_lease()
                self._mark_dirty(writer)
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
