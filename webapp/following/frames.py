"""The frames of PROTOCOL.md, in both directions, and their two wire formats.

What a stream says is described once (`describe`) and written either as WebSocket frames or as server-sent events. Both
writers are pure functions, so that a batch is encoded once for all its viewers.
"""

import struct
import zlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json  # six times as fast as the standard library's

from streams import Ahead, Batch, Event, Gone, Serving

PING = b"\x89\x00"  # a WebSocket ping without content (RFC 6455, section 5.5.2)
WORTH_DEFLATING = 4096  # bytes; below it a packet or two are saved
FASTEST = 1  # of zlib's levels: 8 µs for each KB, which becomes 0.4; the best one takes three times as long for 0.35
MAX_CLIENT_FRAME = 16 * 1024  # bytes; the largest that a page has a use for is a few hundred
MOST = 2**31 - 1  # what a number of ours can be in a database


class ClientFrame(BaseModel):
    """What all frames from a client share: nothing that is not known is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Identifier = Annotated[str, Field(min_length=1, max_length=64)]


class Follow(ClientFrame):
    type: Literal["follow"]
    stream: Identifier
    position: str | None = Field(default=None, max_length=64)


class Unfollow(ClientFrame):
    type: Literal["unfollow"]
    stream: Identifier


class Watch(ClientFrame):
    type: Literal["watch"]
    conversation: Identifier
    version: int = Field(ge=0, le=MOST)
    remarks: int | None = Field(default=None, ge=0, le=MOST)
    viewers: int = Field(default=0, ge=0, le=MOST)


class Unwatch(ClientFrame):
    type: Literal["unwatch"]
    conversation: Identifier


class WatchList(ClientFrame):
    type: Literal["watch_list"]


class Ping(ClientFrame):
    type: Literal["ping"]


AnyClientFrame = Follow | Unfollow | Watch | Unwatch | WatchList | Ping

_client_frames = TypeAdapter[AnyClientFrame](Annotated[AnyClientFrame, Field(discriminator="type")])


TYPES = "follow, unfollow, watch, unwatch, watch_list, ping"


class NotAFrame(Exception):
    """What a client sent is no frame of PROTOCOL.md; the message says why, and what would be right."""


def parse_client_frame(data: str | bytes) -> AnyClientFrame:
    """Read a client's frame. Raises NotAFrame."""
    try:
        return _client_frames.validate_json(data)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
    match fault["type"]:
        case "union_tag_not_found":
            raise NotAFrame(f"type is missing; expected one of {TYPES}")
        case "union_tag_invalid":
            raise NotAFrame(f"type {fault['ctx']['tag']!r} is unknown; expected one of {TYPES}")
        case "extra_forbidden":
            raise NotAFrame(f"{_place(fault['loc'])} is unknown")
    raise NotAFrame(": ".join(filter(None, [_place(fault["loc"]), fault["msg"]])))


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def problem(status: int, title: str, detail: str) -> dict[str, Any]:
    """An RFC 9457 object."""
    return {"status": status, "title": title, "detail": detail}


REVOKED = problem(410, "No longer shared", "This link was revoked, or its time is over.")
UNSHARED = problem(404, "Not found", "This link leads nowhere: it never did, or its conversation was deleted.")
EXPIRED = problem(410, "Expired", "This stream is kept no longer. The saved message is in its conversation.")
UNKNOWN = problem(404, "Not found", "There is no such stream, or it is not yours.")


def describe(event: Event) -> list[dict[str, Any]]:
    """The frames that say it."""
    if isinstance(event, Serving):
        return [
            {
                "type": "following",
                "stream": event.stream_id,
                "epoch": event.epoch,
                "index": event.index,
                "state": event.state,
            }
        ]
    if isinstance(event, Ahead):
        return [{"type": "queue", "stream": event.stream_id, "ahead": event.count, "away": event.away}]
    if isinstance(event, Gone):
        return [{"type": "gone", "stream": event.stream_id, "problem": EXPIRED}]
    return _describe_batch(event)


def _describe_batch(batch: Batch) -> list[dict[str, Any]]:
    text, reasoning, note, end = batch.joined()
    place = {"stream": batch.stream_id, "epoch": batch.epoch}
    stop = batch.stop if end is None else batch.stop - 1
    frames: list[dict[str, Any]] = []
    if stop > batch.start:
        chunks = {"type": "chunks", **place, "start": batch.start, "stop": stop}
        if text:
            chunks["text"] = text
        if reasoning:
            chunks["reasoning"] = reasoning
        if note is not None:
            chunks["note"] = note
        frames.append(chunks)
    if end is not None:
        how = {"outcome": end.outcome, "reason": end.reason, "usage": end.usage}
        frames.append({"type": "end", **place, "start": stop, "stop": stop + 1, **how})
    return frames


def websocket(event: Event) -> bytes:
    """The event as whole WebSocket frames, as they go to any number of sockets."""
    return b"".join(map(text_frame, describe(event)))


def deflated(event: Event) -> bytes:
    """As `websocket`, with large frames compressed, for sockets that have agreed to it (sockets.DEFLATE).

    Each frame is compressed by itself, so these too are the same for any number of sockets, and none keeps a window.
    """
    return b"".join(text_frame(frame, deflate=True) for frame in describe(event))


def text_frame(frame: dict[str, Any], *, deflate: bool = False) -> bytes:
    """A WebSocket text frame as a server sends it: final and not masked (RFC 6455, section 5.2).

    With `deflate` one that is large is compressed (RFC 7692, section 7.2.1).
    """
    data, first = to_json(frame), 0x81
    if deflate and len(data) >= WORTH_DEFLATING:
        compressor = zlib.compressobj(FASTEST, wbits=-zlib.MAX_WBITS)
        data, first = (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4], 0xC1
    if len(data) < 126:
        return struct.pack("!BB", first, len(data)) + data
    if len(data) < 65_536:
        return struct.pack("!BBH", first, 126, len(data)) + data
    return struct.pack("!BBQ", first, 127, len(data)) + data


def server_sent(event: Event) -> bytes:
    """The event as server-sent events. The id of each is the position after it."""
    lines: list[bytes] = []
    for frame in describe(event):
        epoch, index = frame.get("epoch"), frame.get("stop", frame.get("index"))
        if epoch is not None:
            lines.append(f"id: {epoch}:{index}\n".encode())
        lines += [f"event: {frame['type']}\ndata: ".encode(), to_json(frame), b"\n\n"]
    return b"".join(lines)
