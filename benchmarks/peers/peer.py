"""What a peer is: how to start it, and how to follow a stream of it. Nothing is started here."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Resumes(Enum):
    """What a position counts, where a viewer can come again without getting everything again."""

    BY_CHUNK = "by chunk"
    BY_CHARACTER = "by character"
    FROM_THE_START = "from the start"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Program:
    """A command, and the folder in which it runs. What differs from run to run it reads from its environment."""

    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to compare with: its programs, and what the library behind it offers."""

    name: str
    web: Program
    resumes: Resumes
    stored: str  # where the text is, in words
    worker: Program | None = None  # without one, the web process asks the model itself
    websocket: bool = False  # else a streaming HTTP response
    replays_ended: bool = False  # whether a stream can be followed after its end
    install: Callable[[], object] = lambda: None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_followed(self) -> bool:
        """Whether a stream is begun by one request and followed by others; else each request is a stream."""
        return self.resumes is not Resumes.NEVER

    def position(self, deltas: Sequence[str]) -> int:
        """The `start` of a viewer that has these deltas already; 0 where the library knows no such thing."""
        match self.resumes:
            case Resumes.BY_CHUNK:
                return len(deltas)
            case Resumes.BY_CHARACTER:
                return sum(len(_event(delta)) for delta in deltas)
            case _:
                return 0

    def openings(self, stream: str, start: int = 0, content: str = "") -> list[bytes]:
        """What a viewer sends: the first as soon as it is connected, each other when something has come for the one
        before. `content` is for the peer that is not followed: there the viewer asks the model."""
        if not self.is_followed:
            body = json.dumps({"content": content})
            head = [f"POST /streams/{stream} HTTP/1.1", *JSON, f"Content-Length: {len(body.encode())}", CLOSE]
            return [_request(head, body)]
        request = f"GET /streams/{stream}?start={start} HTTP/1.1"
        return [_request([request, *UPGRADE] if self.websocket else [request, CLOSE])]


HOST = "Host: localhost"
CLOSE = "Connection: close"  # so that the end of the connection is the end of the answer
JSON = ("Content-Type: application/json",)
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",  # it proves nothing to anyone here
)


def _request(head: Sequence[str], body: str = "") -> bytes:
    first, *fields = head
    return "\r\n".join([first, HOST, *fields, "", body]).encode()


def _event(delta: str) -> str:
    """As resumable_stream/server.js writes it: what that library counts is what it was given."""
    return f"data: {json.dumps({'text': delta}, separators=(',', ':'), ensure_ascii=False)}\n\n"
