"""What the web process and the workers both know of a job, which is RQ's record of a generation.

The one queues jobs and the other runs them, and they never import each other; so what they must agree on is here: what
a job is called, which ids it has, how it is queued, whether one is still to come; and the settings that both read. Of
ours it stands on streams/ and telemetry/, which know no RQ.
"""

from jobs.queueing import GENERATE, Handover, queue_again
from jobs.records import SERIALIZER, has_job, is_known, job_ids, open_queue, stream_of_job

__all__ = [
    "GENERATE",
    "SERIALIZER",
    "Handover",
    "has_job",
    "is_known",
    "job_ids",
    "open_queue",
    "queue_again",
    "stream_of_job",
]
