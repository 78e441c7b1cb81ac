"""A proxy before Redis that breaks connections on purpose, at the places where it hurts.

Each request of a client that is not let through unharmed takes the next fault of the script; when the script is empty,
everything passes. A request is whatever the client sent in one go, which for our pipelines is one pipeline.
"""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path


class Fault(Enum):
    """What happens to one request."""

    NONE = "it goes through"
    CUT_BEFORE = "the connection breaks before the command arrives"
    CUT_AFTER = "the command runs, and the connection breaks before the reply"


Tamper = Callable[[list[bytes]], list[bytes]]
"""What was published in, what arrives out: each as the bytes of one reply of the server's."""


def is_of_streams(request: bytes) -> bool:
    """Whether the request runs a script, as all of `streams` do."""
    return b"EVALSHA" in request


def is_of_the_queue(request: bytes) -> bool:
    """Whether the request speaks of RQ's keys, and is not a worker that only waits for a job."""
    return b"rq:" in request and b"BLMOVE" not in request and b"SUBSCRIBE" not in request


class FaultProxy:
    """Listens on a unix socket of its own and forwards to the server's."""

    def __init__(self, listen: Path, server: Path) -> None:
        self.url = f"unix://{listen}"
        self.script: deque[Fault] = deque()
        self.tamper: Tamper | None = None
        self.blocked = False
        self.harm = 0
        """How many requests were broken so far."""
        self.hits: Callable[[bytes], bool] = is_of_streams
        """Which requests take a fault of the script. The greeting of a connection never should."""
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(listen))
        self._listener.listen()
        self._open: set[socket.socket] = set()
        self._lines: set[_Line] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self, subscribers: bool = False) -> None:
        """Carry nothing any more over the connections that are open, without a word; new ones work.

        With `subscribers`, only over those that listen to channels.
        """
        for line in self._those(subscribers):
            line.silent = True

    def block(self) -> None:
        """Carry nothing any more over any connection, without a word, until `mend`."""
        self.blocked = True
        self.silence()

    def cut(self, subscribers: bool = False) -> None:
        """Break the connections that are open; new ones work. `subscribers` as above."""
        for line in self._those(subscribers):
            line.cut()

    def serve(self, server: Path) -> None:
        """Carry new connections to another server, as after a failover; the old ones stay where they are."""
        self._server = server

    def mend(self) -> None:
        """Do no more harm; what was silent is cut, for it has lost something."""
        self.blocked = False
        for line in self._those(subscribers=False):
            if line.silent:
                line.cut()
        self.script.clear()
        self.tamper = None
        self.hits = is_of_streams

    def _those(self, subscribers: bool) -> "list[_Line]":
        return [line for line in list(self._lines) if line.subscribes or not subscribers]

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
        try:
            upstream.connect(str(self._server))
        except OSError:  # the server is away, which the client shall notice
            upstream.close()
            _cut(client)
            return
        self._open |= {client, upstream}
        line = _Line(client, upstream, self)
        self._lines.add(line)
        threading.Thread(target=line.carry_replies, daemon=True).start()
        line.carry_requests()
        self._open -= {client, upstream}
        self._lines.discard(line)


class _Line:
    """One connection through the proxy. Each direction has a thread; whichever ends first ends both."""

    def __init__(self, client: socket.socket, upstream: socket.socket, proxy: FaultProxy) -> None:
        self._client = client
        self._upstream = upstream
        self._proxy = proxy
        self._swallow = False
        self.silent = proxy.blocked
        self.subscribes = False

    def carry_requests(self) -> None:
        with contextlib.suppress(OSError):
            while request := self._client.recv(1 << 20):
                if self.silent:
                    continue
                self.subscribes = self.subscribes or b"SUBSCRIBE" in request
                fault = self._take_fault() if self._proxy.hits(request) else Fault.NONE
                self._proxy.harm += fault is not Fault.NONE
                if fault is Fault.CUT_BEFORE:
                    break
                self._swallow = fault is Fault.CUT_AFTER
                self._upstream.sendall(request)
        self.cut()

    def carry_replies(self) -> None:
        rest = b""
        with contextlib.suppress(OSError), contextlib.closing(self):
            while (reply := self._upstream.recv(1 << 20)) and not self._swallow:
                if self.silent:
                    continue
                if self.subscribes and (rest or self._proxy.tamper):
                    messages, rest = split_messages(rest + reply)
                    tamper = self._proxy.tamper
                    reply = b"".join(tamper(messages) if tamper else messages)
                self._client.sendall(reply)

    def close(self) -> None:
        """Whatever ends one direction ends both."""
        self.cut()

    def _take_fault(self) -> Fault:
        try:
            return self._proxy.script.popleft()
        except IndexError:
            return Fault.NONE

    def cut(self) -> None:
        _cut(self._client)
        _cut(self._upstream)


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def split_messages(data: bytes) -> tuple[list[bytes], bytes]:
    """Cut what a subscriber hears into whole replies (RESP 2: https://redis.io/docs/latest/develop/reference/protocol-spec/),
    and what is left of an unfinished one."""
    messages, start = [], 0
    while (stop := _end_of_reply(data, start)) is not None:
        messages.append(data[start:stop])
        start = stop
    return messages, data[start:]


def _end_of_reply(data: bytes, start: int) -> int | None:
    line_end = data.find(b"\r\n", start)
    if line_end < 0:
        return None
    kind, stop = data[start : start + 1], line_end + 2
    if kind in (b"+", b"-", b":"):
        return stop
    count = int(data[start + 1 : line_end])
    if kind == b"$":
        stop += max(0, count) + 2 * (count >= 0)
        return stop if stop <= len(data) else None
    for _ in range(count):
        element = _end_of_reply(data, stop)
        if element is None:
            return None
        stop = element
    return stop


@contextmanager
def fault_proxy(listen: Path, server: Path) -> Iterator[FaultProxy]:
    """A proxy for the length of the block."""
    proxy = FaultProxy(listen, server)
    try:
        yield proxy
    finally:
        proxy.close()
        listen.unlink(missing_ok=True)
