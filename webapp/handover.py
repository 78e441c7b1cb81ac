"""Handing an answer over to the workers: its stream is announced, and its job queued."""

from dataclasses import dataclass

from rq import Queue
from rq.exceptions import DuplicateJobError

from streams import StreamControl

JOB = "workers.jobs.generate"
TIMEOUT_MARGIN = 60  # seconds that RQ waits longer than the worker itself, which knows better what to say
RESULT_KEPT = 3600  # seconds
FAILURE_KEPT = 7 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Handover:
    """Safe to repeat: RQ refuses the second job of a stream, atomically."""

    control: StreamControl
    queue: Queue
    generation_timeout: float

    def __call__(self, stream_id: str, conversation_id: str) -> bool:
        """Have some worker write this answer. False: it had been handed over before. Raises redis.RedisError."""
        self.control.announce(stream_id)
        try:
            self.queue.enqueue_call(
                JOB,
                args=(stream_id,),
                job_id=stream_id,
                timeout=int(self.generation_timeout) + TIMEOUT_MARGIN,
                result_ttl=RESULT_KEPT,
                failure_ttl=FAILURE_KEPT,
                description=f"answer in conversation {conversation_id}",
                unique=True,
            )
        except DuplicateJobError:
            return False
        return True
