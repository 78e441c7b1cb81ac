"""The way of an answer into the database, from the worker that wrote it or from a reaper that found it."""

import logging

import gevent
import redis
from sqlalchemy.exc import SQLAlchemyError

from conversations import Changed, Prompt, Store
from streams import Client, End, Recording, announce_version
from workers.metrics import DATABASE_SAVES, SHARED

log = logging.getLogger(__name__)


class Saver:
    """Writes what becomes of an answer, and tells who watches. Every method may raise SQLAlchemyError."""

    def __init__(self, store: Store, client: Client) -> None:
        self._store = store
        self._redis = client

    def begin(self, stream_id: str) -> Prompt:
        """Show that a worker has begun; what it is to ask. Raises NotFound for a send that was taken back."""
        begun = self._store.begin(stream_id)
        gevent.spawn(self._announce, begun.changed)  # while the model is asked
        return begun.prompt

    def save(self, stream_id: str, text: str, reasoning: str, end: End) -> None:
        """Save an answer that has ended. What was saved before stays as it is."""
        try:
            saved = self._store.save_answer(
                stream_id, text=text, reasoning=reasoning, outcome=end.outcome, reason=end.reason, usage=end.usage
            )
        except SQLAlchemyError:
            DATABASE_SAVES.labels(result="failed").inc()
            raise
        DATABASE_SAVES.labels(result="saved").inc()
        if saved is not None:
            SHARED.ended.labels(outcome=end.outcome.value).inc()
        self._announce(saved)

    def save_recording(self, recording: Recording) -> None:
        """Save what a reaper found."""
        if recording.end is None:
            raise ValueError(f"stream {recording.stream_id} has not ended")
        self.save(recording.stream_id, recording.text, recording.reasoning, recording.end)

    def name(self, conversation_id: str, title: str, *, instead_of: str) -> bool:
        """Give a conversation this title, if it still has that one. Returns whether it had."""
        named = self._store.name(conversation_id, title, instead_of=instead_of)
        self._announce(named)
        return named is not None

    def _announce(self, changed: Changed | None) -> None:
        if changed is None:
            return
        try:
            announce_version(self._redis, changed.conversation_id, changed.version, changed.owner)
        except redis.RedisError as error:
            # Only a hint: whoever reads the database next sees the version.
            facts = {"conversation_id": changed.conversation_id}
            log.warning("news of a conversation was lost: %s", error, extra=facts)
