"""What stands around a worker: Redis, a database, a model; and the web process's part, done by hand."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rq.callbacks import Callback
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.suspension import resume, suspend
from rq.utils import as_text

from conversations import MessageRecord, open_store
from streams import (
    Recording,
    StreamControl,
    StreamNotFound,
    StreamSettings,
    StreamWriter,
    StreamWriters,
    Subscriber,
    connect,
    keys,
)
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import RedisServer, running_redis
from tests.support.scripted_model import Json, ScriptedModel, running_scripted_model
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess, running_worker

OWNER = "somebody"
QUEUE = "generations"
PATIENCE = 120.0  # seconds; nothing here takes one, but the machine may have other things to do


class Bench:
    """One Redis, one database, one model, and any number of workers on them."""

    def __init__(self, redis_server: RedisServer, model: ScriptedModel, folder: Path) -> None:
        self.redis_server = redis_server
        self.model = model
        self.folder = folder
        self.database_url = migrated(new_sqlite(folder))
        self.redis = connect(redis_server.url)
        self.store = open_store(self.database_url)
        self.control = StreamControl(self.redis, StreamSettings())
        self.queue = Queue(QUEUE, connection=self.redis, serializer=JSONSerializer)
        self._running: set[int] = set()  # RQ knows one that was killed for a minute longer

    def close(self) -> None:
        self.store.close()
        self.redis.close()

    @contextmanager
    def worker(self, *, module: str = "tests.workers.with_sample_jobs", **environment: str) -> Iterator[WorkerProcess]:
        """A worker on this bench; `environment` holds settings other than the usual."""
        usual = {
            "REDIS_URL": self.redis_server.url,
            "DATABASE_URL": self.database_url,
            "OPENAI_BASE_URL": self.model.base_url,
        }
        with running_worker(self.folder, module=module, **{**usual, **environment}) as worker:
            pid = worker.process.pid
            # It says that it serves a moment before RQ knows it and its state, which a test may look at first of all.
            wait_until(lambda: self._state(pid), PATIENCE, "the worker to register")
            self._running.add(pid)
            try:
                yield worker
            finally:
                self._running.discard(pid)

    def send(self, script: Json | None = None, *, content: str = "Hello", model: str = "scripted") -> str:
        """Ask a question, which the model answers by this script; return the stream."""
        if script is not None:
            self.model.script(script)
        stream_id = f"st_{secrets.token_hex(8)}"
        conversation = self.store.create_conversation(OWNER, system_prompt="Be brief.")
        self.store.send(OWNER, conversation.id, content, stream_id=stream_id, model=model)
        self.control.announce(stream_id)
        self.enqueue("workers.jobs.generate", stream_id, job_id=stream_id)
        return stream_id

    def enqueue(
        self,
        function: str,
        *args: str,
        job_id: str | None = None,
        timeout: int = 60,
        on_stopped: Callback | None = None,
    ) -> Job:
        """A job of any kind for the workers."""
        return self.queue.enqueue_call(
            function, args=args, job_id=job_id, timeout=timeout, result_ttl=60, on_stopped=on_stopped
        )

    def recording(self, stream_id: str) -> Recording | None:
        """What Redis holds of the stream; None if it holds nothing."""
        try:
            return self.control.read(stream_id)
        except StreamNotFound:
            return None

    def wait_for_text(self, stream_id: str, text: str) -> None:
        what = f"the text {text!r}"
        wait_until(lambda: (found := self.recording(stream_id)) and found.text == text, PATIENCE, what)

    def wait_ended(self, stream_id: str, timeout: float = PATIENCE) -> Recording:
        def ended() -> Recording | None:
            found = self.recording(stream_id)
            return found if found and found.end else None

        found = wait_until(ended, timeout, what=f"the end of {stream_id}")
        assert found is not None
        return found

    def message(self, stream_id: str) -> MessageRecord:
        """The answer of this stream, as the database has it."""
        for summary in self.store.list_conversations(OWNER, limit=200).items:
            for message in self.store.conversation(OWNER, summary.id).messages:
                if message.stream_id == stream_id:
                    return message
        raise LookupError(stream_id)

    def wait_saved(self, stream_id: str, timeout: float = PATIENCE) -> MessageRecord:
        """The answer, once the database has its end."""

        def saved() -> MessageRecord | None:
            message = self.message(stream_id)
            return message if message.ended_at else None

        found = wait_until(saved, timeout, what=f"{stream_id} to be saved")
        assert found is not None
        return found

    @contextmanager
    def taken_over(self, stream_id: str) -> Iterator[StreamWriter]:
        """Another writer of the stream, as a second worker would be."""
        writers = StreamWriters(self.redis, StreamSettings(lease=PATIENCE))
        writers.start()
        try:
            with writers.open(stream_id, take_over=True) as writer:
                yield writer
        finally:
            writers.close()

    @contextmanager
    def watching(self, conversation_id: str, heard: Callable[[int], None]) -> Iterator[None]:
        """Hear of every version of a conversation that is announced."""
        subscriber = Subscriber(self.redis)
        subscribed = threading.Event()
        subscriber.add(keys.conversation(conversation_id), lambda payload: heard(int(payload)), subscribed.set)
        subscriber.start()
        try:
            assert subscribed.wait(60)
            yield
        finally:
            subscriber.close()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """No worker takes a job during the block (`rq suspend`, `rq resume`)."""
        assert self._running
        suspend(self.redis)
        wait_until(lambda: all(self._state(pid) == "suspended" for pid in self._running), PATIENCE, "workers to pause")
        try:
            yield
        finally:
            self.resume()

    def resume(self) -> None:
        resume(self.redis)

    def workers(self) -> list[dict[str, str]]:
        """The workers that RQ knows, as they have registered."""
        found = (self.redis.hgetall(key) for key in self.redis.smembers("rq:workers"))
        return [{as_text(name): as_text(value) for name, value in worker.items()} for worker in found]

    def _state(self, pid: int) -> str | None:
        return next((worker.get("state") for worker in self.workers() if worker.get("pid") == str(pid)), None)

    def job(self, job_id: str) -> Job:
        return Job.fetch(job_id, connection=self.redis, serializer=JSONSerializer)

    def wait_job(self, job_id: str, status: JobStatus, timeout: float = PATIENCE) -> Job:
        """The job, once it has this status."""
        wait_until(lambda: self.job(job_id).get_status() is status, timeout, what=f"{job_id} to be {status}")
        return self.job(job_id)

    def wait_disconnected(self) -> None:
        """Wait until the model has seen that its last client went."""
        last = len(self.model.requests()) - 1
        wait_until(
            lambda: self.model.requests()[last]["state"] == "disconnected", PATIENCE, "the connection to be closed"
        )


@contextmanager
def running_bench(folder: Path) -> Iterator[Bench]:
    with running_redis() as redis_server, running_scripted_model() as model:
        bench = Bench(redis_server, model, folder)
        try:
            yield bench
        finally:
            bench.close()
