"""From a message in the database to a job in the queue: the one path of every send, safe to repeat at every step.

The order is: the database (which refuses a second answer at once, and knows the key of a repeated send), the stream,
the job. Whatever comes between two steps leaves something that the same request, sent again, completes.
"""

import secrets
from collections.abc import Callable

from redis import RedisError

from conversations import Busy, Sent, Status
from jobs import has_job
from streams import StreamNotFound
from webapp.defence.limits import Act
from webapp.metrics import SENDS
from webapp.problems import Problem
from webapp.services import Services

Begin = Callable[[str], Sent]
"""Writes question and answer into the database, for the stream of this id."""


def count_send(services: Services, person: str, idempotency_key: str | None) -> None:
    """Count one more send. Raises Problem (429) for one too many, unless it is a repeated one.

    Whoever asks whether the first one arrived is always told: that begins nothing, and is a few looks by an index, less
    than reading a conversation, which is not counted. Whether it is one is looked at only where that matters: the first
    word waits for this.
    """
    try:
        services.limits.count(Act.SEND)
    except Problem:
        if idempotency_key is None or not services.store.was_sent(person, idempotency_key):
            raise


def start_generation(services: Services, begin: Begin) -> Sent:
    """Have an answer written, and return what was sent; a repeated send returns the first one.

    Raises conversations.Busy while another answer is really being written. Raises redis.RedisError when nobody could be
    asked to write it; then nothing was sent.
    """
    stream_id = f"st_{secrets.token_hex(16)}"
    try:
        sent = begin(stream_id)
    except Busy as busy:
        if not services.settler.settle(busy.stream_id):
            SENDS.labels(result="busy").inc()
            raise
        sent = begin(stream_id)
    if sent.created:
        try:
            _hand_over(services, sent)
        except RedisError:
            if services.store.withdraw(stream_id):
                SENDS.labels(result="failed").inc()
                raise
            # Only the reply was lost: a worker has begun already.
    elif _was_left_behind(services, sent):
        _hand_over(services, sent)
    SENDS.labels(result="started" if sent.created else "repeated").inc()
    return sent


def _hand_over(services: Services, sent: Sent) -> None:
    """Two at once queue one job."""
    if services.hand_over(stream_of(sent), sent.conversation_id, sent.answer.model):
        services.announce(sent.conversation_id, sent.version, sent.owner)


def _was_left_behind(services: Services, sent: Sent) -> bool:
    """The process that first took this send died before it could hand it over."""
    if sent.answer.status is not Status.QUEUED:
        return False
    stream_id = stream_of(sent)
    try:
        services.control.read(stream_id)
    except StreamNotFound:
        return not has_job(services.redis, stream_id)
    return False


def stop_generation(services: Services, stream_id: str) -> bool:
    """Stop an answer; what is there of it stays. False: it had ended before. Raises redis.RedisError."""
    try:
        stopping = services.control.ask_cancel(stream_id)
    except StreamNotFound:
        stopping = services.settler.cancel_unheard(stream_id)
    services.settler.settle(stream_id)  # one that was only queued has ended just now
    return stopping


def stream_of(sent: Sent) -> str:
    """The stream of the answer."""
    assert sent.answer.stream_id is not None, "every answer that was sent has a stream"
    return sent.answer.stream_id
