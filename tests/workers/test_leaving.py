"""How a worker leaves: asked, asked twice, or not asked at all."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rq import Worker
from rq.job import JobStatus

from conversations import Status
from streams import Outcome
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.support.writing import die
from tests.workers.bench import OWNER, PATIENCE, QUEUE, Bench, running_bench

pytestmark = pytest.mark.timeout(600)  # each test starts workers of its own


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """One for each test, which may leave something in the queue."""
    with running_bench(tmp_path) as bench:
        yield bench


def is_registered(bench: Bench, worker: WorkerProcess) -> bool:
    return worker.process.pid in [seen.pid for seen in Worker.all(connection=bench.redis)]


def test_a_worker_that_is_asked_to_leave_takes_nothing_more_and_finishes_what_it_has(bench: Bench) -> None:
    with bench.worker() as worker:
        running = bench.send({"deltas": ["Not yet", {"wait": "leaving"}, " done"]})
        bench.wait_for_text(running, "Not yet")
        assert is_registered(bench, worker)
        worker.terminate()
        wait_until(lambda: "leaving" in worker.log, PATIENCE)
        waiting = bench.send(content="Too late")
        bench.model.release("leaving")
        assert worker.wait(PATIENCE) == 0
    assert bench.wait_saved(running).content == "Not yet done"
    bench.wait_job(running, JobStatus.FINISHED)
    assert bench.job(waiting).get_status() is JobStatus.QUEUED
    assert bench.redis.lrange(f"rq:queue:{QUEUE}", 0, -1) == [waiting.encode()]
    assert not bench.redis.exists(f"rq:queue:{QUEUE}:intermediate")
    assert not is_registered(bench, worker)


def test_what_cannot_finish_in_time_is_ended_and_saved(bench: Bench) -> None:
    with bench.worker(SHUTDOWN_GRACE="1") as worker:
        stream_id = bench.send({"deltas": ["As far as it came", {"silence": True}]})
        bench.wait_for_text(stream_id, "As far as it came")
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
    recording, message = bench.recording(stream_id), bench.message(stream_id)
    assert recording is not None
    assert recording.end is not None
    assert recording.end.outcome is Outcome.INTERRUPTED
    assert recording.end.reason == "The server was restarted while it wrote this answer."
    assert (message.status, message.content) == (Status.INTERRUPTED, "As far as it came")
    bench.wait_disconnected()
    bench.wait_job(stream_id, JobStatus.FAILED)


def test_a_worker_that_has_to_leave_waits_for_no_title(bench: Bench) -> None:
    with bench.worker(SHUTDOWN_GRACE="0", TITLE_MODEL="namer") as worker:
        asked = len(bench.model.requests())
        bench.model.script({"deltas": ["All of it"]}, {"hold": "nobody"})
        stream_id = bench.send(content="Hello")
        wait_until(lambda: len(bench.model.requests()) == asked + 2, PATIENCE, "the wish for a title")
        assert bench.model.requests()[-1]["body"]["model"] == "namer"
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
    bench.wait_disconnected()
    bench.wait_job(stream_id, JobStatus.FINISHED)
    message = bench.message(stream_id)
    assert (message.content, message.status) == ("All of it", Status.FINISHED)
    assert bench.store.conversation(OWNER, message.conversation_id).title == "Hello"


def test_the_second_signal_is_not_patient_but_loses_nothing(bench: Bench) -> None:
    with bench.worker(SHUTDOWN_GRACE="1000") as worker:
        stream_id = bench.send({"deltas": ["Half", {"silence": True}]})
        bench.wait_for_text(stream_id, "Half")
        began = time.monotonic()

        def left() -> bool:
            worker.terminate()  # The same signal twice within a second counts once.
            return worker.process.poll() is not None

        wait_until(left, PATIENCE, "the worker to leave")
        assert time.monotonic() - began > 1
    message = bench.message(stream_id)
    assert (message.status, message.content) == (Status.INTERRUPTED, "Half")


def test_the_answer_of_a_worker_that_crashed_is_ended_and_saved_by_another_and_not_asked_for_again(
    bench: Bench,
) -> None:
    with bench.worker() as worker:
        stream_id = bench.send({"deltas": ["Last words", {"silence": True}]})
        bench.wait_for_text(stream_id, "Last words")
        worker.kill()
    asked = len(bench.model.requests())
    die(bench.redis, stream_id)
    with bench.worker():
        message = bench.wait_saved(stream_id)
        result = bench.wait_job(stream_id, JobStatus.FAILED).latest_result()
    assert (message.status, message.content) == (Status.INTERRUPTED, "Last words")
    assert message.reason == "The worker that was writing this answer stopped unexpectedly."
    assert result is not None
    assert "AbandonedJobError" in (result.exc_string or "")
    assert len(bench.model.requests()) == asked
