"""Beginning a stream again whose worker was gone before the first chunk of its answer: once, and never in silence.

Nobody has seen anything of that answer, so there is nothing to keep, and nothing for a person to decide. Redis decides
(again.lua), fences whoever had the stream, and remembers that it is *owed* a job. Then the job is queued, and only then
Redis is told so. Whoever dies in between leaves a stream that is owed a job, for the next who looks; and as the job has
always the same id, a queue that refuses an id that it knows takes it once.
"""

import logging
from collections.abc import Callable

import redis

from streams import keys, scripts
from streams.connection import Client
from streams.settings import StreamSettings
from streams.writer import StreamWriter

log = logging.getLogger(__name__)

DIED = "a worker died before the first chunk of its answer"
LEFT = "a worker left before the first chunk of its answer"

Queue = Callable[[str], bool]
"""Queues the second job of a stream, unless it was queued before. False: no worker has it, and none will get it."""


class Restarts:
    """Begins streams again. Any number of processes may do so at once. Every method raises redis.RedisError."""

    def __init__(self, client: Client, settings: StreamSettings, queue: Queue) -> None:
        """`queue` must be idempotent: one whose success was not noted is called again, by another process too."""
        self._redis = client
        self._settings = settings
        self._queue = queue
        self.begun_again = 0  # by this process

    def look(self, stream_id: str) -> bytes:
        """What becomes of a stream whose time may be over.

        `alive`: it is in time. `queued`: it is begun again, and has to be looked at later. `no`: it is to be ended, and
        `lost`: although it is in time, because no worker will get it.
        """
        verdict = self._decide(stream_id, fence="")
        return self._pay(stream_id, DIED) if verdict == b"owed" else verdict

    def hand_back(self, writer: StreamWriter) -> bool:
        """Have another worker begin the stream of a writer that leaves. False: that is not done, and it is to be ended.

        After True, and after an error, it is no longer the writer's: what is still to be done, a reaper does.
        """
        verdict = self._decide(writer.stream_id, fence=str(writer.fence))
        if verdict == b"owed":
            self._pay(writer.stream_id, LEFT)
        return verdict != b"no"

    def _decide(self, stream_id: str, fence: str) -> bytes:
        waiting, expiry = int(self._settings.queue_limit * 1000), int(self._settings.unsaved_retention * 1000)
        verdict: bytes = scripts.again(
            self._redis,
            [keys.chunks(stream_id), keys.state(stream_id), keys.news(stream_id)],
            [fence, waiting, expiry],
        )
        return verdict

    def _pay(self, stream_id: str, cause: str) -> bytes:
        """Queue what is owed."""
        try:
            if not self._queue(stream_id):
                return b"lost"
        except redis.RedisError as error:  # the queue may be in another Redis than the streams
            log.warning("job not queued again, trying again: %s", error, extra={"stream_id": stream_id})
            return b"queued"
        except Exception:  # one job that cannot be queued must not hold up other streams
            log.exception("job not queued again, trying again", extra={"stream_id": stream_id})
            return b"queued"
        if scripts.queued(self._redis, [keys.state(stream_id)], []):
            self.begun_again += 1
            log.warning("%s; the job is queued again", cause, extra={"stream_id": stream_id})
        return b"queued"
