"""`python -m benchmarks.peers.naive.worker`: RQ's own worker, which forks for each job, or WORKERS of them.

Imports what the job needs before the fork, as RQ's documentation advises: else each job would import it anew.
"""

import os

import redis
from rq import Worker
from rq.worker_pool import WorkerPool

from benchmarks.peers.naive import jobs, keys  # noqa: F401  imported before the fork


def main() -> None:
    workers = int(os.environ["WORKERS"])
    connection = redis.Redis.from_url(os.environ["REDIS_URL"])
    if workers == 1:
        Worker([keys.QUEUE], connection=connection).work(logging_level="WARNING")
    else:
        WorkerPool([keys.QUEUE], connection=connection, num_workers=workers).start(logging_level="WARNING")


if __name__ == "__main__":
    main()
