"""Queueing the job of a stream once more, for whoever begins its answer again (streams/restarts.py).

workers/again.py is the same: the two know nothing of each other, and whoever notices a death queues the job.
"""

from contextlib import suppress

import redis
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from streams import job_ids


def queue_again(client: "redis.Redis", stream_id: str) -> bool:
    """Queue a copy of the stream's job where the first one was, before all others: it has had its turn.

    As often as one likes: RQ refuses a second job of the same id, atomically. False: RQ does not know the first one any
    more. Raises redis.RedisError.
    """
    first, second = job_ids(stream_id)
    try:
        job = Job.fetch(first, connection=client, serializer=JSONSerializer)
    except NoSuchJobError:
        return False
    queue = Queue(job.origin, connection=client, serializer=JSONSerializer)
    with suppress(DuplicateJobError):
        queue.enqueue_call(
            job.func_name,  # type: ignore[type-var]  # RQ says that it may be None, and means a job without a function
            args=job.args,
            job_id=second,
            timeout=job.timeout,  # type: ignore[arg-type]  # RQ gives more than it says that it takes
            result_ttl=job.result_ttl,
            failure_ttl=job.failure_ttl,
            description=f"{job.description}, again",
            at_front=True,
            unique=True,
        )
    return True
