"""The sending half of a WebSocket: frames written whole, by one writer at a time, and nobody waits for a slow reader.

simple-websocket 1.1 calls `sock.send` once and ignores how much of it was taken; under gevent that tears frames apart
when a reader is slow (its issue 45). So the socket that it gets is replaced by an `Outlet`, through which everything
goes that is written to the connection: its own handshake, pings, pongs and closes, and our frames.
"""

import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import gevent
import gevent.socket
from simple_websocket import ConnectionClosed, Server
from wsproto.utilities import RemoteProtocolError

log = logging.getLogger(__name__)

MAX_WAITING = 64  # small frames (pongs, problems) that may wait for a slow reader; one that provokes more is cut off
MAX_UNANSWERED = 1_000  # frames of one client; a page that comes back follows and watches some dozens at once
LINGER = 1.0  # seconds that a client has to answer a close before its connection is cut


class Outlet:
    """Stands in for the connection's socket. All methods are for greenlets of one event loop.

    At rest, a write goes straight to the kernel. When the kernel takes only part of it, a greenlet is started that
    writes the rest as the reader makes room, then what was queued, then whatever `refill` still has, and ends.
    """

    def __init__(self, sock: gevent.socket.socket) -> None:
        self._sock = sock
        self._waiting: deque[bytes] = deque()
        self._draining = False
        self.refill: Callable[[], bytes | None] = lambda: None

    def write_now(self, data: bytes) -> bool:
        """Take the frame and return True, if nothing waits already; else refuse it. Never waits."""
        if self._draining:
            return False
        try:
            taken = os.write(self._sock.fileno(), data)
        except BlockingIOError:
            taken = 0
        except OSError:
            return True  # the connection is gone; the reading side notices, and cleans up
        if taken < len(data):
            self._waiting.appendleft(data[taken:])
            self.drain()
        return True

    def write(self, data: bytes) -> None:
        """Take a small frame; it goes out before anything that `refill` has. Never waits."""
        if not self.write_now(data):
            self._waiting.append(data)
            if len(self._waiting) > MAX_WAITING:
                log.warning("cut off a client that does not read but makes us answer")
                self.cut()

    def drain(self) -> None:
        """Begin to write what `refill` has, if that is not going on."""
        if not self._draining:
            self._draining = True
            gevent.spawn(self._drain)

    def release(self) -> None:
        """Nobody refills it any more. Without this, it and who did would keep each other until somebody looks."""
        self.refill = lambda: None

    def cut(self) -> None:
        """End the connection now."""
        try:
            self._sock.shutdown(gevent.socket.SHUT_RDWR)
        except OSError as error:
            log.debug("the connection had ended: %s", error)

    def _drain(self) -> None:
        try:
            while (data := self._waiting.popleft() if self._waiting else self.refill()) is not None:
                self._sock.sendall(data)
                gevent.sleep(0)  # a fast reader of a long text must not keep everyone else waiting
        except OSError as error:
            log.debug("a client went away while it was written to: %s", error)
            self._waiting.clear()
        except Exception:  # it has lost a frame; a client that is cut off comes back and gets it
            log.exception("a fault while writing to a socket")
            self.cut()
        finally:
            self._draining = False

    # -- what simple-websocket and the selector ask of a socket

    def send(self, data: bytes) -> int:
        self.write(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        data: bytes = self._sock.recv(size)
        return data

    def fileno(self) -> int:
        number: int = self._sock.fileno()
        return number

    def close(self) -> None:
        self._sock.close()


class OutletMiddleware:
    """WSGI: gives each WebSocket request its Outlet, and declines compression (130 instead of 39 KB a connection).

    Of subprotocols there are none, so none that a client names needs to be understood.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket" and "gunicorn.socket" in environ:
            environ["gunicorn.socket"] = Outlet(environ["gunicorn.socket"])
            environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
            environ.pop("HTTP_SEC_WEBSOCKET_PROTOCOL", None)
        return self._app(environ, start_response)


class TooManyFrames(Exception):
    """The client says more than its handler can answer."""


class _Inbox(list[str | bytes]):
    """Frames that were read and not answered yet. simple-websocket reads on however many there are."""

    def append(self, frame: str | bytes) -> None:
        if len(self) >= MAX_UNANSWERED:
            raise TooManyFrames
        super().append(frame)


class ReadingThread(threading.Thread):
    """The thread in which simple-websocket reads.

    On bytes that are no WebSocket frames it dies and leaves its handler waiting forever; here the connection is closed,
    with the code that RFC 6455 has for it.
    """

    def __init__(self, target: Callable[[], None]) -> None:
        super().__init__(target=target, daemon=True)
        self._server: Server = target.__self__  # type: ignore[attr-defined]  # it is Server._thread
        self._server.input_buffer = _Inbox()

    def run(self) -> None:
        try:
            super().run()
        except TooManyFrames:
            log.warning("cut off a client that says more than can be answered")
            hang_up(self._server, 1008, "Too many frames at once.")
            self._server.sock.close()
        except (RemoteProtocolError, UnicodeDecodeError) as error:
            log.info("a client broke the WebSocket protocol: %s", error)
            hint = getattr(error, "event_hint", None)
            hang_up(self._server, getattr(hint, "code", 1002), "These bytes are no WebSocket frames.")
            self._server.sock.close()


def hang_up(ws: Server, code: int, reason: str) -> None:
    """Close a WebSocket from our side: say why, wake its handler, and cut it if the client does not answer."""
    try:
        ws.close(code, reason)  # wsproto keeps as much of it as fits into a frame
    except (ConnectionClosed, OSError) as error:
        log.debug("the WebSocket had closed: %s", error)
    ws.event.set()
    gevent.spawn_later(LINGER, ws.sock.cut)


_open: "weakref.WeakSet[Closable]" = weakref.WeakSet()


class Closable:
    """A connection that lives long, and is told when the process ends."""

    def __init__(self) -> None:
        self.told_to_leave = False
        _open.add(self)

    def close(self, code: int, reason: str) -> None:
        """Tell the client and end it. `code` is a WebSocket close code."""
        raise NotImplementedError

    def beat(self) -> None:
        """Give a sign of life."""

    def over(self) -> None:
        """It has ended: nobody needs to be told."""
        _open.discard(self)


def count() -> int:
    """How many long-lived connections this process has."""
    return len(_open)


def close_all(code: int, reason: str) -> None:
    """Close every long-lived connection of this process that has not been told before."""
    connections = [connection for connection in _open if not connection.told_to_leave]
    for connection in connections:
        connection.told_to_leave = True
        connection.close(code, reason)
    if connections:
        log.info("closed %d connections: %s", len(connections), reason)


def beat_forever(interval: float) -> None:
    """Have every connection give a sign of life, every `interval` seconds. Runs in a greenlet of its own."""
    while True:
        gevent.sleep(interval)
        for place, connection in enumerate(list(_open)):
            try:
                connection.beat()
            except Exception:  # the others' signs of life depend on this greenlet
                log.exception("no sign of life")
            if place % 100 == 99:
                gevent.sleep(0)  # thousands of sockets must not hold up the answers
