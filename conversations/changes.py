"""Changing a conversation as a whole: its beginning, its name, its active path, its end."""

from datetime import datetime

from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from conversations.history import conversation_record
from conversations.models import Conversation, new_id
from conversations.records import ConversationRecord
from conversations.rows import conversation_of_message, message, own_conversation, tree


def create(session: Session, owner: str, title: str, system_prompt: str, moment: datetime) -> ConversationRecord:
    conversation = Conversation(
        id=new_id(),
        owner=owner,
        title=title,
        system_prompt=system_prompt,
        version=1,
        created_at=moment,
        updated_at=moment,
    )
    session.add(conversation)
    session.flush()
    session.expire_all()  # what is handed out is what was stored, not what was asked to be
    return conversation_record(session, conversation)


def rename(session: Session, owner: str, conversation_id: str, title: str) -> ConversationRecord:
    conversation = own_conversation(session, owner, conversation_id, lock=True)
    if conversation.title != title:
        conversation.title = title
        conversation.version += 1
        session.flush()
        session.expire_all()
    return conversation_record(session, conversation)


def select_version(session: Session, owner: str, message_id: str) -> ConversationRecord:
    conversation_id = conversation_of_message(session, owner, message_id)
    conversation = own_conversation(session, owner, conversation_id, lock=True)
    chosen = message(session, message_id)  # once more, now that nobody can withdraw it
    leaf = tree(session, conversation.id).newest_leaf(chosen.id)
    if conversation.head_id != leaf:
        conversation.head_id = leaf
        conversation.version += 1
    return conversation_record(session, conversation)


def delete(session: Session, owner: str, conversation_id: str) -> list[str]:
    conversation = own_conversation(session, owner, conversation_id, lock=True)
    in_flight = [conversation.generating] if conversation.generating else []
    session.execute(delete_rows(Conversation).where(Conversation.id == conversation.id))  # its messages go with it
    return in_flight
