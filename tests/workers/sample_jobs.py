"""Jobs that a test can hold and let go, for the worker to run like any other."""

from typing import Any

from rq import get_current_job
from rq.job import Job

from tests.support.waiting import wait_until


def current_job() -> Job:
    job = get_current_job()
    assert job is not None
    return job


def wait_for(gate: str) -> str:
    """Say that it has begun, wait until the gate is opened, and return the id of the job that it is."""
    job = current_job()
    job.connection.rpush(f"begun:{gate}", job.id)
    # Not a blocking pop: that would hold one of the few connections which all jobs share.
    wait_until(lambda: job.connection.lpop(f"gate:{gate}"), 100, f"gate {gate}")
    return current_job().id


def fail(words: str) -> None:
    raise ValueError(words)


def note_stopped(job: Job, connection: Any) -> None:
    """A callback."""
    connection.set(f"stopped:{job.id}", 1)
