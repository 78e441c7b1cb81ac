"""Reading what is stored: the list is the truth, everything else is a hint."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streams import keys, scripts
from streams.chunk import UNREADABLE_END, End, Position, encode_end, is_epoch, join
from streams.connection import Client
from streams.errors import StreamNotFound

PAGE = 2_000  # entries read by one call: keeps any single call to Redis well under a millisecond


@dataclass(frozen=True, slots=True)
class Page:
    """Entries `[start, start + len(entries))` of a stream, and its length, at one instant.

    `epoch` is None while nobody has begun to write it.
    """

    epoch: str | None
    start: int
    length: int
    ended: bool
    entries: list[bytes]

    @property
    def stop(self) -> int:
        """The index behind the last entry here."""
        return self.start + len(self.entries)

    @property
    def state(self) -> str:
        """While nobody has begun to write it "queued", then "running", then "ended"."""
        return "ended" if self.ended else "running" if self.epoch else "queued"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream is. `state` is as in Page."""

    state: str
    epoch: str | None
    length: int


@dataclass(frozen=True, slots=True)
class Recording:
    """The text of `[start, stop)` of a stream, joined. `state` is as in Page, `note` as in Joined."""

    stream_id: str
    state: str
    epoch: str | None
    start: int
    stop: int
    text: str
    reasoning: str
    note: str | None
    end: End | None


def read_pages(client: Client, wanted: Sequence[tuple[str, Position | None]], limit: int = PAGE) -> list[Page | None]:
    """Read one page of each stream from its position on, in one round trip; None for a stream that is not there.

    A page of another epoch than the position's begins at 0. Raises redis.RedisError.
    """
    calls: list[scripts.Call] = []
    for stream_id, position in wanted:
        epoch, index = (position.epoch, position.index) if position else ("", 0)
        calls.append((scripts.read, [keys.chunks(stream_id), keys.state(stream_id)], [epoch, index, limit]))
    return [_page(reply) for reply in scripts.run_together(client, *calls)]


def read_progress(client: Client, stream_ids: Sequence[str]) -> list[Progress | None]:
    """How far each stream is, without its text; None for one that is not there. Raises redis.RedisError."""
    pages = read_pages(client, [(stream_id, None) for stream_id in stream_ids], limit=0)
    return [Progress(page.state, page.epoch, page.length) if page else None for page in pages]


def read_recording(
    client: Client, stream_id: str, position: Position | None = None, stop: int | None = None
) -> Recording:
    """Everything that is stored from `position` on, and below `stop`. Raises StreamNotFound, redis.RedisError."""
    start, entries = 0, list[bytes]()
    while True:
        [page] = read_pages(client, [(stream_id, position)])
        if page is None:
            raise StreamNotFound(stream_id)
        if page.start != start + len(entries):  # the first page, or the beginning of other text
            start, entries = page.start, []
        entries += page.entries
        if page.epoch is None or page.stop >= page.length:
            break
        position = Position(page.epoch, page.stop)
    if stop is not None:
        del entries[max(0, stop - start) :]
    joined = join(entries)
    place = (start, start + len(entries))
    return Recording(stream_id, page.state, page.epoch, *place, joined.text, joined.reasoning, joined.note, joined.end)


def _page(reply: Any) -> Page | None:
    if reply is None:
        return None
    name, start, length, ended, entries, lacks_end = reply
    epoch = name.decode("ascii", "replace")
    if not is_epoch(epoch) if epoch else ended:
        return None  # none of ours: a reader could not resume it
    if lacks_end:
        entries = [*entries, encode_end(UNREADABLE_END)]
    return Page(epoch or None, start, length, bool(ended), entries)
