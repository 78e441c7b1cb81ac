"""Answering: what becomes of an answer between the send and its one ending, told by the stream's id.

Rule: an answer is changed only while it is in flight. Whoever comes later, or twice, changes nothing and is told so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session

from conversations import history, rows, spending
from conversations.errors import NotFound
from conversations.models import Conversation, Message
from conversations.records import ENDS, IN_FLIGHT, AnswerRecord, Beginning, Changed, Queued, Status, StreamRecord

AT_ONCE = 500  # streams that one query names; SQLite allows 32,766 parameters, and other builds of it 999

# Made once, as those in rows.py: everyone who comes, or comes back, waits for it.
OWN_STREAM = (
    select(Message.conversation_id, Message.status)
    .join(Conversation)
    .where(Message.stream_id == bindparam("stream_id"), *rows.belonging_to(bindparam("owner")))
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended. Without `text` and `reasoning` it keeps those of its last checkpoint."""

    status: Status
    reason: str | None
    moment: datetime
    text: str | None = None
    reasoning: str | None = None
    usage: dict[str, int] | None = None

    def __post_init__(self) -> None:
        if self.status not in ENDS:
            raise ValueError(f"an answer does not end {self.status.value!r}, but as one of {sorted(ENDS)}")


def begin(session: Session, stream_id: str) -> Beginning:
    held = rows.locked_answer(session, stream_id, {Status.QUEUED})
    if held is None:
        return Beginning(history.prompt(session, stream_id), None)
    conversation, answer = held
    if conversation.deleted_at is not None:
        raise NotFound("conversation", conversation.id)
    prompt = history.prompt_of(session, conversation, answer)  # first: a query after a change has that written alone
    answer.status = Status.RUNNING
    conversation.version += 1
    return Beginning(prompt, Changed(conversation.id, conversation.version, conversation.owner))


def checkpoint(session: Session, texts: Mapping[str, tuple[str, str]]) -> None:
    # No new version: a page has this text from the stream. What somebody else changes just now is passed over: it may
    # be over, and whoever holds one row and waits for another is waited for in turn.
    in_flight = (
        select(Message.stream_id, Message.id)
        .where(Message.stream_id.in_(list(texts)), Message.status.in_(IN_FLIGHT))
        .with_for_update(skip_locked=True)
    )
    ids = dict(session.execute(in_flight).all())
    changes = [
        {"id": ids[stream_id], "content": text, "reasoning": reasoning}
        for stream_id, (text, reasoning) in texts.items()
        if stream_id in ids
    ]
    if changes:
        session.execute(update(Message), changes)


def settle(session: Session, stream_id: str, ending: Ending) -> Changed | None:
    held = rows.locked_answer(session, stream_id, IN_FLIGHT)
    if held is None:
        return None
    conversation, answer = held
    was_begun = answer.status is not Status.QUEUED
    answer.status = ending.status
    answer.reason = ending.reason
    answer.usage = ending.usage
    answer.ended_at = ending.moment
    answer.content = _longer(answer.content, ending.text)
    answer.reasoning = _longer(answer.reasoning, ending.reasoning)
    conversation.generating = None
    conversation.updated_at = ending.moment
    conversation.version += 1
    spending.pay(session, conversation, answer, ending.moment, ending.usage, was_begun=was_begun)
    return Changed(conversation.id, conversation.version, conversation.owner)


def _longer(kept: str, ended: str | None) -> str:
    """What was kept before, where the end has no more than a beginning of it.

    That is all of it where nobody has begun to go on with an answer. And a Redis that came back without its last
    entries, in the moment in which their writer died, has less than the last checkpoint.
    """
    return kept if ended is None or kept.startswith(ended) else ended


def stream(session: Session, stream_id: str, owner: str) -> StreamRecord:
    found = session.execute(OWN_STREAM, {"stream_id": stream_id, "owner": owner}).one_or_none()
    return _stream_record(stream_id, found)


def stream_in(session: Session, stream_id: str, conversation_id: str) -> StreamRecord:
    inside = select(Message.conversation_id, Message.status).where(Message.conversation_id == conversation_id)
    return _stream_record(stream_id, session.execute(inside.where(Message.stream_id == stream_id)).one_or_none())


def _stream_record(stream_id: str, found: Row[str, Status] | None) -> StreamRecord:
    if found is None:
        raise NotFound("stream", stream_id)
    return StreamRecord(stream_id, found.conversation_id, found.status in IN_FLIGHT)


def saved_text(session: Session, stream_id: str) -> str:
    answer = rows.message_of_stream(session, stream_id)
    if answer is None:
        raise NotFound("stream", stream_id)
    return answer.content


def queued(session: Session, stream_id: str) -> Queued | None:
    found = session.execute(
        select(Message.conversation_id, Message.model)
        .join(Conversation)
        .where(Message.stream_id == stream_id, Message.status == Status.QUEUED, Conversation.deleted_at.is_(None))
    ).one_or_none()
    return found and Queued(found.conversation_id, found.model)


def of_streams(session: Session, stream_ids: Sequence[str]) -> dict[str, AnswerRecord]:
    columns = select(
        Message.stream_id, Message.conversation_id, Message.model, Message.status, Message.created_at, Message.ended_at
    )
    found: dict[str, AnswerRecord] = {}
    for start in range(0, len(stream_ids), AT_ONCE):
        some = columns.where(Message.stream_id.in_(stream_ids[start : start + AT_ONCE]))
        for stream_id, conversation_id, model, status, created_at, ended_at in session.execute(some):
            found[str(stream_id)] = AnswerRecord(conversation_id, model, status, created_at, ended_at)
    return found


def all_in_flight(session: Session) -> list[str]:
    waited_for = select(Conversation.generating).where(Conversation.generating.is_not(None))
    return [stream_id for stream_id in session.scalars(waited_for.order_by(Conversation.updated_at)) if stream_id]
