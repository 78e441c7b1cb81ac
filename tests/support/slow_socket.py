"""A client of the WebSocket that does nothing by itself: what the server does then can be seen."""

import json
import socket
from collections.abc import Iterator

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, Request, TextMessage

RECEIVE_BUFFER = 4096  # bytes; small, so that the server's side fills soon


class SlowSocket:
    """A WebSocket client that reads when it is told to, and as much as it is told to, and answers nothing by itself.

    `patience`: seconds until what it does raises TimeoutError, once it is connected.
    """

    def __init__(self, port: int, cookie: str, patience: float = 60.0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._socket.settimeout(60)
        self._socket.connect(("127.0.0.1", port))
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self.say(Request(host="127.0.0.1", target="/api/socket", extra_headers=[(b"cookie", cookie.encode())]))
        while not any(isinstance(event, AcceptConnection) for event in self.read(1)):
            pass
        self._socket.settimeout(patience)

    def say(self, event: Event) -> None:
        self._socket.sendall(self._protocol.send(event))

    def say_frame(self, **frame: object) -> None:
        self.say(TextMessage(json.dumps(frame)))

    def read(self, size: int) -> Iterator[Event]:
        """The events in the next bytes. Raises RemoteProtocolError where a frame is broken, ConnectionError."""
        data = self._socket.recv(size)
        if not data:
            raise ConnectionError("cut off")
        self._protocol.receive_data(data)
        yield from self._protocol.events()

    def close(self) -> None:
        self._socket.close()
