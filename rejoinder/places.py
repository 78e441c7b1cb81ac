"""What an address leads to: a shared conversation, one of one's own, or a single stream."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlsplit

NAME = r"([A-Za-z0-9_-]{1,64})"
PATHS = {
    "share": re.compile(rf"(.*)/s/{NAME}/?"),
    "conversation": re.compile(rf"(.*)/c/{NAME}/?"),
    "stream": re.compile(rf"(.*)/api/streams/{NAME}/?"),
}
EXPECTED = "expected https://host/s/…, https://host/c/… or https://host/api/streams/…"


@dataclass(frozen=True, slots=True)
class Place:
    """One of the three is named; of a stream perhaps the share, too, by which one is let in."""

    server: str
    """Where the paths of the API begin, without a slash at the end."""
    share: str | None = None
    conversation: str | None = None
    stream: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ValueError saying what would be right."""
        server = server_of(url)
        parts = urlsplit(url)
        for kind, pattern in PATHS.items():
            if found := pattern.fullmatch(parts.path):
                by = parse_qs(parts.query).get("share", [None])[0] if kind == "stream" else None
                base = server.removesuffix(parts.path.rstrip("/")) + found[1]
                named = {"share": by, "conversation": None, "stream": None, kind: found[2]}
                return cls(base, named["share"], named["conversation"], named["stream"])
        raise ValueError(f"nothing can be followed at this address; {EXPECTED}")

    @property
    def path(self) -> str:
        """Where the API has the conversation."""
        return f"/api/shares/{self.share}" if self.share else f"/api/conversations/{self.conversation}"

    @property
    def name(self) -> str:
        """The conversation's, in frames."""
        return self.share or self.conversation or ""

    @property
    def query(self) -> str:
        """What lets one in."""
        return f"?share={self.share}" if self.share else ""


def server_of(url: str) -> str:
    """The address without its query, and without a slash at its end. Raises ValueError saying what would be right."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"this is no address ({error}); {EXPECTED}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"an address begins with https:// or http://, and a host; {EXPECTED}")
    return parts._replace(query="", fragment="", path=parts.path.rstrip("/")).geturl()
