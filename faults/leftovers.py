"""What processes still hold when the last viewer has gone: nothing, or it grows for ever."""

from dataclasses import dataclass
from functools import partial

import httpx2
import psutil
from rq.utils import as_text

from faults.stack import ADMIN_PASSWORD, Stack
from streams import keys
from tests.support.waiting import wait_until
from tests.support.web_process import WebProcess
from tests.support.worker_process import WorkerProcess

GONE_AFTER = 90.0  # seconds: a stream that nobody watches is held for 30, and a socket without pongs for 50
SPARE_GREENLETS = 30  # the threads in which a database is asked, up to ten, have two or three each
SPARE_FILES = 30  # connections that are kept for whoever comes next: ten of SQLite (two files each), Redis, the model …
SPARE_FILES_EACH = 6  # … and to each server of a cluster that was a primary once
SPARE_THREADS = 20  # in which a worker asks its database


@dataclass(frozen=True, slots=True)
class WebHolds:
    """What a web process has."""

    connections: int
    tails: int
    viewers: int
    subscriptions: int
    greenlets: int
    files: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class WorkerHolds:
    """What a worker has."""

    files: int
    threads: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Held:
    """What one of each has."""

    web: WebHolds
    worker: WorkerHolds


def held_by(stack: Stack) -> Held:
    """What the first of each kind has now."""
    return Held(_held_by_web(stack.webs[0]), _held_by_worker(stack.workers[0]))


def leftovers(stack: Stack, new: Held) -> list[str]:
    """Wait until everything is gone; what is not, in words. `new` is what processes have that nobody has used yet."""
    files = SPARE_FILES + (SPARE_FILES_EACH * len(stack.cluster.servers) if stack.cluster else 0)
    looks = [(web.log.name, partial(_left_in_web, web, new.web, files)) for web in stack.webs]
    looks += [
        (f"worker {worker.process.pid}", partial(_left_in_worker, worker, new.worker, files))
        for worker in stack.workers
    ]
    complaints: list[str] = []
    for name, look in looks:
        try:
            wait_until(lambda: not look(), GONE_AFTER, "everything to be gone")  # noqa: B023  it is called at once
        except TimeoutError:
            complaints += [f"{name}: {what}" for what in look()]
    channels = {
        as_text(channel) for server in stack.redis_servers for channel in server.pubsub_shardchannels("rejoinder:*")
    } - {keys.CONTROL}
    return complaints + [f"somebody still listens to {channel}" for channel in sorted(channels)]


def _held_by_web(web: WebProcess) -> WebHolds:
    url = f"http://127.0.0.1:{web.port}/vitals"
    response = httpx2.get(url, auth=("admin", ADMIN_PASSWORD), timeout=30)
    response.raise_for_status()
    [process] = web.children()
    return WebHolds(**response.json(), files=process.num_fds(), megabytes=process.memory_info().rss / 1e6)


def _held_by_worker(worker: WorkerProcess) -> WorkerHolds:
    process = psutil.Process(worker.process.pid)
    return WorkerHolds(process.num_fds(), process.num_threads(), process.memory_info().rss / 1e6)


def _left_in_web(web: WebProcess, new: WebHolds, files: int) -> list[str]:
    held = _held_by_web(web)
    return _too_many(
        {
            "connections": held.connections,
            "tails": held.tails,
            "viewers": held.viewers,
            "subscriptions": held.subscriptions,
            "greenlets": held.greenlets - new.greenlets - SPARE_GREENLETS,
            "open files": held.files - new.files - files,
        }
    )


def _left_in_worker(worker: WorkerProcess, new: WorkerHolds, files: int) -> list[str]:
    held = _held_by_worker(worker)
    return _too_many(
        {"open files": held.files - new.files - files, "threads": held.threads - new.threads - SPARE_THREADS}
    )


def _too_many(left: dict[str, int]) -> list[str]:
    return [f"{count} {what} too many" for what, count in left.items() if count > 0]
