"""What a stream is made of, and its only encoding.

An entry of the Redis list is one letter for its kind, a colon, and the text as it is (UTF-8), so that
`redis-cli lrange` shows the answer:

    t:Once upon        text
    r:The user wants   reasoning
    n:The model is …   a note: what the producer waits for, until there is text
    e:{"outcome": …}   the end, always the last

A notification is one line of header and, while small, the entries themselves behind it (see append.lua).
"""

import json
import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple, Self

MAX_CHUNK_CHARS = 16_384
"""A longer run of text becomes several chunks, so that no single entry or frame is huge (at most 64 KiB of UTF-8)."""


MAX_NOTE_CHARS = 200
"""A note is a short sentence; what is longer is cut."""


class Kind(Enum):
    """What a chunk holds; the value is its letter in the entry."""

    TEXT = "t"
    REASONING = "r"


class Outcome(StrEnum):
    """How a stream ended."""

    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class End:
    """No more chunks, ever. `reason` is a sentence for the person who reads the answer."""

    outcome: Outcome
    reason: str | None = None
    usage: dict[str, int] | None = None


LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # UTF-8 holds none
UNREADABLE_END = End(Outcome.FAILED, "How this answer ended could not be read. A newer version may have written it.")


def is_epoch(text: str) -> bool:
    """Whether this can name an incarnation of a text: short, and safe in any frame, header or line."""
    return text.isascii() and text.isalnum() and len(text) <= 48


@dataclass(frozen=True, slots=True)
class Position:
    """What a reader holds: the incarnation of the text, and the next index that it needs."""

    epoch: str
    index: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `epoch:index`. Raises ValueError saying what would be right."""
        epoch, colon, index = text.rpartition(":")
        if not (
            colon
            and is_epoch(epoch)
            and index.isascii()
            and index.isdigit()
            and len(index) <= 15  # as many as every language and Redis can count
        ):
            raise ValueError(f"{text[:80]!r} is not a position; expected epoch:index, for example 3f9ac2b17d04e586:42")
        return cls(epoch, int(index))

    def __str__(self) -> str:
        return f"{self.epoch}:{self.index}"


class Notification(NamedTuple):
    """Entries `[start, stop)` of an epoch now exist. `entries` is None where they are to be read from the list."""

    epoch: str
    start: int
    stop: int
    entries: list[bytes] | None


def encode_text(kind: Kind, text: str) -> bytes:
    """The entry of a chunk. What UTF-8 cannot hold (half a surrogate pair) becomes U+FFFD."""
    return _utf8(f"{kind.value}:{text}")


def encode_note(words: str) -> bytes:
    """The entry of a note; empty words take back the one before."""
    return _utf8(f"n:{words[:MAX_NOTE_CHARS]}")


def encode_end(end: End) -> bytes:
    """The entry of an end."""
    fields = {"outcome": end.outcome, "reason": end.reason, "usage": end.usage}
    return _utf8("e:" + json.dumps(fields, ensure_ascii=False))


def is_end(entry: bytes) -> bool:
    """Whether this entry is the end of its stream."""
    return entry.startswith(b"e:")


def decode_end(entry: bytes) -> End:
    """Read an entry for which `is_end` is true. One that cannot be read is an end all the same, and says so."""
    try:
        fields = json.loads(entry[2:])
        end = End(Outcome(fields["outcome"]), fields["reason"], fields["usage"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return UNREADABLE_END
    return end if _can_be_told(end) else UNREADABLE_END


def _can_be_told(end: End) -> bool:
    """Whether it can be sent to anyone and saved: JSON holds more than that, and Python reads more than JSON."""
    usage = {} if end.usage is None else end.usage
    return (
        (end.reason is None or _is_text(end.reason))
        and isinstance(usage, dict)
        and all(_is_text(name) and type(count) is int and abs(count) < 2**53 for name, count in usage.items())
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and LONE_SURROGATE.search(value) is None


class Joined(NamedTuple):
    """The text of a range of entries, by kind, and the end if the range reaches it.

    `note` is what the producer waits for: the note that the range closes with, for any text makes the one before
    it void, and so does the end. None where there is no such; empty where it waits no longer.
    """

    text: str
    reasoning: str
    note: str | None
    end: End | None


def join(entries: list[bytes]) -> Joined:
    """Join a range of entries. What lies between text and reasoning in time is not kept: they are read apart.

    Entries of kinds that are not known here are passed over: a newer version may have written them.
    """
    end = None
    if entries and is_end(entries[-1]):
        end = decode_end(entries[-1])
        entries = entries[:-1]
    text = b"".join([entry[2:] for entry in entries if entry.startswith(b"t:")])
    reasoning = b"".join([entry[2:] for entry in entries if entry.startswith(b"r:")])
    waits = end is None and bool(entries) and entries[-1].startswith(b"n:")
    note = entries[-1][2:].decode("utf-8", "replace") if waits else None
    return Joined(text.decode("utf-8", "replace"), reasoning.decode("utf-8", "replace"), note, end)


def decode_notification(payload: bytes) -> Notification:
    """Read `epoch start stop sizes`, a line feed, and the entries joined. Without entries, `sizes` is empty.

    Raises ValueError for what is none.
    """
    header, _, body = payload.partition(b"\n")
    epoch, *places, sizes = header.split(b" ")
    if not all(map(bytes.isdigit, places)):  # `int` would take much else
        raise ValueError(f"{payload[:80]!r} is no notification")
    start, stop = map(int, places)
    entries = None
    if sizes:
        entries, place = [], 0
        for size in sizes.split(b","):
            entries.append(body[place : place + int(size)])
            place += int(size)
        if place != len(body) or len(entries) != stop - start or b"-" in sizes:
            raise ValueError(f"{payload[:80]!r} does not hold what it says")
    elif start > stop:
        raise ValueError(f"{payload[:80]!r} ends before it begins")
    return Notification(epoch.decode(), start, stop, entries)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
