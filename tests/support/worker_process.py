"""A real worker process, with a Redis, a database and a model of the test's own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.generous import LEASE
from tests.support.waiting import wait_until

PROJECT = Path(__file__).parents[2]
START = 240.0  # seconds; three of them are enough, but not on a machine that is busy with other things


class WorkerProcess:
    """One run of `python -m workers`."""

    def __init__(
        self,
        environment: dict[str, str],
        log: Path,
        python: str = sys.executable,
        module: str = "workers",
        project: Path = PROJECT,
    ) -> None:
        self._log = log
        self.metrics_port = environment.get("METRICS_PORT")
        # Only what is said here: a variable of the machine must not decide a test.
        # Titles are requests too, and tests count those: who wants titles asks for them.
        environment = {"PATH": os.environ["PATH"], "TITLE_MODEL": "none", "LOG_FORMAT": "text", **environment}
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [python, "-m", module], cwd=project, env=environment, stdout=file, stderr=file
            )

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def wait_until_serving(self) -> None:
        wait_until(lambda: "serving" in self.log or self.process.poll() is not None, START, "the worker to serve")
        if self.process.poll() is not None:
            raise RuntimeError(f"the worker did not start:\n{self.log}")

    def terminate(self) -> None:
        """Ask it to leave, as a deployment does (SIGTERM)."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does (SIGKILL)."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Stop it from doing anything, as a machine that swaps does (SIGSTOP)."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def wait(self, timeout: float = 60.0) -> int:
        """Wait for its end; return the exit code."""
        return self.process.wait(timeout)


@contextmanager
def started_worker(
    folder: Path, *, python: str = sys.executable, module: str = "workers", **environment: str
) -> Iterator[WorkerProcess]:
    """A worker for the length of the block, which may not serve yet. Its log is in `folder`, and its lease is long."""
    number = len(list(folder.glob("worker-*.log")))
    worker = WorkerProcess({"STREAM_LEASE": LEASE, **environment}, folder / f"worker-{number}.log", python, module)
    try:
        yield worker
    finally:
        worker.kill()


@contextmanager
def running_worker(
    folder: Path, *, python: str = sys.executable, module: str = "workers", **environment: str
) -> Iterator[WorkerProcess]:
    """A worker that serves, for the length of the block; `environment` holds its settings."""
    with started_worker(folder, python=python, module=module, **environment) as worker:
        worker.wait_until_serving()
        yield worker
