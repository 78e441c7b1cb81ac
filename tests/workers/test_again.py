"""A worker is gone before the first chunk of an answer: another one begins it again, once, whatever else happens."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from rq.job import JobStatus

from conversations import MessageRecord, Status
from jobs import queue_again
from streams import Outcome, Progress, Restarts, StreamSettings, is_end, keys, scripts
from tests.support.reaping import nobody_is_blind
from tests.support.scripted_model import Json
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.support.writing import die
from tests.workers.bench import OWNER, PATIENCE, QUEUE, Bench, running_bench
from workers.waiting import AGAIN

pytestmark = pytest.mark.timeout(600)  # each test starts workers of its own

DIED = "a worker died before the first chunk of its answer; the job is queued again"
LEFT = "a worker left before the first chunk of its answer; the job is queued again"
STOPPED = "The worker that was writing this answer stopped unexpectedly."

Doomed = Callable[..., WorkerProcess]

NOTHING_YET: dict[str, Json] = {
    "the model has not answered": {"hold": "nobody"},
    "the model has answered and says nothing": {"deltas": [{"silence": True}]},
    "the model is loading": {"status": 503, "headers": {"Retry-After": "60"}, "error": {"message": "Loading model"}},
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """One for each test: nobody has asked its model before, and nothing waits in its queue."""
    with running_bench(tmp_path) as bench:
        yield bench


def kill(bench: Bench, worker: WorkerProcess, stream_id: str) -> None:
    """It crashes, and its lease is over. That is said by hand, so that nobody who lives is taken for dead."""
    worker.kill()
    die(bench.redis, stream_id)


def wait_asked(bench: Bench, times: int) -> None:
    wait_until(lambda: len(bench.model.requests()) == times, PATIENCE, f"request {times}")


def ends_again(bench: Bench, stream_id: str) -> MessageRecord:
    """The answer as it is saved; Redis has the same text, and one end."""
    recording, message = bench.wait_ended(stream_id), bench.wait_saved(stream_id)
    entries: list[bytes] = bench.redis.lrange(keys.chunks(stream_id), 0, -1)  # type: ignore[assignment]
    assert [is_end(entry) for entry in entries] == [False] * (len(entries) - 1) + [True]
    assert recording.text == message.content
    assert recording.end is not None
    assert recording.end.outcome == message.status.value
    return message


def decide_and_die(bench: Bench, stream_id: str) -> None:
    """What a reaper does that takes the worker for dead, and then dies itself."""
    bench.redis.hset(keys.state(stream_id), "lease", 1)
    names = [keys.chunks(stream_id), keys.state(stream_id), keys.news(stream_id)]
    assert scripts.again(bench.redis, names, ["", 600_000, 600_000]) == b"owed"


@contextmanager
def worker_that_has(bench: Bench, script: Json, *more: Json, **environment: str) -> Iterator[tuple[WorkerProcess, str]]:
    """A worker that has asked the model for an answer, and the stream. `more` is for whoever asks next."""
    with bench.worker(**environment) as worker:
        bench.model.script(script, *more)
        stream_id = bench.send()
        wait_asked(bench, 1)
        yield worker, stream_id


@pytest.mark.parametrize("why", NOTHING_YET)
def test_an_answer_whose_worker_crashed_before_the_first_chunk_is_written_by_another(bench: Bench, why: str) -> None:
    second_answer: Json = {"hold": "second", "deltas": ["All ", "of it"]}
    with worker_that_has(bench, NOTHING_YET[why], second_answer) as (first, stream_id), bench.worker() as second:
        if "status" in NOTHING_YET[why]:
            wait_until(lambda: note(bench, stream_id) == "The model is loading…", PATIENCE, "the note")
        kill(bench, first, stream_id)
        wait_asked(bench, 2)
        wait_until(lambda: note(bench, stream_id) == AGAIN, PATIENCE, "the person to be told")
        bench.model.release("second")
        message = ends_again(bench, stream_id)
        assert (message.content, message.status) == ("All of it", Status.FINISHED)
        bench.wait_job(f"{stream_id}-again", JobStatus.FINISHED)
    assert second.log.count(DIED) == 1
    assert f"{DIED} stream_id={stream_id}" in second.log
    assert len(bench.model.requests()) == 2


def note(bench: Bench, stream_id: str) -> str | None:
    recording = bench.recording(stream_id)
    return recording.note if recording else None


def test_an_answer_that_loses_its_second_worker_as_well_is_ended(bench: Bench) -> None:
    held = {"hold": "nobody"}
    with worker_that_has(bench, held, held) as (first, stream_id), bench.worker() as second:
        kill(bench, first, stream_id)
        wait_asked(bench, 2)
        with bench.worker():
            kill(bench, second, stream_id)
            message = ends_again(bench, stream_id)
    assert (message.content, message.status, message.reason) == ("", Status.INTERRUPTED, STOPPED)
    assert len(bench.model.requests()) == 2


def test_an_answer_that_loses_its_second_worker_after_a_chunk_keeps_that(bench: Bench) -> None:
    half: Json = {"deltas": ["Half", {"silence": True}]}
    with (
        worker_that_has(bench, {"hold": "nobody"}, half) as (first, stream_id),
        bench.worker() as second,
    ):
        kill(bench, first, stream_id)
        bench.wait_for_text(stream_id, "Half")
        with bench.worker():
            kill(bench, second, stream_id)
            message = ends_again(bench, stream_id)
    assert (message.content, message.status, message.reason) == ("Half", Status.INTERRUPTED, STOPPED)
    assert len(bench.model.requests()) == 2


def test_an_answer_that_is_gone_on_with_has_its_first_chunk_from_the_start(bench: Bench) -> None:
    with bench.worker() as first:
        cut_off = bench.wait_saved(bench.send({"deltas": ["Once ", {"cut": True}]}))
        bench.model.script({"hold": "nobody"})
        bench.store.continue_(OWNER, cut_off.id, stream_id="st_continued", model="scripted")
        bench.control.announce("st_continued")
        bench.enqueue("workers.jobs.generate", "st_continued", job_id="st_continued")
        wait_asked(bench, 2)
        with bench.worker():
            kill(bench, first, "st_continued")
            message = ends_again(bench, "st_continued")
    assert (message.content, message.status) == ("Once ", Status.INTERRUPTED)
    assert len(bench.model.requests()) == 2


def test_an_answer_whose_first_chunks_redis_lost_with_its_worker_is_not_asked_for_again(bench: Bench) -> None:
    half: Json = {"deltas": ["Half", {"silence": True}]}
    with worker_that_has(bench, half, CHECKPOINT_INTERVAL="0.1") as (first, stream_id):
        wait_until(lambda: bench.message(stream_id).content == "Half", PATIENCE, "a checkpoint")
        kill(bench, first, stream_id)
        bench.redis.delete(keys.chunks(stream_id))
        with bench.worker():
            message = ends_again(bench, stream_id)
    assert (message.content, message.status, message.reason) == ("Half", Status.INTERRUPTED, STOPPED)
    assert len(bench.model.requests()) == 1


def test_an_answer_whose_worker_crashed_before_it_opened_the_stream_is_written_by_another(bench: Bench) -> None:
    with bench.worker() as first, bench.worker(RQ_QUEUE="another"):
        # Redis lets them take a job, and say so, and no more.
        bench.redis.acl_setuser("default", enabled=True, reset_keys=True, keys=["rq:*", "*:state", "*unsettled*"])
        try:
            stream_id = bench.send({"deltas": ["All of it"]})
            wait_until(lambda: "could not open the stream, trying again" in first.log, PATIENCE)
            first.kill()
        finally:
            bench.redis.acl_setuser("default", enabled=True, keys=["*"])
        bench.control.mark_taken(stream_id, 0.1)  # so that nobody waits for the half minute that it had
        with bench.worker():
            message = ends_again(bench, stream_id)
    assert (message.content, message.status) == ("All of it", Status.FINISHED)
    assert len(bench.model.requests()) == 1


def test_an_answer_that_somebody_stopped_meanwhile_is_not_asked_for_again(bench: Bench) -> None:
    with worker_that_has(bench, {"hold": "nobody"}) as (first, stream_id), bench.worker():
        first.kill()
        assert bench.control.ask_cancel(stream_id)
        die(bench.redis, stream_id)
        message = ends_again(bench, stream_id)
    assert (message.content, message.status) == ("", Status.INTERRUPTED)
    assert len(bench.model.requests()) == 1


def test_an_answer_that_waits_to_be_begun_again_can_be_stopped(bench: Bench) -> None:
    with (
        worker_that_has(bench, {"hold": "nobody"}) as (first, stream_id),
        bench.worker(RQ_QUEUE="another") as other,
    ):
        kill(bench, first, stream_id)
        wait_until(lambda: DIED in other.log, PATIENCE, "somebody to notice")
        assert bench.control.ask_cancel(stream_id)
        message = ends_again(bench, stream_id)
        assert message.status is Status.CANCELLED
    with bench.worker():
        assert bench.wait_job(f"{stream_id}-again", JobStatus.FINISHED).return_value() == "not ours"
    assert len(bench.model.requests()) == 1


def test_the_job_waits_where_the_first_one_did_as_the_first_of_all(bench: Bench) -> None:
    """Whoever notices the death may serve another queue."""
    with (
        worker_that_has(bench, {"hold": "nobody"}) as (first, stream_id),
        bench.worker(RQ_QUEUE="another") as other,
    ):
        first.kill()
        behind = bench.send(content="Me too")
        die(bench.redis, stream_id)
        wait_until(lambda: DIED in other.log, PATIENCE, "somebody to notice")
    assert bench.queue.get_job_ids() == [f"{stream_id}-again", behind]
    before, again = bench.job(stream_id), bench.job(f"{stream_id}-again")
    assert (again.origin, again.func_name, again.args) == (QUEUE, "workers.jobs.generate", [stream_id])
    assert (again.timeout, again.result_ttl, again.failure_ttl) == (60, 60, before.failure_ttl)
    assert again.description == f"{before.description}, again"
    with bench.worker():
        assert ends_again(bench, stream_id).content == "Hello "
        assert ends_again(bench, behind).content == "Me too "


ASLEEP: dict[str, Json] = {
    "its model is silent": {"hold": "nobody"},
    "its model has said all meanwhile": {"hold": "zombie", "deltas": ["Out of ", "the grave"]},
}


@pytest.mark.parametrize("what", ASLEEP)
def test_a_worker_that_was_only_asleep_finds_that_another_writes_its_answer_and_leaves_it_alone(
    bench: Bench, what: str
) -> None:
    real: Json = {"deltas": ["Among ", {"wait": "awake"}, "the living"]}
    with worker_that_has(bench, ASLEEP[what], real, CHECKPOINT_INTERVAL="0.1") as (zombie, stream_id), bench.worker():
        zombie.pause()
        die(bench.redis, stream_id)
        bench.wait_for_text(stream_id, "Among ")
        bench.model.release("zombie")
        if "deltas" in ASLEEP[what]:
            wait_until(lambda: bench.model.requests()[0]["state"] == "answered", PATIENCE)
        zombie.resume()
        wait_until(lambda: "stopped and saved nothing" in zombie.log, PATIENCE, "it to notice")
        if "deltas" not in ASLEEP[what]:
            wait_until(lambda: bench.model.requests()[0]["state"] == "disconnected", PATIENCE)
        assert bench.message(stream_id).content in ("", "Among ")
        assert bench.message(stream_id).status is Status.RUNNING
        bench.model.release("awake")
        message = ends_again(bench, stream_id)
        assert (message.content, message.status) == ("Among the living", Status.FINISHED)
    assert len(bench.model.requests()) == 2


def test_a_whole_answer_counts_for_nothing_where_another_worker_is_to_begin_it(bench: Bench) -> None:
    answer: Json = {"hold": "fenced", "deltas": ["Out of ", "the grave"]}
    with worker_that_has(bench, answer, STREAM_LEASE="300") as (_, stream_id):
        decide_and_die(bench, stream_id)  # of which the worker hears with its next call only
        bench.model.release("fenced")
        assert bench.wait_job(stream_id, JobStatus.FINISHED).return_value() == "not ours"
        message = bench.message(stream_id)
    assert (message.content, message.status) == ("", Status.RUNNING)


def test_text_that_redis_does_not_take_is_no_checkpoint_where_another_worker_is_to_begin_it(bench: Bench) -> None:
    answer: Json = {"hold": "fenced", "deltas": ["Out of the grave", {"silence": True}]}
    with worker_that_has(bench, answer, STREAM_LEASE="300", CHECKPOINT_INTERVAL="0.001") as (worker, stream_id):
        decide_and_die(bench, stream_id)
        bench.redis_server.pause()  # so that the worker has its text before it hears of that
        bench.model.release("fenced")
        wait_until(lambda: bench.model.requests()[0]["sent"] == 1, PATIENCE)
        bench.redis_server.resume()
        wait_until(lambda: "stopped and saved nothing" in worker.log, PATIENCE)
        message = bench.message(stream_id)
    assert (message.content, message.status) == ("", Status.RUNNING)


def test_a_death_between_the_verdict_and_the_queue_is_made_up_for_by_the_next_who_looks(bench: Bench) -> None:
    answer: Json = {"deltas": ["All of it"]}
    with (
        worker_that_has(bench, {"hold": "nobody"}, answer, STREAM_LEASE="300") as (first, stream_id),
        bench.worker() as second,
    ):
        first.kill()
        decide_and_die(bench, stream_id)
        assert bench.redis.zscore(keys.UNSETTLED, stream_id) is not None
        bench.redis.zadd(keys.UNSETTLED, {stream_id: 1})
        message = ends_again(bench, stream_id)
        assert second.log.count(DIED) == 1
    assert (message.content, message.status) == ("All of it", Status.FINISHED)
    assert len(bench.model.requests()) == 2


def test_of_many_reapers_that_look_at_the_same_instant_one_queues_one_job(bench: Bench) -> None:
    with worker_that_has(bench, {"hold": "nobody"}) as (first, stream_id):
        first.kill()
    bench.redis.hset(keys.state(stream_id), "lease", 1)
    restarts = Restarts(bench.redis, StreamSettings(), partial(queue_again, bench.redis))
    together = Barrier(5)

    def look(_: int) -> bytes:
        together.wait(60)
        return restarts.look(stream_id)

    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(look, range(5))) == {b"queued"}
    assert bench.queue.get_job_ids() == [f"{stream_id}-again"]


def test_an_answer_whose_job_the_queue_has_forgotten_is_ended(bench: Bench) -> None:
    with worker_that_has(bench, {"hold": "nobody"}) as (first, stream_id), bench.worker():
        first.pause()  # so that it does not write its job's heartbeat into what is deleted now
        bench.redis.delete(f"rq:job:{stream_id}")
        die(bench.redis, stream_id)
        message = ends_again(bench, stream_id)
        first.kill()
    assert (message.content, message.status, message.reason) == ("", Status.INTERRUPTED, STOPPED)
    assert len(bench.model.requests()) == 1


def test_an_answer_whose_second_job_has_ended_without_beginning_it_is_ended(bench: Bench) -> None:
    with worker_that_has(bench, {"hold": "nobody"}, STREAM_LEASE="300") as (first, stream_id):
        first.kill()
        decide_and_die(bench, stream_id)
        assert queue_again(bench.redis, stream_id)  # …and somebody does not want that
        bench.job(f"{stream_id}-again").cancel()
        bench.redis.zadd(keys.UNSETTLED, {stream_id: 1})
        nobody_is_blind(bench.redis)
        with bench.worker():
            message = ends_again(bench, stream_id)
    assert (message.content, message.status, message.reason) == ("", Status.INTERRUPTED, STOPPED)
    assert len(bench.model.requests()) == 1


def test_a_worker_that_has_to_leave_before_the_first_chunk_hands_the_answer_to_another_at_once(bench: Bench) -> None:
    long = {"SHUTDOWN_GRACE": "1", "STREAM_LEASE": "300"}  # seconds; nobody waits for such a lease
    with (
        worker_that_has(bench, {"hold": "nobody"}, {"deltas": ["All of it"]}, **long) as (first, stream_id),
        bench.worker() as second,
    ):
        first.terminate()
        assert first.wait(PATIENCE) == 0
        message = ends_again(bench, stream_id)
    assert (message.content, message.status) == ("All of it", Status.FINISHED)
    assert first.log.count(LEFT) == 1
    assert DIED not in second.log
    requests = bench.model.requests()
    assert [request["state"] for request in requests] == ["disconnected", "answered"]


def test_what_the_last_worker_hands_back_waits_for_the_next(bench: Bench) -> None:
    with worker_that_has(bench, {"hold": "nobody"}, {"deltas": ["All of it"]}, SHUTDOWN_GRACE="0") as (first, stream):
        first.terminate()
        assert first.wait(PATIENCE) == 0
    assert bench.queue.get_job_ids() == [f"{stream}-again"]
    assert bench.control.progress([stream]) == [Progress("queued", None, 0)]
    with bench.worker():
        message = ends_again(bench, stream)
    assert (message.content, message.status) == ("All of it", Status.FINISHED)
    assert len(bench.model.requests()) == 2


def test_what_was_handed_back_before_is_ended_by_the_next_who_has_to_leave(bench: Bench) -> None:
    held = {"hold": "nobody"}
    with worker_that_has(bench, held, held, SHUTDOWN_GRACE="0") as (first, stream_id):
        first.terminate()
        assert first.wait(PATIENCE) == 0
    with bench.worker(SHUTDOWN_GRACE="0") as second:
        wait_asked(bench, 2)
        second.terminate()
        assert second.wait(PATIENCE) == 0
    recording, message = bench.recording(stream_id), bench.message(stream_id)
    assert recording is not None
    assert recording.end is not None
    assert recording.end.outcome is Outcome.INTERRUPTED
    assert (message.status, message.reason) == (
        Status.INTERRUPTED,
        "The server was restarted while it wrote this answer.",
    )
    assert len(bench.model.requests()) == 2
