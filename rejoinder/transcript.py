"""What is held of one stream, frame by frame; the rules are those of webapp/PROTOCOL.md, section 1.

Rule: no I/O in this file. What fits to what is decided by `streams.follower`, as in the web process: a frame is a range
of entries, of which the text has been joined, so here it becomes a range of as many entries again.
"""

import json
from typing import Any, TypeGuard

from streams.chunk import Kind, Notification, Position, encode_note, encode_text, is_epoch
from streams.follower import Follower
from streams.reader import Page

Json = dict[str, Any]

MOST = 1_000_000  # entries in one frame; the server's own have some thousands


class OutOfStep(Exception):
    """A frame came that does not fit to what is held. Follow the stream anew, from its beginning."""


class Transcript:
    """The entries of a stream from 0 on, without a hole, as they came."""

    def __init__(self) -> None:
        self._follower = Follower()

    @property
    def position(self) -> Position | None:
        """What to send to resume."""
        return self._follower.position

    @property
    def ended(self) -> bool:
        """Whether the end is held."""
        return self._follower.ended

    def begin(self, frame: Json) -> bool:
        """Take `following`. True: it is other text than before, so what was held is no more. Raises OutOfStep."""
        epoch, index = frame.get("epoch"), frame.get("index")
        if not (epoch is None or (isinstance(epoch, str) and is_epoch(epoch))) or not _is_index(index):
            raise OutOfStep("unreadable")
        before = self._follower.epoch
        self._follower.replayed(Page(epoch, index, index, ended=False, entries=[]))
        if index != len(self._follower.entries):
            raise OutOfStep(f"served from {index}")
        return epoch != before

    def take(self, frame: Json) -> list[bytes]:
        """Take `chunks` or `end`; the entries that are new. Raises OutOfStep."""
        start, stop = frame.get("start"), frame.get("stop")
        if not (_is_index(start) and _is_index(stop) and start < stop <= start + MOST):
            raise OutOfStep("unreadable")
        known = len(self._follower.entries)
        if start < known < stop:
            raise OutOfStep(f"[{start}, {stop}) is partly known")
        if stop > known and self.ended:
            raise OutOfStep("more after the end")
        news = Notification(frame.get("epoch") or "", start, stop, _entries(frame, stop - start))
        if not self._follower.notified(news):
            raise OutOfStep(f"[{start}, {stop}) does not fit")
        return self._follower.entries[known:]


def _is_index(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 10**15


def _entries(frame: Json, count: int) -> list[bytes]:
    """As many as the frame was made of, with the same text, reasoning, note and end."""
    if frame["type"] == "end":
        fields = {name: frame.get(name) for name in ("outcome", "reason", "usage")}
        return [b"e:" + json.dumps(fields).encode()]
    text, reasoning, note = (frame.get(name) for name in ("text", "reasoning", "note"))
    entries = []
    if isinstance(reasoning, str) and reasoning:
        entries.append(encode_text(Kind.REASONING, reasoning))
    if isinstance(text, str) and text:
        entries.append(encode_text(Kind.TEXT, text))
    last = [encode_note(note)] if isinstance(note, str) else []
    filling = count - len(entries) - len(last)
    if filling < 0:
        raise OutOfStep("more in it than it says")
    return [*entries, *[b"t:"] * filling, *last]
