"""What the kernel costs: `python -m benchmarks.peers.floor SOCKETS` writes the same bytes to so many sockets.

It listens on PORT and prints `ready`; when SOCKETS clients are there, `accepted`. Each line that it then reads, such as
`{"payload_bytes": 40, "count": 100, "interval": 0.05}`, is one answer: so many payloads, each a numbered word with its
time and blanks up to that size (if it is not longer itself), written to all one after the other. Then it prints what
`time` and `cpu` that took, in seconds. At the end of its input it closes the sockets and ends.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from benchmarks.peers.running import allow_many_sockets
from tests.support.ports import free_port

BACKLOG = 2048


def main(count: int) -> None:
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=BACKLOG) as server:
        print("ready", flush=True)
        sockets = [server.accept()[0] for _ in range(count)]
    for each in sockets:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as every server does
    print("accepted", flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(sockets, **json.loads(line))), flush=True)


def answer(sockets: list[socket.socket], payload_bytes: int, count: int, interval: float) -> dict[str, float]:
    """Write one answer to all. A payload that comes late does not move those after it."""
    began, spent = time.monotonic(), time.process_time()
    for number in range(count):
        time.sleep(max(0.0, began + number * interval - time.monotonic()))
        payload = f"{number}@{time.time()!r} ".encode().ljust(payload_bytes)
        for each in sockets:
            each.sendall(payload)
    return {"time": time.monotonic() - began, "cpu": time.process_time() - spent}


class Floor:
    """One run of it, seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        assert process.stdin
        assert process.stdout
        self.port = port
        self.pid = process.pid
        self._input: IO[str] = process.stdin
        self._output: IO[str] = process.stdout

    def wait_for(self, word: str) -> None:
        """Wait until it says `ready` or `accepted`."""
        if (line := self._output.readline().strip()) != word:
            raise RuntimeError(f"the floor says {line!r} instead of {word!r}")

    def answer(self, payload_bytes: int, count: int, interval: float) -> dict[str, Any]:
        """Have it write one answer; what that took."""
        order = {"payload_bytes": payload_bytes, "count": count, "interval": interval}
        self._input.write(json.dumps(order) + "\n")
        self._input.flush()
        took: dict[str, Any] = json.loads(self._output.readline())
        return took

    def close(self) -> None:
        """Close all sockets."""
        self._input.close()


@contextmanager
def running_floor(sockets: int) -> Iterator[Floor]:
    """A floor that is ready for so many clients, for the length of the block."""
    allow_many_sockets()
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers.floor", str(sockets)]
    environment = {**os.environ, "PORT": str(port)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    with process:
        try:
            floor = Floor(process, port)
            floor.wait_for("ready")
            yield floor
        finally:
            process.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]))
