"""A proxy between a browser and the server that can fail as networks do: cut off, or swallow everything in silence."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

RESET_ON_CLOSE = b"\x01\0\0\0\0\0\0\0"  # struct linger: on, 0 seconds


class TcpProxy:
    """Listens on a free port of the loopback and forwards to `port`. As routers do, it cuts a connection over which
    nothing has come, from either side, for `idle` seconds."""

    def __init__(self, port: int, idle: float | None = None) -> None:
        self._idle = idle
        self._upstream = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()  # over the two below: a connection is refused, or it is known
        self._reachable = True
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        """Break every connection, and every new one, until `heal`."""
        with self._lock:
            self._reachable = False
            for sock in self._open:
                _break(sock)

    def freeze(self) -> None:
        """Swallow everything: connections stay open, and nothing passes in either direction until `heal`."""
        self._flowing.clear()

    def heal(self) -> None:
        """Work again. What was held back while frozen goes on its way."""
        with self._lock:
            self._reachable = True
        self._flowing.set()

    def serve(self, port: int) -> None:
        """Forward new connections to another port, as a router does in a deployment."""
        self._upstream = ("127.0.0.1", port)

    def close(self) -> None:
        """Break everything and listen no more."""
        self.cut()
        self._flowing.set()
        _break(self._listener)  # wakes `accept`
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            thread = threading.Thread(target=self._carry, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket) -> None:
        """One connection, from its opening until both ends have left."""
        try:
            upstream = socket.create_connection(self._upstream)
        except OSError:  # nobody is there, which the client shall notice
            client.close()
            return
        with client, upstream:
            with self._lock:
                if not self._reachable:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                    return
                self._open |= {client, upstream}
            clock = _IdleClock(self._idle)
            replies = threading.Thread(target=self._pump, args=(upstream, client, clock))
            replies.start()
            self._pump(client, upstream, clock)
            replies.join()
            with self._lock:
                self._open -= {client, upstream}

    def _pump(self, source: socket.socket, target: socket.socket, clock: "_IdleClock") -> None:
        try:
            while data := clock.receive(source):
                self._flowing.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # either end may leave at any time, and then the other has nobody to talk to
            _break(source)
            _break(target)


class _IdleClock:
    """Of one connection: when something last came over it."""

    def __init__(self, idle: float | None) -> None:
        self._idle = idle
        self._last = time.monotonic()

    def receive(self, source: socket.socket) -> bytes:
        """What comes next; empty at a clean end. Raises TimeoutError when it was idle for too long."""
        while True:
            left = None if self._idle is None else self._idle - (time.monotonic() - self._last)
            if left is not None and left <= 0:
                raise TimeoutError
            ready, _, _ = select.select([source], [], [], left)
            if ready:
                data = source.recv(65_536)
                self._last = time.monotonic()
                return data


def _break(sock: socket.socket) -> None:
    """End it for both sides. Whoever waits in `recv` or `accept` returns, and closes it."""
    with contextlib.suppress(OSError):  # it was broken already
        sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def running_proxy(port: int, idle: float | None = None) -> Iterator[TcpProxy]:
    """A proxy before this port for the length of the block."""
    proxy = TcpProxy(port, idle)
    try:
        yield proxy
    finally:
        proxy.close()
