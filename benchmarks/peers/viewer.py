"""One viewer, as simple as can be: it reads bytes until the connection ends, and finds the words in them."""

import re
import socket
from collections.abc import Sequence
from threading import Thread

from tests.support.waiting import wait_until

WORD = "{i}@{now} "  # as a script says it: the number of the word, and when it was sent
NUMBERED = re.compile(rb"(\d+)@(\d+\.\d+) ")
PART = 64 * 1024  # bytes


class Viewer:
    """Follows from when it is made, in a thread of its own."""

    def __init__(self, port: int, openings: Sequence[bytes] = ()) -> None:
        self._came = b""
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._thread = Thread(target=self._read, args=(list(openings),), daemon=True)
        self._thread.start()

    @property
    def words(self) -> list[str]:
        """What has come so far, in the order in which it came."""
        return [found.group().decode() for found in NUMBERED.finditer(self._came)]

    @property
    def numbers(self) -> list[int]:
        return [int(word.partition("@")[0]) for word in self.words]

    def wait_for(self, count: int) -> None:
        """Wait until so many words have come."""
        wait_until(lambda: len(self.words) >= count, what=f"word {count}; this has come: {self._came!r}")

    def wait_for_end(self, timeout: float = 60.0) -> None:
        """Wait until the server closes the connection."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError(f"after {timeout} s still no end; this has come: {self._came!r}")

    def close(self) -> None:
        self._socket.close()

    def _read(self, openings: list[bytes]) -> None:
        if openings:
            self._socket.sendall(openings.pop(0))
        while part := self._socket.recv(PART):
            self._came += part
            if openings:
                self._socket.sendall(openings.pop(0))
        self.close()
