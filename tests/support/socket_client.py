"""A client of the WebSocket that keeps what a page would keep, and checks the rules of PROTOCOL.md as it goes."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.copy import Copy

Json = dict[str, Any]
PATIENCE = 60.0  # seconds for a frame that must come


class CountingSocket(socket.socket):
    """Knows how much came."""

    received = 0

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        data = super().recv(bufsize, flags)
        self.received += len(data)
        return data


class SocketClient:
    """One socket, greeted. `text` and `position` are those of the stream that it follows."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.hello = self.receive()
        self.copy = Copy()

    @property
    def text(self) -> str:
        return self.copy.text

    @property
    def position(self) -> str:
        return str(self.copy.position)

    @property
    def received(self) -> int:
        """How many bytes came, with what they were packed in."""
        assert isinstance(self.connection.socket, CountingSocket)
        return self.connection.socket.received

    def say(self, **frame: Any) -> None:
        self.connection.send(json.dumps(frame))

    def receive(self) -> Json:
        """The next frame but heartbeats. Raises TimeoutError, ConnectionClosed."""
        while True:
            frame: Json = json.loads(self.connection.recv(PATIENCE))
            if frame["type"] != "heartbeat":
                return frame

    def receive_until(self, kind: str) -> list[Json]:
        """Frames up to and with the first of this type; those of a stream are applied."""
        frames: list[Json] = []
        while not frames or frames[-1]["type"] != kind:
            frames.append(self.receive())
            self._apply(frames[-1])
        return frames

    def receive_text(self, text: str) -> None:
        """Apply frames until the text is this."""
        while self.text != text:
            assert text.startswith(self.text), f"{self.text!r} is no beginning of {text!r}"
            self._apply(self.receive())

    def closed(self) -> tuple[int, str]:
        """Wait for the server's close, and apply what comes before; its code and reason."""
        try:
            while True:
                self._apply(json.loads(self.connection.recv(PATIENCE)))
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise RuntimeError("it was cut off without a close frame") from closed
            return closed.rcvd.code, closed.rcvd.reason

    def _apply(self, frame: Json) -> None:
        if frame["type"] in ("following", "chunks", "end"):
            self.copy.take(frame)


@contextmanager
def connected(
    url: str, cookie: str = "", share: str | None = None, *, compression: str | None = "deflate", **headers: str
) -> Iterator[SocketClient]:
    """A socket for the length of the block, by a share if one is named. Offers compression, as browsers do."""
    with connection_to(url, cookie, share, compression=compression, **headers) as connection:
        yield SocketClient(connection)


def connection_to(
    url: str, cookie: str = "", share: str | None = None, *, compression: str | None = "deflate", **headers: str
) -> ClientConnection:
    """A socket that may not be greeted."""
    place = urlsplit(url)
    sock = CountingSocket()
    sock.connect((place.hostname, place.port))
    address = url.replace("http", "ws", 1) + "/api/socket" + (f"?share={share}" if share else "")
    return connect(
        address, additional_headers={"Cookie": cookie, **headers}, max_size=None, compression=compression, sock=sock
    )
