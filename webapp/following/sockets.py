"""A WebSocket's two halves: frames are written whole, by one writer at a time, and nobody waits for a slow reader; and
they are read by the greenlet that answers them.

simple-websocket 1.1 calls `sock.send` once and ignores how much of it was taken; under gevent that tears frames apart
when a reader is slow (its issue 45). So the socket that it gets is replaced by an `Outlet`, through which everything
goes that is written to the connection: its own handshake, pongs and closes, and our pings and frames.

It also has a thread for each connection that reads, while the handler's waits for it. Here the handler reads by itself
(`receive`): half as many greenlets, and a client that says more than can be answered is read no faster than that.
"""

import logging
import re
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gevent
import gevent.socket
from simple_websocket import ConnectionClosed, Server
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from webapp.following import farewell

log = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

# Compression (RFC 7692, section 7) without anything kept from one message for the next, in either direction: 130 bytes
# a connection instead of 39 KB, and a frame that is compressed once for all. With an offer that asks for a smaller
# window nothing is compressed.
DEFLATE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
OFFER = re.compile(
    r"(?:^|,)\s*permessage-deflate\s*"
    r"(?:;\s*(?:(?:server|client)_no_context_takeover|client_max_window_bits(?:\s*=\s*\"?[0-9]{1,2}\"?)?)\s*)*(?:,|$)"
)
MAX_WAITING = 64  # small frames (pongs, problems) that may wait for a slow reader; one that provokes more is cut off
LINGER = 1.0  # seconds that a client has to answer a close before its connection is cut


@dataclass(slots=True)
class Counts:
    """Of this process, so far."""

    blocked: int = 0
    """Times that the kernel took only part of a frame: the reader is slow."""
    cut_off: int = 0
    """Clients that do not read, but make us answer."""


counts = Counts()


class Outlet:
    """Stands in for the connection's socket. All methods are for greenlets of one event loop.

    At rest, a write goes straight to the kernel. When the kernel takes only part of it, a greenlet is started that
    writes the rest as the reader makes room, then what was queued, then whatever `refill` still has, and ends.
    """

    def __init__(self, sock: gevent.socket.socket) -> None:
        self._sock = sock
        self._send_now = sock._sock.send  # the operating system's own, which does not wait
        self._waiting: deque[bytes] = deque()
        self._draining = False
        self._finished = False
        self.refill: Callable[[], bytes | None] = lambda: None
        self.deflates = False
        """Whether the client takes compressed frames."""

    def write_now(self, data: bytes) -> bool:
        """Take the frame and return True, if nothing waits already; else refuse it. Never waits."""
        if self._finished:
            return True
        if self._draining:
            return False
        try:
            taken = self._send_now(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            return True  # the connection is gone; the reading side notices, and cleans up
        if taken < len(data):
            counts.blocked += 1
            self._waiting.appendleft(data[taken:])
            self.drain()
        return True

    def write(self, data: bytes) -> None:
        """Take a small frame; it goes out before anything that `refill` has. Never waits."""
        if not self.write_now(data):
            self._waiting.append(data)
            if len(self._waiting) > MAX_WAITING:
                counts.cut_off += 1
                log.warning("cut off a client that does not read but makes us answer")
                self.cut()

    def drain(self) -> None:
        """Begin to write what `refill` has, if that is not going on."""
        if not self._draining:
            self._draining = True
            gevent.spawn(self._drain)

    def finish(self) -> None:
        """Write what waits, and nothing else: what is written from now on is passed over.

        Nobody refills it any more. Without this, it and who did would keep each other until somebody looks.
        """
        self._finished = True
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
    """WSGI: gives each WebSocket request its Outlet, and takes up an offer to compress, as `DEFLATE`.

    Of subprotocols there are none, so none that a client names needs to be understood. WebSockets go to `sockets`, and
    everything else to `app`, which may have more around it: what a WebSocket goes through lies in memory as long as it.
    """

    def __init__(self, app: Wsgi, sockets: Wsgi) -> None:
        self._app = app
        self._sockets = sockets

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_UPGRADE", "").lower() != "websocket":
            return self._app(environ, start_response)
        if "gunicorn.socket" in environ:
            offered = environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", "")
            outlet = environ["gunicorn.socket"] = Outlet(environ["gunicorn.socket"])
            if OFFER.search(offered):
                environ["HTTP_SEC_WEBSOCKET_EXTENSIONS"] = DEFLATE
                outlet.deflates = True
            environ.pop("HTTP_SEC_WEBSOCKET_PROTOCOL", None)
        return self._sockets(environ, start_response)


class NotNeeded:
    """In the place of the thread in which simple-websocket would read, and of the event that its handler waits for."""

    name = ""

    def __init__(self, target: Callable[[], None] | None = None) -> None: ...

    def start(self) -> None: ...

    def set(self) -> None: ...


def receive(ws: Server) -> str | bytes:
    """Wait for the client's next frame.

    Raises simple_websocket.ConnectionClosed when the client has left, or has answered our close, or is cut. Bytes that
    are no WebSocket frames are answered with the close code that RFC 6455 has for them.
    """
    while not (ws.connected and ws.input_buffer):
        ws.input_buffer.clear()  # of a client that was told to leave
        try:
            data = ws.sock.recv(ws.receive_bytes)
            if not data:
                raise ConnectionClosed(ws.close_reason, ws.close_message)
            ws.ws.receive_data(data)
            if not ws._handle_events():
                raise ConnectionClosed(ws.close_reason, ws.close_message)
        except (OSError, LocalProtocolError) as error:
            raise ConnectionClosed(ws.close_reason, str(error)) from error
        except (RemoteProtocolError, UnicodeDecodeError) as error:
            log.info("a client broke the WebSocket protocol: %s", error)
            hint = getattr(error, "event_hint", None)
            hang_up(ws, getattr(hint, "code", 1002), "These bytes are no WebSocket frames.")
            raise ConnectionClosed(ws.close_reason, ws.close_message) from error
    frame: str | bytes = ws.input_buffer.pop(0)
    return frame


def see_out(ws: Server) -> None:
    """Wait until a client that was told to leave has done so: what it has not read is lost if we close first."""
    with suppress(ConnectionClosed):
        receive(ws)


def hang_up(ws: Server, code: int, reason: str) -> None:
    """Close a WebSocket from our side: say why, and cut it if the client does not answer."""
    try:
        ws.close(code, reason)  # wsproto keeps as much of it as fits into a frame
    except (ConnectionClosed, OSError) as error:
        log.debug("the WebSocket had closed: %s", error)
    ws.sock.finish()
    gevent.spawn_later(LINGER, ws.sock.cut)


_open: "weakref.WeakSet[Closable]" = weakref.WeakSet()


class Closable:
    """A connection that lives long, and is told when the process ends."""

    def __init__(self) -> None:
        self.told_to_leave = False
        _open.add(self)

    def send_away(self, wait: int) -> None:
        """Tell the client to come back in so many milliseconds, and end it."""
        raise NotImplementedError

    def beat(self) -> None:
        """Give a sign of life."""

    def over(self) -> None:
        """It has ended: nobody needs to be told."""
        _open.discard(self)


def count() -> int:
    """How many long-lived connections this process has."""
    return len(_open)


def send_all_away(random: Callable[[], float]) -> None:
    """Close every long-lived connection of this process that has not been told before, because it restarts."""
    connections = [connection for connection in _open if not connection.told_to_leave]
    for connection, wait in zip(connections, farewell.moments(len(connections), random), strict=True):
        connection.told_to_leave = True
        connection.send_away(wait)
    if connections:
        log.info("closed %d connections: The server restarts. Come back.", len(connections))


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
