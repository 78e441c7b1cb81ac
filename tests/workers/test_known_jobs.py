"""Whoever can write into Redis cannot have a worker run what they like. The worker is the one that is deployed."""

import json
import os
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest
from rq.callbacks import Callback
from rq.job import Job
from rq.queue import Queue
from rq.serializers import DefaultSerializer
from rq.webhook import Webhook

from tests.support.waiting import wait_until
from tests.workers.bench import QUEUE, Bench

pytestmark = pytest.mark.timeout(400)


class Bomb:
    """Runs a command in whoever unpickles it."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Where whatever was run has left something."""
    folder = tmp_path / "traces"
    folder.mkdir()
    return folder


def failed(bench: Bench, job_id: str) -> bool:
    return bytes(bench.redis.hget(Job.key_for(job_id), "status") or b"") == b"failed"  # type: ignore[arg-type]


def test_the_bomb_would_go_off_where_it_is_unpickled(traces: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(f"touch {traces}/pickled")))  # noqa: S301
    assert list(traces.iterdir())


def test_what_is_planted_in_redis_is_not_run(bench: Bench, traces: Path) -> None:
    pickling = Queue(QUEUE, connection=bench.redis, serializer=DefaultSerializer)
    planted = [
        pickling.enqueue(os.system, f"touch {traces}/pickled").id,
        pickling.enqueue(os.path.join, Bomb(f"touch {traces}/unpickled")).id,
        bench.enqueue("os.system", f"touch {traces}/named").id,
        bench.enqueue("workers.jobs.generations", f"touch {traces}/another").id,
    ]
    callback = Callback("os.mkdir")
    called = bench.queue.enqueue("os.system", "true", on_failure=callback, on_success=callback).id
    listener = socket.create_server(("127.0.0.1", 0))
    webhook = Webhook(f"http://127.0.0.1:{listener.getsockname()[1]}/inside", job_status="failed")
    bench.redis.hset(Job.key_for(called), "webhooks", json.dumps([webhook.to_dict()]))
    with bench.worker(module="workers") as worker, listener:
        for job_id in (*planted, called):
            wait_until(lambda job_id=job_id: failed(bench, job_id), what=f"{job_id} to fail")  # type: ignore[misc]
        assert list(traces.iterdir()) == []
        assert "this worker does not run 'os.system'" in worker.log
        assert "this worker does not call 'os.mkdir' back" in worker.log
        wait_until(lambda: "this worker sends no webhooks" in worker.log, what="the last that is done of a job")
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        stream = bench.send()  # and it works on
        assert bench.wait_saved(stream).status == "finished"
