"""One generation, from the prompt to its end.

Two greenlets share the work. One reads: it asks the model and appends what comes. The other watches: it stops the first
at once, wherever it stands, when someone asks for that or time is over, and it alone ends the stream. So there is
exactly one place where a stream is ended, and it is reached whatever happens.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from functools import partial

import gevent
import redis
from gevent.event import Event
from sqlalchemy.exc import SQLAlchemyError

from conversations import NotFound, Prompt, Store
from streams import (
    PRODUCER_DIED,
    AnswerTooLong,
    End,
    Fenced,
    Kind,
    Outcome,
    Restarts,
    StopReason,
    StreamBegun,
    StreamControl,
    StreamEnded,
    StreamWriter,
    StreamWriters,
)
from telemetry import context, traces
from telemetry.logs import transcript
from workers import metrics
from workers.backoff import Retry
from workers.checkpoints import Checkpoints
from workers.continuing import ContinueWith, messages_for
from workers.endings import BROKEN, CANCELLED, DELETED, FENCED, SETTLED, SHUT_DOWN, UNREADABLE, finished, too_long
from workers.limits import TimeLimits, Watch
from workers.providers.source import Begun, Delta, Finish, Message, ModelFailed, Refused, Source, Usage
from workers.saving import Saver
from workers.waiting import Waiting

log = logging.getLogger(__name__)

PATIENCE = 20.0  # seconds for Redis and the database to be there when a generation begins
FLUSH_FIRST = 2.0  # seconds in which a finished text reaches Redis; if it does not, the database is served first


@dataclass(frozen=True, slots=True)
class Tools:
    """What every generation of a process works with."""

    store: Store
    saver: Saver
    writers: StreamWriters
    control: StreamControl
    restarts: Restarts
    source: Source
    retry: Retry
    clock: Callable[[], float]
    limits: TimeLimits
    checkpoints: Checkpoints
    save_patience: float
    continue_with: ContinueWith = ContinueWith.INSTRUCTION


class AlreadySettled(Exception):
    """The answer has its end in the database: a job that was queued again by hand must not cost another one."""


class Generation:
    """Runs once. `stop` may be called at any time, from any greenlet."""

    def __init__(self, stream_id: str, tools: Tools) -> None:
        self.stream_id = stream_id
        self._tools = tools
        self._watch = Watch(tools.limits, tools.clock())
        self._wake = Event()
        self._stopped: End | None = None
        self._usage: dict[str, int] | None = None
        self._begun_at = tools.clock()
        self._model = ""  # as it is counted
        self._epoch = secrets.token_hex(8)  # known before the stream is opened, so that opening can be tried again
        self._facts = {"stream_id": stream_id}  # what every line in the log says

    def stop(self, end: End) -> None:
        """End it like this, at once. The first reason stands; one that comes after the end is too late."""
        if self._stopped is None:
            self._stopped = end
        self._wake.set()

    def run(self) -> End | None:
        """Have the answer written, ended and saved; return how it ended. None: it was no longer ours to end."""
        with traces.span("generation", traces.Kind.CONSUMER, stream_id=self.stream_id) as span:
            end = self._run()
            span.know(outcome=end.outcome.value if end else "not ours", model=self._model)
            if end and end.outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
                span.fail(end.outcome.value)
            return end

    def _run(self) -> End | None:
        with ExitStack() as stack:
            try:
                writer = self._tools.retry(
                    "open the stream",
                    lambda: stack.enter_context(self._tools.writers.open(self.stream_id, epoch=self._epoch)),
                    error=redis.RedisError,
                    patience=PATIENCE,
                    **self._facts,
                )
                stack.enter_context(self._tools.checkpoints.of(writer))
                metrics.STARTED.inc()
                end = self._produce(writer)
                if end == SHUT_DOWN and self._hand_back(writer):
                    return None
                metrics.ended(end.outcome.value, self._model, self._tools.clock() - self._begun_at)
                with traces.span("save"):
                    self._finish(writer, end)
            except StreamEnded:
                log.info("stream had ended before its turn; nothing done", extra=self._facts)
            except StreamBegun:
                log.warning("stream was begun by another run of this job; nothing done", extra=self._facts)
            except Fenced as error:
                log.warning("stopped and saved nothing: %s", error, extra=self._facts)
            else:
                return end
        return None

    # -- watching

    def _produce(self, writer: StreamWriter) -> End:
        """Have the model read until the answer is over, one way or another."""
        clock = self._tools.clock
        waiting = Waiting(partial(self._note, writer))
        reader = gevent.spawn(context.carrying_on(self._read), writer, waiting)
        reader.link(lambda _: self._wake.set())
        writer.on_stop(self._asked_to_stop)
        while not reader.ready() and self._stopped is None:
            now = clock()
            deadline, too_late = self._watch.deadline
            if now >= deadline:
                self.stop(too_late)
                break
            if waiting.due is not None and now >= waiting.due:
                waiting.late()
            self._wake.wait(min(deadline, waiting.due or deadline) - now)
            self._wake.clear()
        end: End = reader.value if reader.ready() and reader.successful() else self._stopped or BROKEN
        reader.kill()  # …which closes the connection to the model, so that it stops costing
        return replace(end, usage=self._usage)

    def _asked_to_stop(self, reason: StopReason) -> None:
        log.info("asked to stop: %s", reason.value, extra=self._facts)
        self.stop(CANCELLED if reason is StopReason.CANCELLED else FENCED)

    def _note(self, writer: StreamWriter, words: str) -> None:
        with suppress(Fenced):  # whoever writes text is told so too
            writer.note(words)

    # -- reading

    def _read(self, writer: StreamWriter, waiting: Waiting) -> End:
        """Write the answer; return how it ended. Killed from outside when it is to stop."""
        try:
            return self._answer(writer, waiting)
        except ModelFailed as error:
            metrics.MODEL_REFUSALS.labels(kind=error.kind).inc()
            log.warning("model failed: %s", error.cause, extra=self._facts)
            if error.said:
                transcript.info("refused", extra={**self._facts, "said": error.said})
            return End(Outcome.FAILED, error.reason)
        except AnswerTooLong as error:
            log.warning("answer cut: %s", error, extra=self._facts)
            return too_long(error.limit)
        except Fenced:
            return FENCED
        except NotFound:
            return DELETED
        except AlreadySettled:
            log.warning("this answer was settled before; the model is not asked again", extra=self._facts)
            return SETTLED
        except SQLAlchemyError as error:
            log.error("prompt not read: %s", error, extra=self._facts)
            return UNREADABLE
        except Exception:  # no stream may stay without its end, whatever we did wrong
            log.exception("generation broke", extra=self._facts)
            return BROKEN

    def _begin(self) -> Prompt:
        """What to ask. Raises NotFound, AlreadySettled."""
        prompt = self._tools.saver.begin(self.stream_id)
        if not prompt.owed:
            raise AlreadySettled
        return prompt

    def _answer(self, writer: StreamWriter, waiting: Waiting) -> End:
        prompt = self._tools.retry(
            "begin the answer", self._begin, error=SQLAlchemyError, patience=PATIENCE, **self._facts
        )
        clock = self._tools.clock
        for kind, text in ((Kind.REASONING, prompt.begun_reasoning), (Kind.TEXT, prompt.begun)):
            if text:  # of an answer that is gone on with: the stream holds the whole
                writer.append(kind, text)
        if writer.again and (prompt.begun or prompt.begun_reasoning):
            # Only a Redis that forgot it can say that there was no chunk. It was seen: whether to ask on is no longer
            # ours to decide.
            return PRODUCER_DIED
        messages = messages_for(prompt, self._tools.continue_with)
        self._model = metrics.model_name(prompt.model or "")
        transcript.info("asked", extra={**self._facts, "model": prompt.model, "messages": messages})
        waiting.asked(clock(), again=writer.again)
        self._wake.set()
        with traces.span("chat", traces.Kind.CLIENT, gen_ai__request__model=self._model) as span:
            try:
                return self._listen(prompt, messages, writer, waiting, span)
            except ModelFailed as error:
                span.fail(error.kind)
                raise

    def _listen(
        self, prompt: Prompt, messages: Sequence[Message], writer: StreamWriter, waiting: Waiting, span: traces.Span
    ) -> End:
        """Ask the model, and write what it says."""
        clock = self._tools.clock
        asked_at: float | None = clock()
        end = None
        try:
            with closing(self._tools.source.stream(prompt.model, messages)) as events:
                for event in events:
                    match event:
                        case Delta(kind, text):
                            if asked_at is not None:
                                metrics.FIRST_TOKEN.labels(model=self._model).observe(clock() - asked_at)
                                asked_at = None
                                span.event("first token")
                            writer.append(kind, text)
                            self._watch.heard(clock())
                        case Refused(words, pause, kind=why):
                            metrics.MODEL_REFUSALS.labels(kind=why).inc()
                            waiting.refused(words, clock() + pause)
                            self._wake.set()
                        case Begun():
                            waiting.over()
                        case Finish(reason):
                            end = finished(reason)
                            span.event("last token")
                            self._watch.finished(clock(), end)
                            self._wake.set()
                        case Usage(counts):
                            self._usage = counts
                            metrics.used(self._model, counts)
        except ModelFailed as error:
            if end is None:
                raise
            log.info("ignored, the answer is whole: %s", error.cause, extra=self._facts)
        return end or BROKEN

    # -- ending

    def _hand_back(self, writer: StreamWriter) -> bool:
        """Where nothing of the answer is there yet, have another worker begin it. False: it is still ours to end."""
        if writer.text or writer.reasoning:
            return False
        try:
            return self._tools.restarts.hand_back(writer)
        except redis.RedisError as error:
            log.warning("stream not handed back, left to the reaper: %s", error, extra=self._facts)
            return True

    def _finish(self, writer: StreamWriter, end: End) -> None:
        """End the stream and save the answer, whichever of Redis and the database is away.

        Raises Fenced where somebody else ended it; but a whole answer is saved all the same, if nobody was quicker. Not
        where another worker begins it anew, though: then that one's is the answer, for those who watch have no other.
        """
        patience = self._tools.save_patience
        fenced: Fenced | None = None
        flushed = False
        try:
            writer.end(end)
            log.info("answer ended", extra={**self._facts, "outcome": end.outcome.value, "reason": end.reason})
            if transcript.isEnabledFor(logging.INFO):  # the text is joined for it
                transcript.info("answered", extra={**self._facts, "text": writer.text, "reasoning": writer.reasoning})
            flushed = writer.wait_flushed(FLUSH_FIRST)
            if not flushed and not writer.has_shown_text:
                # Another worker may have been given this answer, and only Redis can say. Nobody waits for this one: no
                # word of it was seen.
                flushed = writer.wait_flushed(patience)
        except Fenced as error:
            if end.outcome is not Outcome.FINISHED or error.handed_on:
                raise
            fenced = error
        try:
            self._tools.retry(
                "save the answer",
                lambda: self._tools.saver.save(self.stream_id, writer.text, writer.reasoning, end),
                error=SQLAlchemyError,
                patience=patience,
                **self._facts,
            )
        except SQLAlchemyError as error:
            log.error("answer not saved, left to the reaper: %s", error, extra=self._facts)
            return
        if fenced is not None:
            raise fenced
        if not flushed and not writer.wait_flushed(patience):
            log.error("answer is saved, but Redis never got its end", extra=self._facts)
            return
        try:
            self._tools.retry(
                "mark the stream as saved",
                lambda: self._tools.control.mark_saved(self.stream_id),
                error=redis.RedisError,
                patience=PATIENCE,
                **self._facts,
            )
        except redis.RedisError as error:
            log.warning("stream not marked as saved, left to the reaper: %s", error, extra=self._facts)
