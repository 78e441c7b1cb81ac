"""Naming a conversation after its first answer, as long as nobody else has named it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from conversations import rows
from conversations.models import Conversation, Message
from conversations.records import Changed, Status, Unnamed
from conversations.text import provisional_title


def unnamed(session: Session, stream_id: str) -> Unnamed | None:
    answer = rows.message_of_stream(session, stream_id)
    if answer is None or answer.status is not Status.FINISHED:
        return None
    conversation = session.get_one(Conversation, answer.conversation_id)
    if conversation.deleted_at is not None:
        return None
    theirs = select(Message).where(Message.conversation_id == conversation.id)
    finished = theirs.where(Message.status == Status.FINISHED, Message.id != answer.id)
    if session.scalar(finished.limit(1)) is not None:
        return None
    beginnings = session.scalars(theirs.where(Message.parent_id.is_(None)))  # several, if the question was edited
    if conversation.title not in {provisional_title(each.content) for each in beginnings}:
        return None
    question = session.get_one(Message, answer.parent_id)
    return Unnamed(conversation.id, conversation.title, question.content, answer.content, answer.model or "")


def name(session: Session, conversation_id: str, title: str, instead_of: str) -> Changed | None:
    this = select(Conversation).where(Conversation.id == conversation_id, Conversation.deleted_at.is_(None))
    conversation = session.scalar(this.with_for_update())
    if conversation is None or conversation.title != instead_of or conversation.title == title:
        return None
    conversation.title = title
    conversation.version += 1
    return Changed(conversation.id, conversation.version, conversation.owner)
