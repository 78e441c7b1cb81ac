"""A real web process: gunicorn with its gevent worker, as a deployment runs it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil

from tests.support.generous import GENEROUS, LEASE
from tests.support.ports import free_port
from tests.support.waiting import wait_until

WEB, DASHBOARD = "webapp.wsgi:app", "webapp.dashboard_wsgi:app"  # what gunicorn can run
PROJECT = Path(__file__).parents[2]
START_LIMIT = 180.0  # seconds; a start takes two, and a machine that runs much else at the same time far longer
SECRET_KEY = "not a secret, because it is only for tests"  # noqa: S105


class WebProcess:
    """One gunicorn on a port of its own. `log` is what it wrote."""

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path,
        python: str = sys.executable,
        app: str = WEB,
        project: Path = PROJECT,
    ) -> None:
        self.log = log
        self.port = free_port()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [python, "-m", "gunicorn", "-c", "webapp/gunicorn_conf.py", app],
                cwd=project,
                env={**os.environ, "LOG_FORMAT": "text", **environment, "PORT": str(self.port)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be killed as one
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_alive(self) -> bool:
        """Whether it answers. Raises RuntimeError, with its log, when it has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the web process ended with {self.process.returncode}:\n{self.log.read_text()}")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def children(self) -> list[psutil.Process]:
        """Its worker processes, which do the work."""
        return list(psutil.Process(self.process.pid).children())

    def terminate(self, timeout: float = 60.0) -> int:
        """Ask it to end as a platform does (SIGTERM), and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End it at once, if it has not ended, and its worker processes with it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def running_web(
    *,
    redis_url: str,
    database_url: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
    app: str = WEB,
) -> Iterator[WebProcess]:
    """A web process that answers, for the length of the block. The database has its tables already.

    Its limits are generous, and its lease is long, unless `environment` says otherwise.
    """
    places = {"REDIS_URL": redis_url, "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
    variables = {**places, **GENEROUS, "STREAM_LEASE": LEASE, **(environment or {})}
    web = WebProcess(variables, log, python, app)
    try:
        wait_until(web.is_alive, timeout=START_LIMIT, what="the web process to answer")
        yield web
    finally:
        web.kill()  # to leave takes it two seconds; those who want to see that call `terminate`
