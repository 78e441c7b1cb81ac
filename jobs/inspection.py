"""Looking at a queue from outside: for whoever runs the service. Nothing is changed by it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.worker import Worker
from rq.worker.base import BaseWorker

from jobs.records import SERIALIZER, open_queue


@dataclass(frozen=True, slots=True)
class WorkerSight:
    """A worker that RQ takes for alive."""

    name: str
    host: str
    state: str
    """ "busy" while it has jobs, "idle" while it has none; "suspended"."""
    heard: float
    """So many seconds ago it last said that it lives."""


@dataclass(frozen=True, slots=True)
class QueueSight:
    """A queue as it is at this moment."""

    waiting: int
    oldest: float | None
    """So many seconds the job at its head has waited; None of an empty queue."""
    running: int
    workers: tuple[WorkerSight, ...]


def look_at_waiting(
    client: "redis.Redis", name: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[int, float | None]:
    """How many jobs wait in a queue, and for how many seconds the one at its head has; None of an empty one.

    Raises redis.RedisError.
    """
    queue = open_queue(client, name)
    return queue.count, _oldest(client, queue.get_job_ids(0, 1), now())


def look_at_queue(
    client: "redis.Redis", name: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> QueueSight:
    """Raises redis.RedisError."""
    queue = open_queue(client, name)
    moment = now()
    workers = [_worker_sight(worker, moment) for worker in Worker.all(queue=queue, serializer=SERIALIZER)]
    return QueueSight(
        waiting=queue.count,
        oldest=_oldest(client, queue.get_job_ids(0, 1), moment),
        running=StartedJobRegistry(queue=queue, serializer=SERIALIZER).get_job_count(cleanup=False),
        workers=tuple(sorted(workers, key=lambda worker: worker.name)),
    )


def _worker_sight(worker: BaseWorker, moment: datetime) -> WorkerSight:
    heard = _since(worker.last_heartbeat, moment)
    return WorkerSight(worker.name, worker.hostname or "", str(worker.get_state()), heard or 0.0)


def _oldest(client: "redis.Redis", job_ids: list[str], moment: datetime) -> float | None:
    for job_id in job_ids:
        try:
            job = Job.fetch(job_id, connection=client, serializer=SERIALIZER)
        except NoSuchJobError:  # taken, done and forgotten since
            return None
        return _since(job.enqueued_at, moment)
    return None


def _since(then: datetime | None, moment: datetime) -> float | None:
    """Seconds; RQ's moments are of UTC, with or without saying so."""
    if then is None:
        return None
    aware = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(moment - aware, timedelta()).total_seconds()
