"""A proxy before Redis that breaks connections on purpose, at the places where it hurts.

Each request of a client that is not let through unharmed takes the next fault of the script; when the script is empty,
everything passes. A request is whatever the client sent in one go, which for our pipelines is one pipeline.
"""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path


class Fault(Enum):
    """What happens to one request."""

    NONE = "it goes through"
    CUT_BEFORE = "the connection breaks before the command arrives"
    CUT_AFTER = "the command runs, and the connection breaks before the reply"


class FaultProxy:
    """Listens on a unix socket of its own and forwards to the server's."""

    def __init__(self, listen: Path, server: Path) -> None:
        self.url = f"unix://{listen}"
        self.script: deque[Fault] = deque()
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(listen))
        self._listener.listen()
        self._open: set[socket.socket] = set()
        self._lines: set[_Line] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """Carry nothing any more over the connections that are open, without a word; new ones work."""
        for line in list(self._lines):
            line.silent = True

    def close(self) -> None:
        """Cut everything and listen no more."""
        self._listener.close()
        for sock in list(self._open):
            _cut(sock)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(str(self._server))
        self._open |= {client, upstream}
        line = _Line(client, upstream, self.script)
        self._lines.add(line)
        threading.Thread(target=line.carry_replies, daemon=True).start()
        line.carry_requests()
        self._open -= {client, upstream}
        self._lines.discard(line)


class _Line:
    """One connection through the proxy. Each direction has a thread; whichever ends first ends both."""

    def __init__(self, client: socket.socket, upstream: socket.socket, script: deque[Fault]) -> None:
        self._client = client
        self._upstream = upstream
        self._script = script
        self._swallow = False
        self.silent = False

    def carry_requests(self) -> None:
        with contextlib.suppress(OSError):
            while request := self._client.recv(1 << 20):
                if self.silent:
                    continue
                # The greeting of a connection is no request of ours: it costs no fault.
                fault = self._script.popleft() if b"EVALSHA" in request and self._script else Fault.NONE
                if fault is Fault.CUT_BEFORE:
                    break
                self._swallow = fault is Fault.CUT_AFTER
                self._upstream.sendall(request)
        self._cut()

    def carry_replies(self) -> None:
        with contextlib.suppress(OSError):
            while (reply := self._upstream.recv(1 << 20)) and not self._swallow:
                if not self.silent:
                    self._client.sendall(reply)
        self._cut()

    def _cut(self) -> None:
        _cut(self._client)
        _cut(self._upstream)


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


@contextmanager
def fault_proxy(listen: Path, server: Path) -> Iterator[FaultProxy]:
    """A proxy for the length of the block."""
    proxy = FaultProxy(listen, server)
    try:
        yield proxy
    finally:
        proxy.close()
        listen.unlink(missing_ok=True)
