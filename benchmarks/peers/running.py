"""A peer that runs: its processes, from the first to the last."""

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil

from benchmarks.peers.peer import Peer, Program
from tests.support.ports import free_port
from tests.support.waiting import wait_until

START_LIMIT = 120.0  # seconds; a start takes two, and a machine that does much else far longer
LEAVING = 3.0  # seconds for leaving by itself


class RunningPeer:
    """The processes of a peer. Each of them says what it has to say in a file of the folder."""

    def __init__(self, peer: Peer, environment: dict[str, str], folder: Path) -> None:
        self.peer = peer
        self.port = int(environment["PORT"])
        self._log = folder / f"{peer.name}.log"
        self._web = self._start(peer.web, environment)
        self._worker = self._start(peer.worker, environment) if peer.worker else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self, stream: str, content: str) -> None:
        """Start a generation, for the peers that are followed."""
        if (status := self._ask("POST", f"/streams/{stream}", {"content": content})) != 202:
            raise RuntimeError(f"{self.peer.name} answered {status}:\n{self._log.read_text()}")

    def web_processes(self) -> list[psutil.Process]:
        """Those that serve: of a master and its children, the children."""
        process = psutil.Process(self._web.pid)
        return process.children(recursive=True) or [process]

    def worker_processes(self) -> list[psutil.Process]:
        """Those that ask the model, apart from the web processes.

        A forking worker's children come and go with the jobs, and those that are gone are in its own `children_user`
        and `children_system` times: all four times of all of them together are what the jobs have cost.
        """
        if self._worker is None:
            return []
        process = psutil.Process(self._worker.pid)
        return [process, *process.children(recursive=True)]

    def is_ready(self) -> bool:
        """Whether it says so. Raises RuntimeError, with its log, when one of its processes has ended."""
        for process in filter(None, (self._web, self._worker)):
            if process.poll() is not None:
                raise RuntimeError(f"{self.peer.name} ended with {process.returncode}:\n{self._log.read_text()}")
        try:
            return self._ask("GET", "/healthz") == 200
        except OSError:
            return False

    def stop(self) -> None:
        """Ask all to leave, and end those that stay."""
        started = list(filter(None, (self._web, self._worker)))
        everyone: set[psutil.Process] = set()
        for process in started:
            if process.poll() is None:
                root = psutil.Process(process.pid)
                everyone |= {root, *root.children(recursive=True)}
                root.terminate()
        _, staying = psutil.wait_procs(everyone, LEAVING)
        for each in staying:
            each.kill()
        psutil.wait_procs(staying)
        for process in started:
            process.wait()

    def _start(self, program: Program, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(program.command, cwd=program.folder, env=environment, stdout=log, stderr=log)

    def _ask(self, method: str, path: str, body: object = None) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def running(peer: Peer, *, redis_url: str, model_url: str, folder: Path, workers: int = 1) -> Iterator[RunningPeer]:
    """A peer that is ready, for the length of the block, with its packages installed first if need be.

    `model_url` is an OpenAI-compatible server's, as OPENAI_BASE_URL names it. `workers` is for a peer with workers
    that do one job at a time: how many.
    """
    peer.install()
    allow_many_sockets()
    # Only what is said here: a variable of the machine must not decide a comparison.
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(free_port()),
        "REDIS_URL": redis_url,
        "OPENAI_BASE_URL": model_url,
        "OPENAI_API_KEY": "none",
        "WORKERS": str(workers),
    }
    started = RunningPeer(peer, environment, folder)
    try:
        wait_until(started.is_ready, START_LIMIT, f"{peer.name} to be ready")
        yield started
    finally:
        started.stop()


def allow_many_sockets() -> None:
    """A thousand viewers are a thousand sockets and more, and the usual soft limit is 1,024. Children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if most == resource.RLIM_INFINITY else min(most, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), most))
