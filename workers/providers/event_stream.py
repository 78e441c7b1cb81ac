"""Cuts bytes into server-sent events.

Rule: no I/O in this file. Why not the HTTP library's lines: it also breaks them at U+2028 and its like, which are
ordinary characters inside a JSON string.
"""

from workers.providers.source import ModelFailed

MAX_EVENT = 16 * 1024 * 1024  # bytes; a whole answer of MAX_ANSWER_BYTES in one event, half of it escaped
TOO_LONG = "The model sent more in one piece than this server can take."


class EventStream:
    """Bytes in, cut anywhere; the data of whole events out. Other fields, and comments, are dropped."""

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self._max_event = max_event
        self._line = bytearray()  # the beginning of a line
        self._data: list[bytes] = []  # the data lines of an event that is not over
        self._held = 0  # their bytes

    def feed(self, piece: bytes) -> list[str]:
        """Take the next bytes; return the data of the events that are now whole.

        Raises ModelFailed for one that does not end: what is kept of it is memory.
        """
        events = []
        first, *others = piece.split(b"\n")
        self._line += first
        for other in others:  # each after a line feed
            events += self._end_line()
            self._line += other
        if self._held + len(self._line) > self._max_event:
            raise ModelFailed(TOO_LONG, f"an event of more than {self._max_event:,} bytes")
        return events

    def flush(self) -> list[str]:
        """Return the event whose closing empty line is missing, if there is one: some servers spare it at the end."""
        if not self._data:
            return []
        data = b"\n".join(self._data).decode("utf-8", "replace")
        self._data.clear()
        self._held = 0
        return [data]

    def _end_line(self) -> list[str]:
        line = bytes(self._line).removesuffix(b"\r")
        self._line.clear()
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            self._held += len(line)
            return []
        return [] if line else self.flush()


class WholeBody:
    """The same for a body that is no event stream but one JSON value, and so one event.

    That is how errors come from servers that say 200 to everything, and whole answers from those that cannot stream.
    """

    def __init__(self, longest: int = MAX_EVENT) -> None:
        self._longest = longest
        self._body = bytearray()

    def feed(self, piece: bytes) -> list[str]:
        """Take the next bytes. Raises ModelFailed as EventStream does."""
        self._body += piece
        if len(self._body) > self._longest:
            raise ModelFailed(TOO_LONG, f"a body of more than {self._longest:,} bytes")
        return []

    def flush(self) -> list[str]:
        """Return the body, if there is one."""
        return [self._body.decode("utf-8", "replace")] if self._body else []
