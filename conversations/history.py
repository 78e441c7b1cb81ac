"""Reading: rows made into the records that are handed out, the list, and what a model is to be asked."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from conversations.errors import InvalidCursor, NotFound
from conversations.models import Conversation, Message, Share
from conversations.records import (
    IN_FLIGHT,
    Author,
    ConversationRecord,
    ConversationSummary,
    MessageRecord,
    Page,
    Prompt,
    PromptMessage,
    Role,
    ShareRecord,
    Terms,
    tag_of,
)
from conversations.rows import (
    MESSAGES,
    SAID,
    belonging_to,
    existing_conversation,
    message_of_stream,
    own_conversation,
    tree,
)
from conversations.text import storable
from conversations.tree import Tree

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CURSOR = re.compile(r"([0-9]{1,17})-([0-9a-f]{32})")  # microseconds since 1970, id; 17 digits reach into the year 5138


def conversation(session: Session, owner: str, conversation_id: str) -> ConversationRecord:
    return conversation_record(session, own_conversation(session, owner, conversation_id))


def conversation_record(session: Session, conversation: Conversation) -> ConversationRecord:
    shape = tree(session, conversation.id)
    return ConversationRecord(
        id=conversation.id,
        owner=conversation.owner,
        title=conversation.title,
        system_prompt=conversation.system_prompt,
        version=conversation.version,
        generating=conversation.generating,
        remarks=conversation.remarks,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        messages=tuple(message_record(each, shape) for each in _in_order(session, shape.path_to(conversation.head_id))),
        shares=tuple(share_record(each) for each in _standing_shares(session, conversation.id)),
    )


def message_record(message: Message, shape: Tree) -> MessageRecord:
    return MessageRecord(
        id=message.id,
        conversation_id=message.conversation_id,
        parent_id=message.parent_id,
        role=message.role,
        author=_author(message),
        content=message.content,
        reasoning=message.reasoning,
        status=message.status,
        reason=message.reason,
        stream_id=message.stream_id,
        model=message.model,
        usage=message.usage,
        created_at=message.created_at,
        ended_at=message.ended_at,
        versions=shape.versions(message.id),
    )


def _author(message: Message) -> Author | None:
    if message.author_id is None:
        return None
    return Author(message.author_name or "", tag_of(message.conversation_id, message.author_id))


def share_record(share: Share) -> ShareRecord:
    terms = Terms(
        may_ask=share.may_ask,
        discussion=share.discussion,
        shows_prompt=share.shows_prompt,
        indexed=share.indexed,
        expires_at=share.expires_at,
    )
    return ShareRecord(share.id, share.conversation_id, terms, share.created_at, share.revoked_at)


def all_messages(session: Session, owner: str, conversation_id: str) -> list[MessageRecord]:
    found = own_conversation(session, owner, conversation_id)
    shape = tree(session, found.id)
    every = select(Message).where(Message.conversation_id == found.id).order_by(Message.since, Message.role.desc())
    return [message_record(each, shape) for each in session.scalars(every)]


def page(session: Session, owner: str, limit: int, before: str | None, words: str = "") -> Page:
    """One page of the list. Paged by key, not by offset: what is added at the top meanwhile shifts nothing."""
    query = select(Conversation).where(*belonging_to(owner))
    if before is not None:
        moment, last_id = _parse_cursor(before)
        query = query.where(
            or_(
                Conversation.updated_at < moment,
                and_(Conversation.updated_at == moment, Conversation.id < last_id),
            )
        )
    if words:
        # LIKE would compare anew from every character on, which takes minutes where a text was made for that.
        sought = storable(words).lower()  # here the column's type does not see to it
        place = func.strpos if session.get_bind().dialect.name == "postgresql" else func.instr
        said = select(Message.id).where(
            Message.conversation_id == Conversation.id, place(func.lower(Message.content), sought) > 0
        )
        query = query.where(or_(place(func.lower(Conversation.title), sought) > 0, said.exists()))
    newest_first = query.order_by(Conversation.updated_at.desc(), Conversation.id.desc())
    found = session.scalars(newest_first.limit(limit + 1)).all()  # one more tells whether there is a next page
    shown = found[:limit]
    return Page([_summary(each) for each in shown], _cursor(shown[-1]) if len(found) > limit else None)


def versions(session: Session, conversation_ids: Sequence[str], owner: str | None) -> dict[str, int]:
    query = select(Conversation.id, Conversation.version).where(Conversation.id.in_(conversation_ids))
    if owner is not None:
        query = query.where(*belonging_to(owner))
    return {row.id: row.version for row in session.execute(query)}


def standings(session: Session, conversation_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    query = select(Conversation.id, Conversation.version, Conversation.remarks)
    found = session.execute(query.where(Conversation.id.in_(conversation_ids)))
    return {row.id: (row.version, row.remarks) for row in found}


def prompt(session: Session, stream_id: str) -> Prompt:
    """What the model is to be asked for this stream. Raises NotFound."""
    answer = message_of_stream(session, stream_id)
    if answer is None:
        raise NotFound("stream", stream_id)
    return prompt_of(session, existing_conversation(session, answer.conversation_id), answer)


def prompt_of(session: Session, conversation: Conversation, answer: Message) -> Prompt:
    """Only the path above the answer."""
    messages = [PromptMessage(role="system", content=conversation.system_prompt)] if conversation.system_prompt else []
    path = tree(session, conversation.id).path_to(answer.parent_id)
    said = {each.id: each for each in session.execute(SAID, {"ids": path})}
    for each in (said[message_id] for message_id in path):
        if each.role is Role.ASSISTANT and not each.content:
            continue  # it failed before its first word: nothing that the model said, and some refuse empty messages
        messages.append(PromptMessage(role=each.role.value, content=each.content))
    return Prompt(
        answer.stream_id or "",
        conversation.id,
        answer.model or "",
        messages,
        begun=answer.content,
        begun_reasoning=answer.reasoning,
        owed=answer.status in IN_FLIGHT,
    )


def _standing_shares(session: Session, conversation_id: str) -> Iterable[Share]:
    standing = select(Share).where(Share.conversation_id == conversation_id, Share.revoked_at.is_(None))
    return session.scalars(standing.order_by(Share.created_at, Share.id))


def _in_order(session: Session, path: list[str]) -> Iterable[Message]:
    found = {each.id: each for each in session.scalars(MESSAGES, {"ids": path})}
    return [found[message_id] for message_id in path]


def _summary(conversation: Conversation) -> ConversationSummary:
    return ConversationSummary(
        id=conversation.id,
        title=conversation.title,
        version=conversation.version,
        generating=conversation.generating,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


def _cursor(last: Conversation) -> str:
    """The place after `last`, by its time and id, so that it holds even when `last` moves or is deleted."""
    return f"{(last.updated_at - EPOCH) // MICROSECOND}-{last.id}"


def _parse_cursor(cursor: str) -> tuple[datetime, str]:
    parts = CURSOR.fullmatch(cursor)
    if not parts:
        raise InvalidCursor(cursor)
    return EPOCH + int(parts[1]) * MICROSECOND, parts[2]
