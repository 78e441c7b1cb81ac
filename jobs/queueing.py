"""How the job of a stream is queued: once, and once more for whoever begins its answer again (streams/restarts.py)."""

from dataclasses import dataclass

import redis
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job
from rq.queue import Queue

from jobs.records import SERIALIZER, is_to_come, job_ids, open_queue
from streams import StreamControl
from telemetry import context, traces

GENERATE = "workers.jobs.generate"
TIMEOUT_MARGIN = 60  # seconds that RQ waits longer than the worker itself, which knows better what to say
RESULT_KEPT = 3600  # seconds
FAILURE_KEPT = 7 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Handover:
    """Hands an answer over to the workers. Safe to repeat: RQ refuses a job whose id it knows, atomically."""

    control: StreamControl
    queue: Queue
    generation_timeout: float

    def __call__(self, stream_id: str, conversation_id: str, model: str | None) -> bool:
        """Have some worker write this answer. False: it had been handed over before. Raises redis.RedisError.

        The model is only told to whoever looks at the queue.
        """
        self.control.announce(stream_id)
        context.know(stream_id=stream_id, conversation_id=conversation_id)
        first, _ = job_ids(stream_id)
        # RQ notes, too, that there is such a queue, for its dashboards: not in a round trip that a job would wait for.
        afterwards = self.queue.connection.pipeline()
        try:
            with traces.span("enqueue", traces.Kind.PRODUCER, stream_id=stream_id):
                self.queue.enqueue_call(
                    GENERATE,
                    args=(stream_id,),
                    job_id=first,
                    timeout=int(self.generation_timeout) + TIMEOUT_MARGIN,
                    result_ttl=RESULT_KEPT,
                    failure_ttl=FAILURE_KEPT,
                    meta=context.luggage(),
                    description=f"answer in conversation {conversation_id} by {model or 'the default model'}",
                    unique=True,
                    pipeline=afterwards,
                )
        except DuplicateJobError:
            return False
        afterwards.execute()
        return True


def queue_again(client: "redis.Redis", stream_id: str) -> bool:
    """Queue a copy of the stream's job where the first one was, before all others: it has had its turn.

    As often as one likes: there is one copy. False: none is to come, because it has ended, or because RQ does not know
    the first one any more. Raises redis.RedisError.
    """
    first, second = job_ids(stream_id)
    try:
        job = Job.fetch(first, connection=client, serializer=SERIALIZER)
        open_queue(client, job.origin).enqueue_call(
            job.func_name,  # type: ignore[type-var]  # RQ says that it may be None, and means a job without a function
            args=job.args,
            job_id=second,
            timeout=job.timeout,  # type: ignore[arg-type]  # RQ gives more than it says that it takes
            result_ttl=job.result_ttl,
            failure_ttl=job.failure_ttl,
            description=f"{job.description}, again",
            meta=job.meta,
            at_front=True,
            unique=True,
        )
    except (NoSuchJobError, DuplicateJobError):
        return is_to_come(client, second)
    return True
