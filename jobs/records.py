"""The jobs of a stream: where they are, which ids they have, and whether a worker has one or will get it."""

import redis
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.serializers import JSONSerializer

SERIALIZER = JSONSerializer  # nothing unpickles what lies in Redis

AGAIN = "-again"

TO_COME = {
    status.value
    for status in (JobStatus.CREATED, JobStatus.QUEUED, JobStatus.SCHEDULED, JobStatus.DEFERRED, JobStatus.STARTED)
}


def open_queue(client: "redis.Redis", name: str) -> Queue:
    """The queue of this name, between the web processes and the workers."""
    return Queue(name, connection=client, serializer=SERIALIZER)


def job_ids(stream_id: str) -> tuple[str, str]:
    """The ids of the jobs that a stream can have: the first is its own, the second is for beginning it again.

    Two, because RQ may yet find out that the worker of the first has died, and must not mean the second by that.
    """
    return stream_id, stream_id + AGAIN


def stream_of_job(job_id: str) -> str:
    """The stream that has this job."""
    return job_id.removesuffix(AGAIN)


def has_job(client: "redis.Redis", stream_id: str) -> bool:
    """Whether a worker has a job of this stream's, or will get it. Raises redis.RedisError."""
    return is_to_come(client, *job_ids(stream_id))


def is_to_come(client: "redis.Redis", *ids: str) -> bool:
    """Whether a worker has one of these jobs, or will get it; one that cannot be read is none.

    Raises redis.RedisError.
    """
    pipeline = client.pipeline(transaction=False)
    for job_id in ids:
        pipeline.hget(Job.key_for(job_id), "status")  # no more of it: it may be of another version
    found = [status.decode("utf-8", "replace") for status in pipeline.execute() if isinstance(status, bytes)]
    return any(status in TO_COME for status in found)


def is_known(client: "redis.Redis", stream_id: str) -> bool:
    """Whether RQ knows the first job of this stream, also one that has ended. Raises redis.RedisError."""
    return bool(client.exists(Job.key_for(stream_id)))
