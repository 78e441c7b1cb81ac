"""Our hold on RQ's inside: one test for each thing that RQ, its commands or its dashboard expect of a worker.

A new version of RQ that moves one of them fails here.
"""

import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rq import Worker
from rq.callbacks import Callback
from rq.command import send_stop_execution_command, send_stop_job_command
from rq.executions import ExecutionRegistry
from rq.job import JobStatus
from rq.queue import Queue
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker.base import BaseWorker

from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from tests.workers.bench import PATIENCE, QUEUE, Bench
from workers.settings import Settings
from workers.worker import BEAT, TTL

pytestmark = pytest.mark.timeout(300)  # the first test of a module also waits for the worker to start


@pytest.fixture(scope="module", autouse=True)
def worker(bench: Bench) -> Iterator[WorkerProcess]:
    with bench.worker() as worker:
        yield worker


def hold(bench: Bench, gate: str, count: int = 1) -> list[str]:
    """Jobs that have begun, and wait for their gate."""
    jobs = [bench.enqueue("tests.workers.sample_jobs.wait_for", gate).id for _ in range(count)]
    wait_until(lambda: bench.redis.llen(f"begun:{gate}") == count, PATIENCE, f"{count} jobs to begin")
    return jobs


def let_go(bench: Bench, gate: str, count: int = 1) -> None:
    bench.redis.rpush(f"gate:{gate}", *range(count))


def registered(bench: Bench) -> BaseWorker:
    """The worker as others see it, rq-dashboard among them."""
    [worker] = Worker.all(connection=bench.redis, serializer=JSONSerializer)
    return worker


def test_many_jobs_run_at_once_and_each_knows_which_it_is(bench: Bench) -> None:
    jobs = hold(bench, "many", 20)
    seen = registered(bench)
    started = StartedJobRegistry(QUEUE, connection=bench.redis, serializer=JSONSerializer)
    assert set(started.get_job_ids()) == set(jobs)
    assert {execution.job_id for execution in seen.get_current_executions()} == set(jobs)
    assert (seen.get_state(), seen.current_execution_count) == ("busy", 20)
    assert seen.get_current_job_id() in jobs
    let_go(bench, "many", 20)
    for job_id in jobs:
        assert bench.wait_job(job_id, JobStatus.FINISHED).return_value() == job_id
    wait_until(lambda: registered(bench).get_state() == "idle", PATIENCE, "the worker to be idle")
    assert registered(bench).current_execution_count == 0
    assert not started.get_job_ids()


def test_a_job_that_runs_is_noted_as_such_once_and_is_off_the_queue(bench: Bench) -> None:
    def noted() -> int:
        return int(bench.redis.info("commandstats").get("cmdstat_persist", {"calls": 0})["calls"])

    before = noted()
    [job_id] = hold(bench, "noted")
    job = bench.job(job_id)
    assert (job.get_status(), job.worker_name) == (JobStatus.STARTED, registered(bench).name)
    assert job.started_at is not None
    assert job.last_heartbeat is not None
    assert bench.redis.llen(bench.queue.intermediate_queue_key) == 0
    assert noted() == before + 1
    let_go(bench, "noted")
    bench.wait_job(job_id, JobStatus.FINISHED)


def test_others_are_told_how_many_jobs_may_run_at_once(bench: Bench) -> None:
    """rq-dashboard's page of workers shows it (webapp/dashboard.py)."""
    worker = registered(bench)
    assert (
        bench.redis.hget(worker.key, "concurrency") == str(Settings.model_fields["worker_concurrency"].default).encode()
    )
    bench.redis.delete(worker.key)
    wait_until(lambda: bench.redis.hexists(worker.key, "concurrency"), PATIENCE, "the worker to register again")


def test_every_job_is_counted_and_found_in_its_registry(bench: Bench) -> None:
    before = registered(bench)
    [good] = hold(bench, "counted")
    let_go(bench, "counted")
    bad = bench.enqueue("tests.workers.sample_jobs.fail", "on purpose").id
    bench.wait_job(good, JobStatus.FINISHED)
    failed = bench.wait_job(bad, JobStatus.FAILED)
    after = registered(bench)
    assert after.successful_job_count == before.successful_job_count + 1
    assert after.failed_job_count == before.failed_job_count + 1
    assert after.total_working_time > before.total_working_time
    assert good in FinishedJobRegistry(QUEUE, connection=bench.redis, serializer=JSONSerializer)
    assert bad in FailedJobRegistry(QUEUE, connection=bench.redis, serializer=JSONSerializer)
    result = failed.latest_result()
    assert result is not None
    assert "ValueError: on purpose" in (result.exc_string or "")


def test_a_time_limit_hits_its_own_job_only(bench: Bench) -> None:
    [other] = hold(bench, "other")
    late = bench.enqueue("tests.workers.sample_jobs.wait_for", "never", timeout=1).id
    result = bench.wait_job(late, JobStatus.FAILED).latest_result()
    assert result is not None
    assert "JobTimeoutException" in (result.exc_string or "")
    assert bench.job(other).get_status() is JobStatus.STARTED
    let_go(bench, "other")
    bench.wait_job(other, JobStatus.FINISHED)


def test_only_what_was_not_meant_leaves_a_traceback_in_the_log(bench: Bench, worker: WorkerProcess) -> None:
    late = bench.enqueue("tests.workers.sample_jobs.wait_for", "never", timeout=1).id
    unanswered = bench.send({"deltas": ["Once"], "finish_reason": None, "done": False})
    bad = bench.enqueue("tests.workers.sample_jobs.fail", "not meant").id
    for job_id in (late, unanswered, bad):
        bench.wait_job(job_id, JobStatus.FAILED)
    raised = re.findall(r"job (\S+): exception raised", worker.log)
    assert bad in raised
    assert not {late, unanswered} & set(raised)


def test_stop_job_stops_the_one_that_is_named(bench: Bench) -> None:
    first, third = hold(bench, "first"), hold(bench, "third")
    callback = Callback("tests.workers.sample_jobs.note_stopped")
    second = bench.enqueue("tests.workers.sample_jobs.wait_for", "second", on_stopped=callback).id
    wait_until(lambda: bench.redis.llen("begun:second"), PATIENCE)
    send_stop_job_command(bench.redis, second, serializer=JSONSerializer)
    bench.wait_job(second, JobStatus.STOPPED)
    assert bench.redis.get(f"stopped:{second}") == b"1"
    for job_id, gate in ((*first, "first"), (*third, "third")):
        let_go(bench, gate)
        assert bench.wait_job(job_id, JobStatus.FINISHED).return_value() == job_id


def test_stop_execution_stops_the_one_that_is_named(bench: Bench) -> None:
    jobs = hold(bench, "executions", 2)
    [execution] = ExecutionRegistry(jobs[1], bench.redis).get_executions()
    send_stop_execution_command(bench.redis, jobs[1], execution.id)
    bench.wait_job(jobs[1], JobStatus.STOPPED)
    let_go(bench, "executions")
    bench.wait_job(jobs[0], JobStatus.FINISHED)


class Evil:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path(self.path),)  # type: ignore[return-value]


def test_nothing_is_unpickled(bench: Bench, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    pickle.loads(pickle.dumps(Evil(proof)))  # noqa: S301  it does what it says …
    assert proof.exists()
    proof.unlink()
    job = Queue(QUEUE, connection=bench.redis).enqueue(pickle.dumps, Evil(proof))  # … but not in our worker
    wait_until(lambda: job.get_status() is JobStatus.FAILED, PATIENCE, "the job to fail")
    assert not proof.exists()


def test_a_job_that_was_taken_and_could_not_begin_is_not_lost(bench: Bench, worker: WorkerProcess) -> None:
    with bench.suspended():
        job_id = bench.enqueue("tests.workers.sample_jobs.wait_for", "taken").id
        bench.redis.acl_setuser(
            "default", enabled=True, commands=["-zadd"]
        )  # taking a job needs none, noting that it runs does
    try:
        wait_until(lambda: "a job could not begin, giving it back" in worker.log, PATIENCE)
    finally:
        bench.redis.acl_setuser("default", commands=["+zadd"], enabled=True)
    wait_until(lambda: bench.redis.llen("begun:taken") == 1, PATIENCE, "it to begin")
    let_go(bench, "taken")
    bench.wait_job(job_id, JobStatus.FINISHED)
    wait_until(lambda: registered(bench).get_state() == "idle", PATIENCE, "what did not begin to be forgotten")


def test_a_job_that_cannot_be_read_ends_nothing_but_itself(bench: Bench, worker: WorkerProcess) -> None:
    [running] = hold(bench, "unreadable")
    with bench.suspended():
        job = bench.enqueue("tests.workers.sample_jobs.wait_for", "never")
        bench.redis.hset(job.key, "status", "dancing")  # as a newer RQ may say
    wait_until(lambda: "a job could not be taken" in worker.log, PATIENCE)
    [later] = hold(bench, "later")
    let_go(bench, "later")
    bench.wait_job(later, JobStatus.FINISHED)
    let_go(bench, "unreadable")
    bench.wait_job(running, JobStatus.FINISHED)


def test_a_worker_that_dies_is_missed_within_seconds(bench: Bench) -> None:
    [job_id] = hold(bench, "ttl")
    [execution] = ExecutionRegistry(job_id, bench.redis).get_executions()
    seen = registered(bench)
    assert 0 < bench.redis.ttl(seen.key) <= TTL
    assert 0 < bench.redis.ttl(execution.key) <= TTL
    wait_until(
        lambda: ExecutionRegistry(job_id, bench.redis).get_executions()[0].last_heartbeat > execution.last_heartbeat,
        PATIENCE,
        "the next heartbeat",
    )
    let_go(bench, "ttl")
    bench.wait_job(job_id, JobStatus.FINISHED)


def test_a_redis_that_forgot_the_worker_is_told_again(bench: Bench) -> None:
    name = registered(bench).name
    bench.redis.flushall()
    wait_until(lambda: Worker.all(connection=bench.redis), BEAT + PATIENCE, "the worker to register again")
    seen = registered(bench)
    assert (seen.name, seen.queue_names()) == (name, [QUEUE])
    assert Worker.count(queue=Queue(QUEUE, connection=bench.redis)) == 1
    [job_id] = hold(bench, "again")
    let_go(bench, "again")
    bench.wait_job(job_id, JobStatus.FINISHED)


def test_a_suspended_worker_that_redis_forgot_is_still_shown_as_suspended(bench: Bench) -> None:
    with bench.suspended():
        [worker] = Worker.all(connection=bench.redis)
        bench.redis.delete(worker.key)
        wait_until(lambda: bench.redis.hexists(worker.key, "birth"), BEAT + PATIENCE, "the worker to register again")
        wait_until(lambda: bench.redis.hexists(worker.key, "state"), PATIENCE, "its state")
        assert bench.redis.hget(worker.key, "state") == b"suspended"


def test_after_a_restart_of_redis_jobs_and_commands_come_through(bench: Bench) -> None:
    bench.redis_server.kill()
    bench.redis_server.start()
    wait_until(lambda: Worker.all(connection=bench.redis), BEAT + PATIENCE, "the worker to register again")
    [job_id] = hold(bench, "restarted")

    def stopped() -> bool:
        send_stop_job_command(bench.redis, job_id, serializer=JSONSerializer)
        return bench.job(job_id).get_status() is JobStatus.STOPPED

    wait_until(stopped, PATIENCE, "a command to be heard")


def test_a_job_that_was_taken_and_not_begun_is_queued_again(bench: Bench, worker: WorkerProcess) -> None:
    """Its worker died in between, or the reply that named it was lost."""
    with bench.suspended():
        job_id = bench.enqueue("tests.workers.sample_jobs.fail", "at last").id
        assert bench.redis.lmove(bench.queue.key, bench.queue.intermediate_queue_key) == job_id.encode()
        wait_until(lambda: bench.queue.job_ids == [job_id], PATIENCE, "the job to be queued again")
        assert bench.redis.llen(bench.queue.intermediate_queue_key) == 0
    bench.wait_job(job_id, JobStatus.FAILED)
    assert "a job was taken and not begun; it is queued again" in worker.log
