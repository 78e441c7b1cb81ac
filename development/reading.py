"""A reader of streams for programs: speaks webapp/PROTOCOL.md over a WebSocket that can be cut."""

import contextlib
import json
import socket
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.copy import Copy, ProtocolBroken


@dataclass
class Travelled:
    """What one connection brought."""

    first_index: int | None = None
    characters: int = 0
    chunks: int = 0
    frames: list[str] = field(default_factory=list)


class Reader:
    """Follows one stream over one WebSocket, into `copy`, until its end or until it is cut."""

    def __init__(self, address: str, cookie: str, stream: str, copy: Copy) -> None:
        self.copy = copy
        self.travelled = Travelled()
        self.error: Exception | None = None
        self._changed = threading.Condition()
        self._cut = False
        self._socket = connect(
            f"{address.replace('http', 'ws', 1)}/api/socket", additional_headers={"Cookie": cookie}, proxy=None
        )
        follow = {"type": "follow", "stream": stream}
        self._socket.send(json.dumps(follow | ({"position": copy.position} if copy.position else {})))
        self._thread = threading.Thread(target=self._read, args=(self._socket,), daemon=True)
        self._thread.start()

    def wait_for(self, chunks: int, timeout: float) -> None:
        """Return when so many chunks are held, or the end. Raises TimeoutError, or what went wrong while reading."""
        with self._changed:
            met = self._changed.wait_for(
                lambda: self.error or self.copy.end or self.copy.next_index >= chunks, timeout=timeout
            )
        if self.error:
            raise self.error
        if not met:
            raise TimeoutError(f"{self.copy.next_index} chunks after {timeout:g} s, and not {chunks}")

    def wait_for_end(self, timeout: float) -> None:
        self.wait_for(sys.maxsize, timeout)

    def cut(self) -> None:
        """End the TCP connection with no word of the WebSocket's, as a lost network does. The copy stays as it is."""
        self._cut = True
        with contextlib.suppress(OSError):  # it may be gone already
            self._socket.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def close(self) -> None:
        self._socket.close()
        self._thread.join()

    def _read(self, connection: ClientConnection) -> None:
        try:
            for frame in connection:
                with self._changed:
                    self._take(json.loads(frame))
                    self._changed.notify_all()
                if self.copy.end:
                    return
        except (ConnectionClosed, ProtocolBroken) as error:
            if not self._cut:
                self.error = error
        finally:
            with self._changed:
                self._changed.notify_all()

    def _take(self, frame: dict[str, Any]) -> None:
        self.travelled.frames.append(frame["type"])
        if frame["type"] in ("gone", "problem"):
            raise ProtocolBroken(f"the server answers {frame}")
        before = len(self.copy.text)
        self.copy.take(frame)
        if frame["type"] in ("chunks", "end"):
            if self.travelled.first_index is None:
                self.travelled.first_index = frame["start"]
            self.travelled.characters += len(self.copy.text) - before
            self.travelled.chunks += frame["stop"] - frame["start"]
