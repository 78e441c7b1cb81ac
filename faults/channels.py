"""The two ways to follow a stream: frames over a WebSocket, and server-sent events. Both give the same frames."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Protocol

import h11
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidMessage
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from faults.wire import Lost, Wire

Json = dict[str, Any]

HANDSHAKE = 60.0  # seconds for the server to answer the request


class Channel(Protocol):
    """One connection that follows one stream from a position."""

    def frames(self) -> AsyncIterator[Json]:
        """What comes, until the server closes. Raises faults.wire.Lost, with the server's close code."""


class Refused(Exception):
    """The server answered the request, but with another status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class WebSocketChannel:
    """A page's socket that follows one stream, and watches its conversation."""

    def __init__(
        self,
        wire: Wire,
        port: int,
        cookie: str,
        stream: str,
        position: str | None,
        conversation: str,
        share: str | None,
    ) -> None:
        self._wire = wire
        query = f"?share={share}" if share else ""
        self._protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/api/socket{query}"))
        self._cookie = cookie
        self._first: list[Json] = [{"type": "follow", "stream": stream} | ({"position": position} if position else {})]
        self._first.append({"type": "watch", "conversation": conversation, "version": 0})

    async def frames(self) -> AsyncIterator[Json]:
        """See Channel. Two heartbeats of silence are the end of a connection, whatever TCP says."""
        await self._greet()
        patience = HANDSHAKE
        while True:
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    frame: Json = json.loads(bytes(event.data))
                    if frame["type"] == "hello":
                        patience = 2 * frame["heartbeat"]
                        await self._say()
                    yield frame
            await self._wire.send(b"".join(self._protocol.data_to_send()))  # pongs, and the answer to a close
            if closed := self._protocol.close_rcvd:
                raise Lost(f"closed: {closed.reason}", closed.code)
            await self._read(patience)

    async def _greet(self) -> None:
        request = self._protocol.connect()
        if self._cookie:
            request.headers["Cookie"] = self._cookie
        self._protocol.send_request(request)
        await self._wire.send(b"".join(self._protocol.data_to_send()))
        while not self._protocol.events and self._protocol.handshake_exc is None:
            await self._read(HANDSHAKE)
        failed = self._protocol.handshake_exc
        if failed is not None:
            response = self._protocol.events_received()
            if response and isinstance(response[0], Response):
                raise Refused(response[0].status_code)
            assert isinstance(failed, InvalidHandshake | InvalidMessage | EOFError), failed
            raise Lost(f"no handshake: {failed}")

    async def _say(self) -> None:
        if self._protocol.state is not OPEN:
            return  # the close came together with the greeting
        for frame in self._first:
            self._protocol.send_text(json.dumps(frame).encode())
        await self._wire.send(b"".join(self._protocol.data_to_send()))

    async def _read(self, patience: float) -> None:
        try:
            data = await asyncio.wait_for(self._wire.receive(), patience)
        except TimeoutError:
            raise Lost(f"{patience:g} s of silence") from None
        if not data:
            raise Lost("the connection ended without a close frame")
        self._protocol.receive_data(data)


class EventChannel:
    """One response of server-sent events."""

    def __init__(
        self, wire: Wire, port: int, cookie: str, stream: str, position: str | None, share: str | None
    ) -> None:
        self._wire = wire
        self._connection = h11.Connection(h11.CLIENT)
        query = f"?share={share}" if share else ""
        headers = [("Host", f"127.0.0.1:{port}"), ("Accept", "text/event-stream"), ("Cookie", cookie)]
        headers += [("Last-Event-ID", position)] if position else []
        self._request = h11.Request(method="GET", target=f"/api/streams/{stream}{query}", headers=headers)

    async def frames(self) -> AsyncIterator[Json]:
        """See Channel. Raises Refused for a status other than 200."""
        await self._wire.send(self._connection.send(self._request) or b"")
        await self._wire.send(self._connection.send(h11.EndOfMessage()) or b"")
        rest = b""
        while True:
            match await self._next():
                case h11.Response(status_code=status) if status != 200:
                    raise Refused(status)
                case h11.Data(data=data):
                    *events, rest = (rest + bytes(data)).split(b"\n\n")
                    for each in events:
                        data_lines = [line[6:] for line in each.split(b"\n") if line.startswith(b"data: ")]
                        if data_lines:
                            yield json.loads(b"\n".join(data_lines))
                case h11.EndOfMessage():
                    raise Lost("the response ended")

    async def _next(self) -> object:
        while (event := self._connection.next_event()) is h11.NEED_DATA:
            try:
                data = await asyncio.wait_for(self._wire.receive(), HANDSHAKE)
            except TimeoutError:
                raise Lost(f"{HANDSHAKE:g} s of silence") from None
            try:
                self._connection.receive_data(data)
                if not data and self._connection.their_state is h11.SEND_BODY:
                    raise Lost("the connection ended in mid-response")
            except h11.RemoteProtocolError as error:
                raise Lost(f"no HTTP: {error}") from error
        return event
