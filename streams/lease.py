"""Noticing that a producer died, by whoever is alive.

A writer renews its lease with every heartbeat. A stream is *unsettled* from its announcement until its message is
saved. All unsettled streams are in one sorted set, by the time when someone should look at them, which the writer's
heartbeat moves on. Past it, a reaper takes the stream: if the lease has run out it has it begun again, where nothing of
its answer is there yet (restarts.py), and ends it as interrupted else; in any case it hands over what has ended to be
saved. All times are of Redis's own clock, so no two machines have to agree on one.

A reaper has two threads. One looks, and needs nothing but Redis: people wait for what it finds, and as long as none
looks nobody is taken for dead. The other saves, and may wait for a slow database as long as it likes.
"""

import logging
import queue
import secrets
import threading
from collections.abc import Callable, Iterator

import redis

from streams import keys, scripts
from streams.chunk import End, Outcome, encode_end
from streams.connection import Client
from streams.control import StreamControl
from streams.counts import Reaped
from streams.errors import StreamNotFound
from streams.reader import Recording
from streams.restarts import Restarts
from streams.settings import StreamSettings
from streams.shards import shard_of

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds
AT_ONCE = 100  # streams that one look takes
BLIND_AFTER = 2.0  # seconds without a look by anyone, after which producers are given time to show that they live
RETRY_AFTER = 5.0  # seconds until a stream that could not be saved is tried again, by any process

NEVER_BEGUN = End(Outcome.INTERRUPTED, "No worker began this answer in time.")
PRODUCER_DIED = End(Outcome.INTERRUPTED, "The worker that was writing this answer stopped unexpectedly.")

Save = Callable[[Recording], None]


class Reaper:
    """Looks after unsettled streams. Any number of processes may run one; they take turns.

    `save` gets the whole recording of a stream that has ended. It must be idempotent, for one that takes long is begun
    by another process too; if it raises, the stream stays and is tried again. What it raises while the database is
    merely away is `expected`, and costs one line in the log. Without `restarts` no stream is begun again.
    """

    def __init__(
        self,
        client: Client,
        settings: StreamSettings,
        save: Save,
        restarts: Restarts | None = None,
        *,
        expected: tuple[type[Exception], ...] = (),
    ) -> None:
        self._redis = client
        self._settings = settings
        self._control = StreamControl(client, settings)
        self._save = save
        self._restarts = restarts
        self._expected: tuple[type[Exception], ...] = (redis.RedisError, *expected)
        self.counts = Reaped()
        self._closing = threading.Event()
        self._over: queue.Queue[str | None] = queue.Queue()
        self._pending: set[str] = set()  # in that queue, or being saved
        self._threads = [
            threading.Thread(target=self._look_forever, name="stream-reaper", daemon=True),
            threading.Thread(target=self._settle_forever, name="stream-saver", daemon=True),
        ]

    def start(self) -> None:
        """Look twice a second, and save what is over, until `close`."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop looking; returns when a save under way is done. What waits for its turn is left to another process."""
        self._closing.set()
        self._over.put(None)  # wakes whoever waits for something to save
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def look(self) -> list[str]:
        """Look once, and end what nobody writes any more. Returns the streams that are to be settled now, each of them
        to one of all who look. Raises redis.RedisError."""
        limits = [AT_ONCE, _ms(RETRY_AFTER), _ms(BLIND_AFTER), _ms(self._settings.lease)]
        due = scripts.claim(self._redis, [keys.UNSETTLED, keys.LOOKED], limits)
        over: list[str] = []
        away: set[redis.Redis] = set()  # servers; what lies there comes up again
        for stream_id in self._names(due):
            shard = shard_of(self._redis, keys.state(stream_id))
            if shard in away:
                continue
            try:
                if self._is_over(stream_id):
                    over.append(stream_id)
            except redis.RedisError as error:
                away.add(shard)
                log.warning("could not look after unsettled streams: %s", error, extra={"stream_id": stream_id})
        return over

    def settle(self, stream_id: str) -> bool:
        """Have a stream that is over saved, and look after it no longer. False: it was settled before, or could not be
        saved, and then it is tried again."""
        facts = {"stream_id": stream_id}
        try:
            settled = self._settle(stream_id)
            self.counts.saved += settled
            return settled
        except self._expected as error:
            self.counts.save_failures += 1
            cause = str(error).partition("\n")[0]  # a database adds the statement, in further lines
            log.warning("stream not saved, trying again: %s", cause, extra=facts)
        except Exception:  # whatever it is, the text is kept, and those that come after it are to be saved too
            self.counts.save_failures += 1
            log.exception("stream not saved, trying again", extra=facts)
        return False

    def _names(self, members: list[bytes]) -> Iterator[str]:
        """Those that are names; what is none is nobody's stream, and taken off the list."""
        for member in members:
            try:
                yield member.decode()
            except UnicodeDecodeError:
                log.warning("no name of a stream: %r", member)
                self._redis.zrem(keys.UNSETTLED, member)

    def _is_over(self, stream_id: str) -> bool:
        verdict = self._restarts.look(stream_id) if self._restarts else b"no"
        if verdict == b"no":
            verdict = self._end(stream_id, "overdue", NEVER_BEGUN)
        elif verdict == b"lost":
            verdict = self._end(stream_id, "lost", PRODUCER_DIED)
        if verdict == b"queued":
            return False  # put off it is already
        if verdict == b"alive":
            scripts.watch(self._redis, [keys.UNSETTLED], [_ms(LOOK_EVERY), 0, stream_id])
            return False
        if verdict == b"done":
            self.counts.leases_lost += 1
            log.warning("lease ran out; stream ended as interrupted", extra={"stream_id": stream_id})
        return True

    def _end(self, stream_id: str, how: str, not_written: End) -> bytes:
        """See end.lua. `not_written` is the end of a stream that nobody has begun to write."""
        expiry = _ms(self._settings.unsaved_retention)
        verdict: bytes = scripts.end_stream(
            self._redis,
            [keys.chunks(stream_id), keys.state(stream_id), keys.news(stream_id)],
            [how, secrets.token_hex(8), expiry, encode_end(not_written), encode_end(PRODUCER_DIED)],
        )
        return verdict

    def _settle(self, stream_id: str) -> bool:
        if self._redis.zscore(keys.UNSETTLED, stream_id) is None:
            return False  # it had to wait for its turn here, and another process was quicker
        try:
            recording = self._control.read(stream_id)
        except StreamNotFound:
            self._redis.zrem(keys.UNSETTLED, stream_id)
            return False
        self._save(recording)
        self._control.mark_saved(stream_id)
        return True

    def _look_forever(self) -> None:
        while not self._closing.wait(LOOK_EVERY):
            try:
                for stream_id in self.look():
                    if stream_id not in self._pending:  # it comes up again and again until it is saved
                        self._pending.add(stream_id)
                        self._over.put(stream_id)
            except redis.RedisError as error:
                log.warning("could not look after unsettled streams: %s", error)
            except Exception:  # the streams of every dead producer depend on this thread
                log.exception("looking after unsettled streams failed")

    def _settle_forever(self) -> None:
        while (stream_id := self._over.get()) is not None and not self._closing.is_set():
            self.settle(stream_id)
            self._pending.discard(stream_id)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
