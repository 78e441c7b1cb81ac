"""Tells who follows a queued stream how many others come before it.

The queue is RQ's: a list of job ids in Redis, of which a stream has one, or another one when it is begun again. Nobody
announces that it has moved, so it is looked at, once a second, and only while somebody here waits for a stream in it.
"""

import logging
from threading import Event

from redis import Redis, RedisError
from rq import Queue

from jobs import job_ids
from streams import StreamHub

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds
LOOKED_THROUGH = 1_000  # jobs from the head of the queue; a place further back is not told, as it takes Redis time


class Waiting:
    """One per process."""

    def __init__(self, redis: Redis, queue: Queue, hub: StreamHub) -> None:
        self._redis = redis
        self._key = queue.key
        self._hub = hub

    def look(self) -> None:
        """Look once, in one round trip; in none where nobody waits. Raises redis.RedisError."""
        jobs = [(stream_id, job_id) for stream_id in self._hub.queued for job_id in job_ids(stream_id)]
        if not jobs:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for _, job_id in jobs:
            pipeline.lpos(self._key, job_id, maxlen=LOOKED_THROUGH)
        for (stream_id, _), ahead in zip(jobs, pipeline.execute(), strict=True):
            if ahead is not None:  # else a worker has just taken it, or it is far back
                self._hub.queued_behind(stream_id, ahead)

    def look_forever(self, closing: Event) -> None:
        """Look once a second, until `closing` is set."""
        while not closing.wait(LOOK_EVERY):
            try:
                self.look()
            except RedisError as error:
                log.warning("could not look at the queue: %s", error)
            except Exception:  # nobody else looks
                log.exception("looking at the queue failed")
