"""The `rejoinder` command as a process of its own, with nothing of this one's environment."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from tests.support.waiting import wait_until

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "rejoinder")
LIMIT = 240.0  # seconds; it takes two, but not on a machine that is busy with other things
AGAIN = 20.0  # seconds until Ctrl-C is pressed again

Ended = subprocess.CompletedProcess[bytes]


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Only what is said here, and where programs are."""
    return {"PATH": os.environ["PATH"], **environment}


def rejoinder(*arguments: str, environment: Mapping[str, str] | None = None, given: bytes = b"") -> Ended:
    """Run it to its end. `given` is its standard input."""
    command = [*COMMAND, *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=clean(environment or {}), input=given, capture_output=True, timeout=LIMIT, check=False
    )


class Running:
    """It while it runs: what it writes is there as it comes."""

    def __init__(self, *arguments: str, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=PROJECT,
            env=clean(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout
        assert self.process.stderr
        self._written: dict[str, bytes] = {"out": b"", "err": b""}
        self._threads = [
            threading.Thread(target=self._read, args=("out", self.process.stdout)),
            threading.Thread(target=self._read, args=("err", self.process.stderr)),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def out(self) -> bytes:
        """Its standard output so far."""
        return self._written["out"]

    @property
    def err(self) -> str:
        """Its standard error so far."""
        return self._written["err"].decode()

    def wait_for(self, out: bytes = b"", err: str = "") -> None:
        """Until these stand in what it has written."""
        wait_until(
            lambda: (out in self.out and err in self.err) or self.process.poll() is not None,
            LIMIT,
            f"{out!r} and {err!r}",
        )
        for thread in self._threads if self.process.poll() is not None else []:
            thread.join()
        assert out in self.out, (out, self.out, self.err)
        assert err in self.err, (err, self.err)

    def wait_for_more(self) -> None:
        """Until it has written more than now, or has ended."""
        held = len(self.out)
        wait_until(lambda: len(self.out) > held or self.process.poll() is not None, LIMIT, "more")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def leave(self) -> int:
        """Ctrl-C, and again where nothing comes of it, as a person does: Python loses one that meets it in a finalizer.

        Returns its exit code.
        """
        self.interrupt()
        try:
            self.process.wait(AGAIN)
        except subprocess.TimeoutExpired:
            self.interrupt()
        return self.wait()

    def wait(self) -> int:
        """Its exit code, once all that it wrote is here."""
        code = self.process.wait(LIMIT)
        for thread in self._threads:
            thread.join()
        return code

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def _read(self, name: str, pipe: IO[bytes]) -> None:
        with pipe:
            while part := os.read(pipe.fileno(), 65_536):
                self._written[name] += part
