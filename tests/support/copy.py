"""What a client holds of one stream, kept by the rules of webapp/PROTOCOL.md, section 1.

Rule: no I/O in this file. Frames go in, in the order in which they came; so whatever reads streams in Python (tests,
fault suite, benchmarks, `make smoke`) holds its text by the same rules, and notices the same faults.
"""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class ProtocolBroken(Exception):
    """A frame came that the protocol does not allow at this place."""


@dataclass
class Copy:
    """The text of the chunks `[0, next_index)` of an epoch, and the end once it is there."""

    epoch: str | None = None
    next_index: int = 0
    text: str = ""
    reasoning: str = ""
    note: str = ""
    state: str = "unknown"
    end: Json | None = None
    epochs: int = 0
    """How many epochs were seen, this one included."""
    seen_before: int = 0
    """How many frames came that brought nothing new."""

    @property
    def position(self) -> str | None:
        """What to send to resume."""
        return f"{self.epoch}:{self.next_index}" if self.epoch else None

    def take(self, frame: Json) -> None:
        """Take a frame of this stream. Raises ProtocolBroken, and is then what it was before."""
        match frame["type"]:
            case "following":
                self._begin(frame)
            case "chunks" | "end":
                self._append(frame)

    def clear(self) -> None:
        """Hold nothing, so that all of it is asked for."""
        self.next_index, self.text, self.reasoning, self.note, self.end = 0, "", "", "", None

    def _begin(self, frame: Json) -> None:
        if frame["epoch"] != self.epoch:
            self.clear()
            self.epoch = frame["epoch"]
            self.epochs += self.epoch is not None
        self.state = frame["state"]
        if frame["index"] > self.next_index:
            raise ProtocolBroken(f"asked for {self.position}, served from {frame['index']}: a gap")

    def _append(self, frame: Json) -> None:
        place = f"{frame['epoch']}:[{frame['start']}, {frame['stop']})"
        if frame["epoch"] != self.epoch:
            raise ProtocolBroken(f"at {self.position} came {place}: another epoch, unannounced")
        if self.end is not None:
            raise ProtocolBroken(f"after the end came {place}")
        if frame["stop"] <= self.next_index and frame["type"] == "chunks":
            self.seen_before += 1
            return
        if frame["start"] != self.next_index:
            what = "a gap" if frame["start"] > self.next_index else "a repetition"
            raise ProtocolBroken(f"at {self.position} came {place}: {what}")
        self.next_index = frame["stop"]
        text, reasoning = frame.get("text") or "", frame.get("reasoning") or ""
        self.text += text
        self.reasoning += reasoning
        self.note = frame.get("note", "" if text or reasoning else self.note)
        if frame["type"] == "end":
            self.end, self.state, self.note = frame, "ended", ""
