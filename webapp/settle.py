"""Brings the database up to date with a stream that is over, whoever notices first.

A conversation says that an answer is being written in it. Usually the worker that writes it says at the end that it
is done. When that worker died, others notice: the reaper in any process, a person who opens the conversation or sends
the next message, and, when Redis has lost the stream as well, the sweep of any web process. They all come here.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from conversations import Changed, ConversationRecord, Queued, Store
from jobs import Handover, has_job, is_known
from streams import Outcome, Progress, Recording, StreamControl, StreamNotFound
from streams.control import CANCELLED
from webapp.metrics import SHARED
from webapp.patience import patiently

log = logging.getLogger(__name__)

Announce = Callable[[str, int, str], None]

SWEEP_INTERVAL = 4.0  # seconds between looks at all that is in flight
UNDO = timedelta(minutes=10)  # in which a deletion can be taken back; then it is for good
UNHEARD = 3.5  # seconds: a send is handed over, and a writer mends an emptied Redis, sooner; who follows waits for ten
PATIENCE = 8.0  # seconds that a stream may be missing; a live writer mends an emptied Redis within two
FORGET = 60.0  # seconds after which it is no longer remembered since when a stream is missing
VANISHED = "The answer was lost with the server that held it. What was saved before is kept."


class Settler:
    """One per process. Its methods may be called from any thread, any number of times for the same stream."""

    def __init__(
        self,
        store: Store,
        control: StreamControl,
        redis: Redis,
        announce: Announce,
        hand_over: Handover,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._control = control
        self._redis = redis
        self._announce = announce
        self._hand_over = hand_over
        self._clock = clock
        self._missing_since: dict[str, float] = {}

    def save(self, recording: Recording) -> None:
        """Save the answer of a stream that has ended. What was saved before stays as it is."""
        end = recording.end
        if end is None:
            raise ValueError(f"stream {recording.stream_id} has not ended")
        saved = self._store.save_answer(
            recording.stream_id,
            text=recording.text,
            reasoning=recording.reasoning,
            outcome=end.outcome,
            reason=end.reason,
            usage=end.usage,
        )
        self._ended(end.outcome, saved)

    def settled(self, read: Callable[[], ConversationRecord]) -> ConversationRecord:
        """The conversation that `read` reads, after a stream that is over was settled: nobody waits for an answer that
        nobody writes."""
        record = read()
        if record.generating is None:
            return record
        try:
            changed = self.settle(record.generating)
        except RedisError as error:  # history can be read without Redis
            log.warning("could not look at a stream: %s", error, extra={"stream_id": record.generating})
            return record
        return read() if changed else record

    def settle(self, stream_id: str) -> bool:
        """Save a stream that has ended, or give up one that has vanished. False while it is in flight.

        Raises redis.RedisError when Redis cannot say.
        """
        [progress] = patiently(partial(self._control.progress, [stream_id]))
        return self._settle(stream_id, progress)

    def sweep(self) -> None:
        """Settle whatever a conversation waits for in vain. Raises redis.RedisError, SQLAlchemyError."""
        waited_for = self._store.streams_in_flight()
        for stream_id, progress in zip(waited_for, self._control.progress(waited_for), strict=True):
            try:
                self._settle(stream_id, progress)
            except (RedisError, SQLAlchemyError):
                raise  # of all of them
            except Exception:  # the others wait too
                log.exception("stream not settled", extra={"stream_id": stream_id})

    def sweep_forever(self, closing: Event) -> None:
        """Sweep now and then, until `closing` is set; and remove for good what was deleted long enough ago."""
        while not closing.wait(SWEEP_INTERVAL):
            for work in (self.sweep, lambda: self._store.purge(UNDO)):
                try:
                    work()
                except (RedisError, SQLAlchemyError) as error:
                    log.warning("could not sweep: %s", error)
                except Exception:  # nobody else does
                    log.exception("sweeping failed")

    def _settle(self, stream_id: str, progress: Progress | None) -> bool:
        if progress is None:
            return self._give_up(stream_id)
        self._missing_since.pop(stream_id, None)
        if progress.state != "ended":
            return False
        try:
            recording = self._control.read(stream_id)
        except StreamNotFound:  # just now
            return False
        self.save(recording)
        self._control.mark_saved(stream_id)
        return True

    def _give_up(self, stream_id: str) -> bool:
        """A stream that Redis does not know is either not announced yet, or being mended by its writer, or lost."""
        if has_job(self._redis, stream_id):
            return False
        missing_for = self._missing_for(stream_id)
        if missing_for >= UNHEARD and (lost := self._lost_unheard(stream_id)):
            if self._hand_over(stream_id, lost.conversation_id, lost.model):
                facts = {"stream_id": stream_id}
                log.warning("stream vanished before a worker had it; handed over again", extra=facts)
            return False
        if missing_for < PATIENCE:
            return False
        log.warning("stream vanished", extra={"stream_id": stream_id})
        self._ended(Outcome.INTERRUPTED, self._store.settle_vanished(stream_id, VANISHED))
        return True

    def _lost_unheard(self, stream_id: str) -> Queued | None:
        """An answer that no worker has begun, so that nobody was asked; and whose job is lost too.

        None where there is still a record of that job, which has then ended without beginning.
        """
        if is_known(self._redis, stream_id):
            return None
        return self._store.queued(stream_id)

    def cancel_unheard(self, stream_id: str) -> bool:
        """Someone asked to stop an answer that Redis does not know: it ends here and now, if no worker has begun it.

        A job that is left finds it settled. False: it was begun, or had ended. Raises SQLAlchemyError.
        """
        if self._store.queued(stream_id) is None:
            return False
        saved = self._store.save_answer(
            stream_id, text="", reasoning="", outcome=CANCELLED.outcome, reason=CANCELLED.reason, usage=None
        )
        self._ended(CANCELLED.outcome, saved)
        return saved is not None

    def _missing_for(self, stream_id: str) -> float:
        now = self._clock()
        for forgotten in [each for each, since in self._missing_since.items() if now - since > FORGET]:
            del self._missing_since[forgotten]
        return now - self._missing_since.setdefault(stream_id, now)

    def _ended(self, outcome: Outcome, saved: Changed | None) -> None:
        """Count it, and tell who watches. None: somebody else was quicker, and does so."""
        if saved is not None:
            SHARED.ended.labels(outcome=outcome.value).inc()
            self._announce(saved.conversation_id, saved.version, saved.owner)
