"""A connection as a client has it, held as bytes, so that it can fail as networks do: at any byte.

Everything that goes wrong on the way to a client is done here, on the client's own side, to a real TCP connection.
"""

import asyncio
import contextlib
import socket
from collections import deque
from dataclasses import dataclass, field

RESET_ON_CLOSE = b"\x01\0\0\0\0\0\0\0"  # struct linger: on, 0 seconds
AT_ONCE = 65_536  # bytes read at a time, by a client that is well
SMALL_BUFFER = 4_096  # bytes that the kernel holds for one that reads slowly: the rest waits at the server


class Lost(Exception):
    """The connection is gone. `code` is that of a WebSocket's close frame; 1006: there was none."""

    def __init__(self, why: str, code: int = 1006) -> None:
        super().__init__(why)
        self.code = code


@dataclass
class Trouble:
    """What goes wrong for one client. By default, nothing does."""

    cut_after: deque[int] = field(default_factory=deque)
    """The next connections are reset after so many received bytes, one for each entry."""
    at_a_time: int = AT_ONCE
    """How many bytes are read at once."""
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, nothing is read, and the connection stays open."""
    away: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is set, nothing is connected."""
    at_once: bool = False
    """Connect again without the page's patience."""
    resets: int = 0
    """How many connections were reset so far."""

    def __post_init__(self) -> None:
        self.reads.set()


class Wire:
    """One TCP connection, opened by `open_wire`."""

    def __init__(self, sock: socket.socket, trouble: Trouble) -> None:
        self._sock = sock
        self._trouble = trouble
        self._budget = trouble.cut_after.popleft() if trouble.cut_after else None
        self._reading: asyncio.Future[bytes] | None = None
        self.abandoned = False
        self.received = 0  # bytes

    async def send(self, data: bytes) -> None:
        """Send all of it. Raises Lost."""
        try:
            await asyncio.get_running_loop().sock_sendall(self._sock, data)
        except OSError as error:
            raise Lost(f"while sending: {error}") from error

    async def receive(self) -> bytes:
        """What comes next; empty at a clean end. Raises Lost, on purpose too."""
        await self._trouble.reads.wait()
        size = self._trouble.at_a_time if self._budget is None else min(self._trouble.at_a_time, self._budget)
        if size == 0:
            self.reset()
            raise Lost("cut on purpose")
        self._reading = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(self._sock, size))
        try:
            data = await self._reading
        except OSError as error:
            raise Lost(f"while receiving: {error}") from error
        except asyncio.CancelledError:
            if self.abandoned:
                raise Lost("abandoned") from None
            raise
        await self._trouble.reads.wait()  # what was under way when reading stopped
        if self._budget is not None:
            self._budget -= len(data)
        self.received += len(data)
        return data

    def shut(self) -> None:
        """End it for both sides; whoever waits in `receive` is told."""
        with contextlib.suppress(OSError):  # it may have ended already
            self._sock.shutdown(socket.SHUT_RDWR)

    def abandon(self) -> None:
        """Leave it open, and read it no more; whoever waits in `receive` is told."""
        if self._reading is not None:
            self.abandoned = self._reading.cancel()

    def reset(self) -> None:
        """End it as a lost network does, with no word to the server."""
        self._trouble.resets += 1
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._sock.close()

    def close(self) -> None:
        """End it as a program does."""
        self._sock.close()


async def open_wire(port: int, trouble: Trouble) -> Wire:
    """Connect to a port of this machine. Raises Lost if nobody listens there."""
    sock = socket.socket()
    sock.setblocking(False)
    if trouble.at_a_time < AT_ONCE:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    try:
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise Lost(f"not connected: {error}") from error
    return Wire(sock, trouble)
