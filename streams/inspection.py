"""Looking at streams from outside: for whoever runs the service, never on the way of a chunk.

Everything here only reads, and all streams together cost one round trip: one call of inspect.lua for each, whose keys
lie in one slot. Times are ages by Redis's own clock, so no two machines have to agree on one. What another version, or
nobody, has stored is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from streams import keys, scripts
from streams.chunk import UNREADABLE_END, End, Position, decode_end, is_end, is_epoch
from streams.connection import Client
from streams.reader import read_pages
from streams.shards import shard_of

AT_ONCE = 100  # streams in one round trip: a few milliseconds, for Redis and for whoever asks


@dataclass(frozen=True, slots=True)
class Sight:
    """One stream as it is at this moment. Times are in seconds, sizes in bytes."""

    stream_id: str
    state: str
    """While nobody has begun to write it "queued", then "running", then "ended"; "missing" where Redis has none."""
    chunks: int = 0
    bytes: int | None = None
    """What its chunks take in Redis's memory, about; None where Redis does not say."""
    announced: float | None = None
    """So long ago it was queued."""
    opened: float | None = None
    """So long ago its writer began."""
    grown: float | None = None
    """So long ago a heartbeat of its writer last found new chunks (one heartbeat is a quarter of a lease)."""
    lease_left: float | None = None
    """Until its producer is taken for dead, or it for forgotten in the queue; below 0: a reaper is about to look."""
    epoch: str | None = None
    fence: int | None = None
    taken: bool = False
    """A worker has its job, and has not begun."""
    again: str | None = None
    """It was begun again: "owed" until there is a job for that, then "queued"."""
    cancel: bool = False
    """Somebody asked to stop."""
    end: End | None = None

    @property
    def age(self) -> float | None:
        """Since it was queued or, where that is not known, begun."""
        return self.announced if self.announced is not None else self.opened


@dataclass(frozen=True, slots=True)
class Contents:
    """What the chunks of a stream are, without their text. Sizes are in bytes of UTF-8."""

    text: int = 0
    text_bytes: int = 0
    reasoning: int = 0
    reasoning_bytes: int = 0
    notes: int = 0


def unsettled(client: Client, most: int | None = None) -> list[str]:
    """The streams that are not saved yet: those in flight, and those that ended just now. Raises redis.RedisError.

    At `most` so many: those first that somebody has to look after the soonest.
    """
    if most == 0:
        return []
    members: list[Any] = client.zrange(keys.UNSETTLED, 0, -1 if most is None else most - 1)
    return [member.decode("utf-8", "replace") for member in members]


def count_unsettled(client: Client) -> int:
    """How many there are. Raises redis.RedisError."""
    return int(client.zcard(keys.UNSETTLED))


def look_at(client: Client, stream_ids: Sequence[str]) -> list[Sight]:
    """Each of these streams, in this order, in one round trip. Raises redis.RedisError."""
    replies = scripts.run_together(client, *_calls(stream_ids)) if stream_ids else []
    return [_sight(stream_id, reply) for stream_id, reply in zip(stream_ids, replies, strict=True)]


def try_to_look_at(client: Client, stream_ids: Sequence[str]) -> list[Sight | None]:
    """As `look_at`, for many: some at a time, so that nobody else waits for long. None for a stream whose server of a
    cluster does not answer; it is asked for no others then."""
    seen: list[Sight | None] = []
    away: set[redis.Redis] = set()
    for start in range(0, len(stream_ids), AT_ONCE):
        some = [(each, shard_of(client, keys.state(each))) for each in stream_ids[start : start + AT_ONCE]]
        there = [stream_id for stream_id, shard in some if shard not in away]
        replies = dict(zip(there, scripts.try_together(client, _calls(there)) if there else [], strict=True))
        away |= {shard for stream_id, shard in some if isinstance(replies.get(stream_id), Exception)}
        seen += [_sight(each, replies[each]) if shard not in away else None for each, shard in some]
    return seen


def look_at_all(client: Client) -> list[Sight]:
    """Every unsettled stream, the oldest first. Raises redis.RedisError."""
    return sorted(look_at(client, unsettled(client)), key=lambda sight: sight.age or 0.0, reverse=True)


def look_into(client: Client, stream_id: str) -> Contents | None:
    """What its chunks are: all of them are read for that. None for one that is not there. Raises redis.RedisError."""
    text, text_bytes, reasoning, reasoning_bytes, notes = 0, 0, 0, 0, 0
    position = None
    while True:
        [page] = read_pages(client, [(stream_id, position)])
        if page is None:
            return None
        if page.start == 0:
            text, text_bytes, reasoning, reasoning_bytes, notes = 0, 0, 0, 0, 0
        for entry in page.entries:
            match entry[:2]:
                case b"t:":
                    text, text_bytes = text + 1, text_bytes + len(entry) - 2
                case b"r:":
                    reasoning, reasoning_bytes = reasoning + 1, reasoning_bytes + len(entry) - 2
                case b"n:":
                    notes += 1
        if page.epoch is None or page.stop >= page.length:
            return Contents(text, text_bytes, reasoning, reasoning_bytes, notes)
        position = Position(page.epoch, page.stop)


def _calls(stream_ids: Sequence[str]) -> list[scripts.Call]:
    return [(scripts.inspect, [keys.chunks(stream_id), keys.state(stream_id)], []) for stream_id in stream_ids]


def _sight(stream_id: str, reply: Any) -> Sight:
    if reply is None:
        return Sight(stream_id, "missing")
    now, chunks, size, last, flat = reply
    fields = {name.decode("utf-8", "replace"): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
    epoch = fields.get("epoch", b"").decode("ascii", "replace")
    ended = "ended" in fields
    if not is_epoch(epoch) if epoch else ended:
        return Sight(stream_id, "missing")  # none of ours: readers take it for gone, too
    lease = _number(fields, "lease")
    return Sight(
        stream_id,
        "ended" if ended else "running" if epoch else "queued",
        chunks,
        size if size >= 0 else None,
        announced=_ago(now, fields, "announced"),
        opened=_ago(now, fields, "opened") if epoch else None,
        grown=_ago(now, fields, "grown") if epoch else None,
        lease_left=None if lease is None else (lease - now) / 1000,
        epoch=epoch or None,
        fence=_number(fields, "fence"),
        taken="taken" in fields and not epoch,
        again=fields["again"].decode("utf-8", "replace") if "again" in fields else None,
        cancel="cancel" in fields,
        end=(decode_end(last) if is_end(last) else UNREADABLE_END) if ended else None,
    )


def _number(fields: Mapping[str, bytes], name: str) -> int | None:
    text = fields.get(name, b"")
    return int(text) if text.isdigit() and len(text) <= 15 else None


def _ago(now: int, fields: Mapping[str, bytes], name: str) -> float | None:
    moment = _number(fields, name)
    return None if moment is None else max(0, now - moment) / 1000
