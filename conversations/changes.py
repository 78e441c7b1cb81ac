"""Changing a conversation as a whole: its beginning, its name, its active path, its end."""

from datetime import datetime

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from conversations import remarks, spending
from conversations.errors import NotFound
from conversations.history import conversation_record
from conversations.models import Account, Conversation, Message, Remark, Send, new_id
from conversations.records import Changed, ConversationRecord, Deleted, Erased
from conversations.rows import conversation_of_message, message, own_conversation, touched_by, tree

PURGED_AT_ONCE = 100  # conversations in one transaction: others wait for it
NOBODY = ""  # the author of what was said by somebody who is gone


def create(session: Session, owner: str, title: str, system_prompt: str, moment: datetime) -> ConversationRecord:
    conversation = Conversation(
        id=new_id(),
        owner=owner,
        title=title,
        system_prompt=system_prompt,
        version=1,
        remarks=0,
        created_at=moment,
        updated_at=moment,
    )
    session.add(conversation)
    session.flush()
    session.expire_all()  # what is handed out is what was stored, not what was asked to be
    return conversation_record(session, conversation)


def change(
    session: Session, owner: str, conversation_id: str, title: str | None, system_prompt: str | None
) -> ConversationRecord:
    conversation = own_conversation(session, owner, conversation_id, lock=True)
    wanted = (
        conversation.title if title is None else title,
        conversation.system_prompt if system_prompt is None else system_prompt,
    )
    if wanted != (conversation.title, conversation.system_prompt):
        conversation.title, conversation.system_prompt = wanted
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


def delete(session: Session, owner: str, conversation_id: str, moment: datetime) -> Deleted:
    conversation = own_conversation(session, owner, conversation_id, lock=True)
    conversation.deleted_at = moment
    conversation.version += 1
    return Deleted(conversation.id, conversation.version, conversation.generating)


def restore(session: Session, owner: str, conversation_id: str) -> ConversationRecord:
    mine = select(Conversation).where(Conversation.id == conversation_id, Conversation.owner == owner)
    conversation = session.scalar(mine.with_for_update())
    if conversation is None:
        raise NotFound("conversation", conversation_id)
    if conversation.deleted_at is not None:
        conversation.deleted_at = None
        conversation.version += 1
        session.flush()
    return conversation_record(session, conversation)


def purge(session: Session, deleted_before: datetime) -> int:
    old = select(Conversation.id).where(Conversation.deleted_at < deleted_before).limit(PURGED_AT_ONCE)
    # The condition once more: one that was restored while this waited for it stays.
    still = (Conversation.id.in_(old), Conversation.deleted_at < deleted_before)
    purged = session.scalars(delete_rows(Conversation).where(*still).returning(Conversation.id)).all()
    spending.forget(session, deleted_before)
    return len(purged)  # what refers to them goes with them


def erase(session: Session, person: str, moment: datetime) -> Erased:
    """Everything of a person's: what is theirs goes, and what they said elsewhere is theirs no more."""
    # Each all at once and in one order: two who erase themselves, or one who signs in meanwhile, do not wait for each
    # other. What is spent comes before what a conversation has cost so far, for that is of today, and nobody's too.
    session.execute(delete_rows(Account).where(Account.owner == person))
    conversations = session.scalars(touched_by(person)).all()
    spending.hand_over(session, person, NOBODY)
    erased = Erased([], [])
    for conversation in conversations:
        conversation.version += 1
        erased.changed.append(Changed(conversation.id, conversation.version, conversation.owner))
        if conversation.owner == person and conversation.generating:
            erased.stream_ids.append(conversation.generating)
            spending.write_off(session, conversation, moment)
        elif conversation.owner != person:
            _take_remarks_away(session, conversation, person, moment)
    session.flush()
    # Answers that others have read stay in their conversations, and so the questions, without a name.
    session.execute(update(Message).where(Message.author_id == person).values(author_id=NOBODY, author_name=""))
    session.execute(update(Send).where(Send.owner == person).values(owner=NOBODY, idempotency_key=None))
    session.execute(delete_rows(Conversation).where(Conversation.owner == person))
    return erased


def _take_remarks_away(session: Session, conversation: Conversation, person: str, moment: datetime) -> None:
    said = select(Remark).where(Remark.conversation_id == conversation.id, Remark.author_id == person)
    for remark in session.scalars(said.order_by(Remark.change)):
        remarks.take_away(conversation, remark, moment)
        remark.author_id, remark.author_name = NOBODY, ""
        session.flush()  # one by one, since each has a number of its own
