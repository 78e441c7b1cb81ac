"""How a worker leaves: asked, asked twice, or not asked at all."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from rq import Worker
from rq.job import JobStatus

from conversations import Status
from streams import Outcome
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.workers.bench import PATIENCE, Bench

SETTINGS = {
    "patient": {},
    "hasty": {"SHUTDOWN_GRACE": "1"},
    "asked twice": {},
    "crashing": {"STREAM_LEASE": "3"},
    "surviving": {"STREAM_LEASE": "3"},
}

pytestmark = pytest.mark.timeout(300)  # the first test also waits for the workers to start


@pytest.fixture(scope="module")
def workers(bench: Bench) -> Iterator[dict[str, WorkerProcess]]:
    """One for each test, started together, each with a queue of its own name."""
    with ExitStack() as stack:
        workers = {
            queue: stack.enter_context(bench.started_worker(RQ_QUEUE=queue, **settings))
            for queue, settings in SETTINGS.items()
        }
        for worker in workers.values():
            worker.wait_until_serving()
        yield workers


def registered(bench: Bench, worker: WorkerProcess) -> bool:
    return worker.process.pid in [seen.pid for seen in Worker.all(connection=bench.redis)]


def test_a_worker_that_is_asked_to_leave_takes_nothing_more_and_finishes_what_it_has(
    bench: Bench, workers: dict[str, WorkerProcess]
) -> None:
    worker = workers["patient"]
    running = bench.send({"deltas": ["Not yet", {"wait": "leaving"}, " done"]}, queue="patient")
    bench.wait_for_text(running, "Not yet")
    assert registered(bench, worker)
    worker.terminate()
    wait_until(lambda: "leaving" in worker.log, PATIENCE)
    waiting = bench.send(content="Too late", queue="patient")
    bench.model.release("leaving")
    assert worker.wait(PATIENCE) == 0
    assert bench.wait_saved(running).content == "Not yet done"
    bench.wait_job(running, JobStatus.FINISHED)
    assert bench.job(waiting).get_status() is JobStatus.QUEUED
    assert bench.redis.lrange("rq:queue:patient", 0, -1) == [waiting.encode()]
    assert not bench.redis.exists("rq:queue:patient:intermediate")
    assert not registered(bench, worker)


def test_what_cannot_finish_in_time_is_ended_and_saved(bench: Bench, workers: dict[str, WorkerProcess]) -> None:
    stream_id = bench.send({"deltas": ["As far as it came", {"silence": True}]}, queue="hasty")
    bench.wait_for_text(stream_id, "As far as it came")
    workers["hasty"].terminate()
    assert workers["hasty"].wait(PATIENCE) == 0
    recording, message = bench.recording(stream_id), bench.message(stream_id)
    assert recording is not None
    assert recording.end is not None
    assert recording.end.outcome is Outcome.INTERRUPTED
    assert recording.end.reason == "The server was restarted while it wrote this answer."
    assert (message.status, message.content) == (Status.INTERRUPTED, "As far as it came")
    bench.wait_disconnected()
    bench.wait_job(stream_id, JobStatus.FAILED)


def test_the_second_signal_is_not_patient_but_loses_nothing(bench: Bench, workers: dict[str, WorkerProcess]) -> None:
    worker = workers["asked twice"]
    stream_id = bench.send({"deltas": ["Half", {"silence": True}]}, queue="asked twice")
    bench.wait_for_text(stream_id, "Half")
    began = time.monotonic()
    worker.terminate()

    def left() -> bool:
        worker.terminate()  # The same signal twice within a second counts once.
        return worker.process.poll() is not None

    wait_until(left, PATIENCE, "the worker to leave")
    assert time.monotonic() - began < 20  # of the 25 seconds that one signal would have given
    message = bench.message(stream_id)
    assert (message.status, message.content) == (Status.INTERRUPTED, "Half")


def test_the_answer_of_a_worker_that_crashed_is_ended_and_saved_by_another_and_not_asked_for_again(
    bench: Bench, workers: dict[str, WorkerProcess]
) -> None:
    stream_id = bench.send({"deltas": ["Last words", {"silence": True}]}, queue="crashing")
    bench.wait_for_text(stream_id, "Last words")
    asked = len(bench.model.requests())
    workers["crashing"].kill()
    message = bench.wait_saved(stream_id)
    assert (message.status, message.content) == (Status.INTERRUPTED, "Last words")
    assert message.reason == "The worker that was writing this answer stopped unexpectedly."
    with bench.worker(RQ_QUEUE="crashing"):
        result = bench.wait_job(stream_id, JobStatus.FAILED, timeout=60).latest_result()
    assert result is not None
    assert "AbandonedJobError" in (result.exc_string or "")
    assert len(bench.model.requests()) == asked
