"""Cuts bytes into server-sent events.

Rule: no I/O in this file. Why not the HTTP library's lines: it also breaks them at U+2028 and its like, which are
ordinary characters inside a JSON string.
"""


class EventStream:
    """Bytes in, cut anywhere; the data of whole events out. Other fields, and comments, are dropped."""

    def __init__(self) -> None:
        self._rest = b""  # the beginning of a line
        self._data: list[bytes] = []  # the data lines of an event that is not over

    def feed(self, piece: bytes) -> list[str]:
        """Take the next bytes; return the data of the events that are now whole."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        events = []
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line:
                events += self.flush()
        return events

    def flush(self) -> list[str]:
        """Return the event whose closing empty line is missing, if there is one: some servers spare it at the end."""
        if not self._data:
            return []
        data = b"\n".join(self._data).decode("utf-8", "replace")
        self._data.clear()
        return [data]
