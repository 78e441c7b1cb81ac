"""What one can do with a stream without writing or following it."""

import secrets
from collections.abc import Sequence

from streams import keys, scripts
from streams.chunk import End, Outcome, Position, encode_end
from streams.connection import Client
from streams.errors import StreamNotFound
from streams.reader import Progress, Recording, read_progress, read_recording
from streams.settings import StreamSettings
from streams.shards import raised, together

CANCELLED = End(Outcome.CANCELLED, "Stopped before the answer began.")


class StreamControl:
    """Announce, read, cancel, and let go. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: Client, settings: StreamSettings) -> None:
        self._redis = client
        self._settings = settings

    def announce(self, stream_id: str) -> None:
        """Let a stream exist, queued. If no worker begins it within `queue_limit`, it ends as interrupted."""
        waiting, expiry = int(self._settings.queue_limit * 1000), int(self._settings.unsaved_retention * 1000)
        # In this order: an id on the list without a stream is soon taken off; the other way round it could be lost.
        scripts.run_together(
            self._redis,
            (scripts.watch, [keys.UNSETTLED], [waiting, 0, stream_id]),
            (scripts.announce, [keys.state(stream_id)], [waiting, expiry]),
        )

    def mark_taken(self, stream_id: str, begins_within: float) -> None:
        """A worker has taken it: unless it begins within so many seconds, it is taken for dead."""
        within = int(begins_within * 1000)
        scripts.run_together(
            self._redis,
            (scripts.taken, [keys.state(stream_id)], [within]),
            (scripts.watch, [keys.UNSETTLED], [within, 1, stream_id]),
        )

    def read(self, stream_id: str, position: Position | None = None, *, stop: int | None = None) -> Recording:
        """What is stored from `position` on, from 0 without one or with another epoch's, and below `stop`.

        Raises StreamNotFound.
        """
        return read_recording(self._redis, stream_id, position, stop)

    def progress(self, stream_ids: Sequence[str]) -> list[Progress | None]:
        """How far each is, in one round trip; None for one that Redis does not hold."""
        return read_progress(self._redis, stream_ids)

    def ask_cancel(self, stream_id: str) -> bool:
        """Stop a stream: one that is queued ends here and now, one that is written is stopped by its writer.

        Returns False if it had ended before. Raises StreamNotFound.
        """
        end = encode_end(CANCELLED)
        verdict = scripts.end_stream(
            self._redis,
            [keys.chunks(stream_id), keys.state(stream_id), keys.news(stream_id)],
            ["cancel", secrets.token_hex(8), int(self._settings.unsaved_retention * 1000), end, end],
        )
        if verdict == b"unknown":
            raise StreamNotFound(stream_id)
        if verdict == b"alive":
            tell(self._redis, (keys.CONTROL, stream_id))  # its writer is told in any case; this only wakes it
        if verdict == b"done":
            scripts.watch(self._redis, [keys.UNSETTLED], [0, 0, stream_id])  # to be saved by whoever reaps next
        return bool(verdict != b"ended")

    def mark_saved(self, stream_id: str) -> None:
        """The message is in the database: nobody has to look after the stream, and its retention begins."""
        retention = int(self._settings.retention * 1000)
        commands = [
            ("PEXPIRE", keys.chunks(stream_id), retention),
            ("PEXPIRE", keys.state(stream_id), retention),
            ("ZREM", keys.UNSETTLED, stream_id),
        ]
        raised(together(self._redis, commands))


def announce_version(client: Client, conversation_id: str, version: int, owner: str) -> None:
    """Tell whoever watches a conversation, or the list that it is in, that it has changed.

    A hint: the version in the database is the truth.
    """
    tell(client, (keys.conversation(conversation_id), version), (keys.listing(owner), conversation_id))


def announce_change(client: Client, conversation_id: str) -> None:
    """As above, of something beside the conversation: its discussion, or who may see it."""
    tell(client, (keys.conversation(conversation_id), "changed"))


def tell(client: Client, *news: tuple[str, str | int]) -> None:
    """Publish each on its channel, in one round trip for each server. Raises redis.RedisError."""
    raised(together(client, [("SPUBLISH", channel, message) for channel, message in news]))
