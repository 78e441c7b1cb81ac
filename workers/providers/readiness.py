"""Asking whether something waits on an idle connection, without giving others their turn.

httpcore asks that of every idle connection whenever a request begins or ends, with `select.poll`, while it holds the
lock of its pool. gevent's `poll` goes through the event loop even where it is not to wait: so hundreds of requests that
end together waited for each other for seconds, and one that was stopped while it waited kept its place in the pool for
ever. Here the operating system's own `poll` is asked, which answers at once.
"""

import select
from collections.abc import Iterable
from typing import Any

import httpcore2
from gevent.monkey import get_original

_poll = get_original("select", "poll")


class Backend(httpcore2.NetworkBackend):
    """Opens what `backend` opens, as `Stream`s."""

    def __init__(self, backend: httpcore2.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        return Stream(self._backend.connect_tcp(host, port, timeout, local_address, socket_options))

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        return Stream(self._backend.connect_unix_socket(path, timeout, socket_options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class Stream(httpcore2.NetworkStream):
    """Another stream, but for that question."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream
        self.read = stream.read  # type: ignore[method-assign]  # not through a method of its own, for each chunk
        self.write = stream.write  # type: ignore[method-assign]

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        if info != "is_readable":
            return self._stream.get_extra_info(info)
        descriptor = self._stream.get_extra_info("socket").fileno()
        if descriptor < 0:
            return True  # closed: reading would not wait
        poll = _poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
