"""How long each process takes to start: after a deploy, a crash, or a daily restart somebody waits for it."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from statistics import median

import psutil

from benchmarks.stage import Stage, cpu_seconds, megabytes
from benchmarks.table import Table
from tests.support.database import migrated, new_sqlite
from tests.support.web_process import WebProcess, running_web
from tests.support.worker_process import WorkerProcess, running_worker

TIMES = 3


def start_up(stage: Stage) -> Table:
    """From the command to the first answer, or to the first job that could be taken."""
    table = Table("start-up", "Starting: until it serves", ("process", "ms", "CPU ms", "MB"))
    table.begin()
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        took.append(time.perf_counter() - begun)
    table.add("Python, which does nothing", 1000 * median(took), None, None)
    database_url = migrated(new_sqlite(stage.folder))
    redis_url, log = stage.redis_server.url, stage.folder / "web.log"
    _row(table, "web", lambda: running_web(redis_url=redis_url, database_url=database_url, log=log))
    settings = {"REDIS_URL": redis_url, "DATABASE_URL": database_url, "OPENAI_BASE_URL": stage.model.base_url}
    _row(table, "worker", lambda: running_worker(stage.folder, **settings))
    return table


def _row(table: Table, name: str, start: Callable[[], AbstractContextManager[WebProcess | WorkerProcess]]) -> None:
    took, spent, held = [], [], []
    for _ in range(TIMES):
        begun = time.perf_counter()
        with start() as started:
            took.append(time.perf_counter() - begun)
            process = psutil.Process(started.process.pid)
            processes = [process, *process.children(recursive=True)]
            spent.append(cpu_seconds(processes))
            held.append(megabytes(processes))
    table.add(name, 1000 * median(took), 1000 * median(spent), median(held))
