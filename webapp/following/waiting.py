"""Tells who follows a queued stream how many others come before it, and whether anybody is there to begin it.

The queue is RQ's: a list of job ids in Redis, of which a stream has one, or another one when it is begun again. Nobody
announces that it has moved, or that its workers have come or gone, so it is looked at, once a second, and only while
somebody here waits for a stream in it.
"""

import logging
from threading import Event

from redis import Redis, RedisError
from rq import Queue
from rq.suspension import WORKERS_SUSPENDED
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

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
        self._workers_key = WORKERS_BY_QUEUE_KEY % queue.name
        self._hub = hub

    def look(self) -> None:
        """Look once, in two round trips; in none where nobody waits. Raises redis.RedisError."""
        jobs = [(stream_id, job_id) for stream_id in self._hub.queued for job_id in job_ids(stream_id)]
        if not jobs:
            return
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.smembers(self._workers_key)
        pipeline.exists(WORKERS_SUSPENDED)
        for _, job_id in jobs:
            pipeline.lpos(self._key, job_id, maxlen=LOOKED_THROUGH)
        workers, suspended, *found = pipeline.execute()
        # RQ knows a worker that was killed by its name until others clean up; what it said of itself expires in time.
        away = bool(suspended) or not workers or not self._redis.exists(*workers)
        places: dict[str, int | None] = {}  # none: a worker has just taken it, or it is far back
        for (stream_id, _), place in zip(jobs, found, strict=True):
            places[stream_id] = places.get(stream_id) if place is None else place
        for stream_id, ahead in places.items():
            self._hub.queued_behind(stream_id, ahead, away=away)

    def look_forever(self, closing: Event) -> None:
        """Look once a second, until `closing` is set."""
        while not closing.wait(LOOK_EVERY):
            try:
                self.look()
            except RedisError as error:
                log.warning("could not look at the queue: %s", error)
            except Exception:  # nobody else looks
                log.exception("looking at the queue failed")
