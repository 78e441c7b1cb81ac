"""An RQ worker that runs many jobs at once in one process: a greenlet for each, because a generation mostly waits.

To RQ, its commands and rq-dashboard it is a worker like others. RQ's own workers run one job at a time, so some of
what they keep once per worker is kept here once per job. All that we hold of RQ's inside is in this file, and each hold
has a test in tests/workers/test_worker.py that fails when a new RQ moves it:

    death_penalty_class     one SIGALRM serves one job               -> a gevent.Timeout in each job's greenlet
    work                    takes a job, runs it, takes the next     -> takes jobs while there are free slots
    handle_payload, request_stop_execution, _finalize_failure, _stopped_job_id
                            a stop hits "the" job of the worker      -> it hits the greenlet of the job that is named
    the intermediate queue  a job that is stuck there fails  -> it is queued again, within seconds
    handle_exception        a traceback for all of them      -> only for what was not meant
    prepare_job_execution   notes that a job begins after it has noted who runs it -> both in one round trip
    serialize               knows of one job at a time       -> says how many there may be
    set_state               says idle after every job                -> says busy while there are jobs
    get_heartbeat_ttl, heartbeat, _pubsub_exception_handler
                            a minute of grace; gives up without Redis -> seconds; registers again when Redis forgot us
"""

# RQ and gevent say the types of some of their functions only.
# mypy: disable-error-code="no-untyped-call, misc"

import logging
import signal
import time
from collections.abc import Callable, Collection
from datetime import UTC
from typing import Any

import gevent
import redis
from gevent.event import Event
from gevent.local import local
from gevent.pool import Pool
from rq.callbacks import execute_stopped_callback
from rq.command import handle_command, parse_payload
from rq.exceptions import DequeueTimeout
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.timeouts import BaseDeathPenalty, JobTimeoutException
from rq.utils import as_text
from rq.worker.base import BaseWorker, WorkerStatus

from jobs import SERIALIZER
from telemetry import context, traces
from workers.known_jobs import only

__all__ = ["GreenletWorker", "JobStopped", "JobTimeoutException", "ShuttingDown"]

log = logging.getLogger(__name__)

BEAT = 5  # seconds between heartbeats; RQ wants whole ones
TTL = 3 * BEAT  # seconds without one after which a worker and its jobs count as dead: two may be lost
DEQUEUE_TIMEOUT = 1  # seconds; RQ wants whole ones. Also the longest that a stop has to wait for the loop
SAME_SIGNAL = 1.0  # seconds; a second signal so soon is the same Ctrl-C, from the terminal and from a process manager
SAVING = 4.0  # seconds for interrupted jobs to end; Heroku kills 30 s after the signal, and 25 are given before
PUT_BACK = """
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
return redis.call('LPUSH', KEYS[2], ARGV[1])
"""
LONGEST_DELAY = 5.0  # seconds between attempts to take a job while Redis is away


class JobStopped(BaseException):
    """Someone sent RQ's stop command for this job. Not an Exception: no job shall take it for a failure of its own."""


class ShuttingDown(BaseException):
    """The worker leaves, and this job has used up its grace."""


class JobGreenlet(gevent.Greenlet):
    """Runs one job. It can be interrupted while the job's own code runs, never in the middle of RQ's bookkeeping."""

    def __init__(self, worker: "GreenletWorker", job: Job, queue: Queue) -> None:
        super().__init__(worker.execute_job, job, queue)
        self.job_id = job.id
        self._begun = self._performing = False
        self._interruption: BaseException | None = None

    def interrupt(self, why: BaseException) -> None:
        """Raise this where the job stands; as soon as it begins, if it has not; not at all, if it is over."""
        self._interruption = why
        gevent.get_hub().loop.run_callback(self._throw, why)

    def begin(self) -> None:
        if not self._begun:  # Callbacks come later, and have a time limit too.
            self._begun = self._performing = True
            if self._interruption is not None:
                raise self._interruption

    def finish(self) -> None:
        self._performing = False

    def _throw(self, why: BaseException) -> None:
        if self._performing and not self.dead:
            self.throw(why)


class GreenletDeathPenalty(BaseDeathPenalty):
    """RQ's time limit, for the greenlet that enters it."""

    def setup_death_penalty(self) -> None:
        error = self._exception(f"Task exceeded maximum timeout value ({self._timeout} seconds)")
        seconds = self._timeout if self._timeout and self._timeout > 0 else None  # RQ's -1 means no limit
        greenlet = gevent.getcurrent()
        if isinstance(greenlet, JobGreenlet):
            greenlet.begin()
        self._timer = gevent.Timeout.start_new(seconds, error)

    def cancel_death_penalty(self) -> None:
        greenlet = gevent.getcurrent()
        if isinstance(greenlet, JobGreenlet):
            greenlet.finish()
        self._timer.close()


class GreenletWorker(BaseWorker):
    """Serves one queue. `work` returns after SIGTERM or SIGINT, when its jobs are done or have been interrupted."""

    death_penalty_class = GreenletDeathPenalty

    def __init__(
        self,
        queue: str,
        client: "redis.Redis",
        *,
        concurrency: int,
        shutdown_grace: float,
        functions: Collection[str],
        taken: Callable[[str], None] = lambda _job_id: None,
        waited: Callable[[float], object] = lambda _seconds: None,
        expected: tuple[type[Exception], ...] = (),
    ) -> None:
        """`client` becomes the worker's own: RQ changes its timeouts. `taken` is told the id of each job taken,
        `waited` how many seconds it had been in the queue.

        Of jobs only those of these `functions` are run. They may raise what is `expected`: to RQ they have failed, and
        the log has no traceback of it.
        """
        self._of_this_job = local()
        super().__init__(
            queue,
            connection=client,
            serializer=SERIALIZER,
            job_class=only(functions),
            job_monitoring_interval=BEAT,
            maintenance_interval=TTL,
            worker_ttl=TTL,
        )
        self._shutdown_grace = shutdown_grace
        self._taken = taken
        self._waited = waited
        self._expected = (*expected, ShuttingDown, JobTimeoutException)
        self._jobs = Pool(concurrency)
        self._not_begun: set[str] = set()  # jobs that some worker had taken, and not begun, at the last heartbeat
        self._put_back = client.register_script(PUT_BACK)
        self._look_again = 0.0  # when, whether it is suspended
        self._stopping = Event()
        self._stopping_since = 0.0
        self._cold = Event()

    # -- the loop

    def work(self, *_args: Any, **_kwargs: Any) -> bool:
        """Take and run jobs until a signal comes."""
        gevent.signal_handler(signal.SIGTERM, self.request_stop, signal.SIGTERM, None)
        gevent.signal_handler(signal.SIGINT, self.request_stop, signal.SIGINT, None)
        self.bootstrap(None)
        beating = gevent.spawn(self._beat_forever)
        failures = 0
        try:
            while not self._stop_requested:
                try:
                    self._take_a_job()
                    failures = 0
                except redis.RedisError as error:
                    failures += 1
                    delay = min(LONGEST_DELAY, 0.1 * 2.0**failures)
                    log.warning("no jobs from Redis, trying again: %s", error, extra={"seconds": delay})
                    self._stopping.wait(delay)
                except Exception:  # one job that cannot be read must not end all the others
                    failures += 1
                    log.exception("a job could not be taken")
                    self._stopping.wait(min(LONGEST_DELAY, 0.1 * 2.0**failures))
            self._let_jobs_end()
        finally:
            beating.kill()
            try:
                self.teardown()
            except redis.RedisError as error:
                log.warning("could not sign off: %s", error)
        return True

    def _take_a_job(self) -> None:
        if time.monotonic() >= self._look_again:  # not with each job: what has just begun would wait for it
            self.check_for_suspension(burst=False)
            self._look_again = time.monotonic() + DEQUEUE_TIMEOUT
        if self._jobs.wait_available(timeout=DEQUEUE_TIMEOUT) <= 0:
            return
        try:
            taken = self.queue_class.dequeue_any(
                self.queues,
                DEQUEUE_TIMEOUT,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            return
        assert taken is not None, "a dequeue with a timeout returns a job or raises"
        job, queue = taken
        job.redis_server_version = self.get_redis_server_version()
        if self._stop_requested:
            self._give_back(job, queue)
        else:
            self._jobs.start(JobGreenlet(self, job, queue))
            gevent.sleep(0)  # first it begins, then others are told, and the next is asked for
            if (queued_at := _queued_at(job)) is not None:
                self._waited(max(0.0, time.time() - queued_at))
            try:
                self._taken(job.id)
            except redis.RedisError as error:
                log.warning("not told that a job was taken: %s", error, extra={"job_id": job.id})

    def _give_back(self, job: Job, queue: Queue) -> None:
        """A job that was taken and has not begun: another worker takes it, or this one again."""
        with self.connection.pipeline() as pipeline:
            queue.push_job_id(job.id, pipeline=pipeline, at_front=True)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.execute()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run it in this greenlet, and tell RQ how it went."""
        execution = None
        try:
            execution = self._prepared(job, queue)
            if execution is not None:
                with context.unpacked(job.meta):
                    with traces.span("queued", begun=_queued_at(job)):
                        pass  # until now
                    self.perform_job(job, queue, execution)
        except redis.RedisError as error:
            log.error("RQ was not told how the job went: %s", error, extra={"job_id": job.id})
        finally:
            if execution is not None:
                self.executions.pop(execution.id, None)
            try:
                self.set_state(WorkerStatus.IDLE)
            except redis.RedisError as error:
                log.warning("state not shown: %s", error)

    def _prepared(self, job: Job, queue: Queue) -> Execution | None:
        """RQ's record of this run; None where Redis does not take it, and the job was given back instead."""
        attempt = 0
        while True:
            try:
                return self._noted(job, queue)
            except redis.RedisError as error:
                attempt += 1
                log.warning("a job could not begin, giving it back: %s", error, extra={"job_id": job.id})
                self._forget_executions(job)
            gevent.sleep(min(LONGEST_DELAY, 0.1 * 2.0**attempt))
            try:
                self._give_back(job, queue)
            except redis.RedisError:
                continue
            return None

    def _noted(self, job: Job, queue: Queue) -> Execution:
        """As RQ's prepare_execution and prepare_job_execution do, one after the other."""
        with self.connection.pipeline() as pipeline:
            execution = Execution.create(job, TTL, pipeline, self.name)
            self.executions[execution.id] = execution
            self.set_state(WorkerStatus.BUSY, pipeline)
            job.prepare_for_execution(self.name, pipeline)
            pipeline.persist(job.key)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.execute()
        return execution

    def prepare_job_execution(self, *_args: Any, **_kwargs: Any) -> None:
        """It was noted before."""

    def _forget_executions(self, job: Job) -> None:
        """RQ notes one before it asks Redis; left there, this worker would count as busy with it for ever."""
        for execution in list(self.executions.values()):
            if execution.job_id == job.id:
                self.executions.pop(execution.id, None)

    def _rescue_jobs(self) -> None:
        """Put back what some worker took off the queue and did not begin: it died there, or never heard what it took.

        RQ fails such a job after a minute. Nobody was asked anything yet, so whoever waits need not lose by it; and
        should its worker be only slow, a stream is begun once.
        """
        for queue in self.queues:
            there = set(map(as_text, self.connection.lrange(queue.intermediate_queue_key, 0, -1)))
            for job_id in self._not_begun & there:
                if self._put_back(keys=[queue.intermediate_queue_key, queue.key], args=[job_id]):
                    log.warning("a job was taken and not begun; it is queued again", extra={"job_id": job_id})
            self._not_begun = there

    # -- stopping jobs

    def handle_payload(self, message: dict[Any, Any]) -> None:
        """A command for this worker, in the greenlet that listens for them."""
        payload = parse_payload(message)
        if payload["command"] == "stop-job":
            self._interrupt(payload["job_id"])
        else:
            handle_command(self, payload)

    def request_stop_execution(self, execution_id: str) -> None:
        if execution := self.executions.get(execution_id):
            self._interrupt(execution.job_id)

    def _interrupt(self, job_id: str) -> None:
        found = [greenlet for greenlet in self._jobs if greenlet.job_id == job_id]
        for greenlet in found:
            greenlet.interrupt(JobStopped())
        if not found:
            log.warning("no such job here, stop ignored", extra={"job_id": job_id})

    @property
    def _stopped_job_id(self) -> str | None:
        return getattr(self._of_this_job, "stopped_job_id", None)

    @_stopped_job_id.setter
    def _stopped_job_id(self, job_id: str | None) -> None:
        self._of_this_job.stopped_job_id = job_id

    def _finalize_failure(self, job: Job, queue: Queue, execution: Execution, exc_info: Any) -> None:
        if exc_info[0] is not JobStopped:
            super()._finalize_failure(job, queue, execution, exc_info)
            return
        self.handle_execution_ended(job, queue, job.stopped_callback_timeout)
        execute_stopped_callback(job, self.death_penalty_class)
        self._stopped_job_id = job.id
        self.handle_job_failure(job, queue, exc_string="Stopped on request.", execution=execution)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        if issubclass(exc_info[0], redis.RedisError):
            log.error("a job lost its way to Redis: %s", exc_info[1], extra={"job_id": job.id})
        elif not issubclass(exc_info[0], self._expected):
            super().handle_exception(job, *exc_info)

    # -- leaving

    def request_stop(self, signum: int, _frame: Any) -> None:
        """First signal: take no more jobs, let those that run go on for a while. Second: interrupt them now."""
        if not self._stop_requested:
            self._stop_requested = True
            self._stopping_since = time.monotonic()
            log.info("leaving", extra={"signal": signal.Signals(signum).name, "jobs": len(self._jobs)})
            self._stopping.set()
        elif time.monotonic() - self._stopping_since > SAME_SIGNAL:
            log.info("leaving at once", extra={"signal": signal.Signals(signum).name, "jobs": len(self._jobs)})
            self._cold.set()

    def _let_jobs_end(self) -> None:
        ended = gevent.spawn(self._jobs.join)
        grace = self._stopping_since + self._shutdown_grace - time.monotonic()
        gevent.wait([ended, self._cold], timeout=max(0.0, grace), count=1)
        for greenlet in self._jobs:
            greenlet.interrupt(ShuttingDown())
        gevent.wait([ended], timeout=SAVING)
        if self._jobs:
            log.error("left before these jobs had ended", extra={"jobs": len(self._jobs)})

    # -- being seen

    def serialize(self) -> dict[str, Any]:
        """What Redis knows of this worker: how many jobs it may run at once, too."""
        return {**super().serialize(), "concurrency": self._jobs.size}

    def set_state(self, state: str, pipeline: Any = None) -> None:
        if state in (WorkerStatus.IDLE, WorkerStatus.BUSY):
            state = WorkerStatus.BUSY if self.executions else WorkerStatus.IDLE
        super().set_state(state, pipeline=pipeline)

    def procline(self, message: str) -> None:
        """The process does not rename itself after one of its many jobs."""

    def get_heartbeat_ttl(self, *_args: Any, **_kwargs: Any) -> int:
        return TTL

    def heartbeat(self, _timeout: int | None = None, pipeline: Any = None) -> None:
        super().heartbeat(TTL, pipeline)

    def _beat_forever(self) -> None:
        while True:
            gevent.sleep(BEAT)
            try:
                self._register_again_if_forgotten()
                self.heartbeat()
                for execution in list(self.executions.values()):
                    if execution.id in self.executions:
                        self.maintain_heartbeats(execution.job, execution)
                self._rescue_jobs()
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()
            except redis.RedisError as error:
                log.warning("heartbeat not delivered: %s", error)
            except Exception:  # without heartbeats RQ calls all of this worker's jobs abandoned
                log.exception("heartbeat failed")

    def _register_again_if_forgotten(self) -> None:
        if not self.connection.hexists(self.key, "birth"):
            log.warning("Redis has forgotten this worker, registering again")
            self.connection.delete(self.key)
            self.register_birth()
            self.set_state(self.get_state())  # it may be suspended

    def _pubsub_exception_handler(self, error: Exception, *_args: Any) -> None:
        if not isinstance(error, redis.RedisError):
            raise error
        log.warning("not listening for commands, trying again: %s", error)
        gevent.sleep(1)


def _queued_at(job: Job) -> float | None:
    """Seconds since 1970, by the clock of whoever queued it."""
    return job.enqueued_at.replace(tzinfo=UTC).timestamp() if job.enqueued_at is not None else None
