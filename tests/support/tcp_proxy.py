"""A proxy between a browser and the server that can fail as networks do: cut off, or swallow everything in silence."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TcpProxy:
    """Listens on a free port of the loopback and forwards to `port`."""

    def __init__(self, port: int) -> None:
        self._upstream = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._reachable = True
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Reset every connection, and every new one, until `heal`."""
        self._reachable = False
        for sock in list(self._open):
            _reset(sock)

    def freeze(self) -> None:
        """Swallow everything: connections stay open, and nothing passes in either direction until `heal`."""
        self._flowing.clear()

    def heal(self) -> None:
        """Work again. What was held back while frozen goes on its way."""
        self._reachable = True
        self._flowing.set()

    def close(self) -> None:
        self._listener.close()
        self.heal()
        for sock in list(self._open):
            _reset(sock)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            if not self._reachable:
                _reset(client)
                continue
            upstream = socket.create_connection(self._upstream)
            self._open |= {client, upstream}
            for source, target in ((client, upstream), (upstream, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):  # either end may leave at any time
            while data := source.recv(65_536):
                self._flowing.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
            return
        for sock in (source, target):
            _reset(sock)
            self._open.discard(sock)


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other thread of this connection was first
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


@contextmanager
def running_proxy(port: int) -> Iterator[TcpProxy]:
    """A proxy before this port for the length of the block."""
    proxy = TcpProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
