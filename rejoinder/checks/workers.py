"""The workers and their queue, as RQ records them."""

from collections import Counter
from contextlib import closing

import redis

from jobs.inspection import QueueSight, look_at_queue
from rejoinder.checks.findings import Finding, ok, skipped, warning, wrong
from rejoinder.checks.redis_server import PATIENCE
from rejoinder.words import duration
from streams import connect

ABOUT = "workers"
LONG = 30.0  # seconds; a free worker takes a job within milliseconds


def check_workers(redis_url: str, queue: str) -> list[Finding]:
    try:
        with closing(connect(redis_url, retries=0, reply_timeout=PATIENCE)) as client:
            sight = look_at_queue(client, queue)
    except redis.RedisError:
        return [skipped(ABOUT, "not looked at: Redis does not answer")]
    return [_alive(sight, queue), _waiting(sight, queue)]


def _alive(sight: QueueSight, queue: str) -> Finding:
    if not sight.workers:
        mend = "Start one: `python -m workers`, with the same REDIS_URL and RQ_QUEUE."
        return wrong(ABOUT, f"none serves the queue “{queue}”: no question is answered", mend)
    states = Counter(worker.state for worker in sight.workers)
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    return ok(ABOUT, f"{len(sight.workers)} on the queue “{queue}” ({told}); generations running: {sight.running}")


def _waiting(sight: QueueSight, queue: str) -> Finding:
    if sight.waiting and sight.oldest is not None and sight.oldest > LONG and sight.workers:
        found = f"questions that wait in “{queue}”: {sight.waiting}, the first one for {duration(sight.oldest)}"
        return warning(ABOUT, found, "Start more workers, or raise WORKER_CONCURRENCY.")
    return ok(ABOUT, f"questions that wait: {sight.waiting}")
