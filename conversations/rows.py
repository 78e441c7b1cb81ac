"""Finding rows: what belongs to whom, and what is locked before it is changed.

Every function takes a session and leaves it to whoever opened that to end the transaction.

Rule: a transaction that changes a conversation or its messages first locks the conversation's row. With one order for
all of them, no two can wait for each other.
"""

from collections.abc import Set

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, or_, select
from sqlalchemy.orm import Session

from conversations.errors import NotFound
from conversations.models import Conversation, Message, Remark
from conversations.records import Status
from conversations.tree import Node, Tree


def belonging_to(owner: "str | BindParameter[str]") -> tuple[ColumnElement[bool], ...]:
    """What is this owner's and has not been deleted."""
    return Conversation.owner == owner, Conversation.deleted_at.is_(None)


# What every answer asks on its way to its first word is made once: making a query takes longer than running it.
EXISTING = select(Conversation).where(
    Conversation.id == bindparam("conversation_id"), Conversation.deleted_at.is_(None)
)
OWN = EXISTING.where(*belonging_to(bindparam("owner")))
EXISTING_LOCKED, OWN_LOCKED = EXISTING.with_for_update(), OWN.with_for_update()
MESSAGE_OF_STREAM = select(Message).where(Message.stream_id == bindparam("stream_id"))
CONVERSATION_OF_STREAM = (  # …locked
    select(Conversation)
    .join(Message)
    .where(Message.stream_id == bindparam("stream_id"))
    .with_for_update(of=Conversation)
)
SHAPE = select(Message.id, Message.parent_id, Message.since).where(
    Message.conversation_id == bindparam("conversation_id")
)
MESSAGES = select(Message).where(Message.id.in_(bindparam("ids", expanding=True)))
# What a model is told of them. To make objects of 300 messages takes 4 ms.
SAID = select(Message.id, Message.role, Message.content).where(Message.id.in_(bindparam("ids", expanding=True)))


def own_conversation(session: Session, owner: str, conversation_id: str, *, lock: bool = False) -> Conversation:
    """The conversation, if it is this owner's. With `lock`, nobody else changes it until the transaction ends."""
    return _conversation(session, OWN_LOCKED if lock else OWN, conversation_id, owner=owner)


def existing_conversation(session: Session, conversation_id: str, *, lock: bool = False) -> Conversation:
    """A conversation that one may see for another reason than being its owner. `lock`: as above."""
    return _conversation(session, EXISTING_LOCKED if lock else EXISTING, conversation_id)


def touched_by(person: str) -> "Select[Conversation]":
    """All that is this person's, and all in which they said something; locked, in one order for whoever asks so."""
    spoke_in = select(Remark.conversation_id).where(Remark.author_id == person)
    asked_in = select(Message.conversation_id).where(Message.author_id == person)
    touched = or_(Conversation.owner == person, Conversation.id.in_(spoke_in), Conversation.id.in_(asked_in))
    return select(Conversation).where(touched).order_by(Conversation.id).with_for_update()


def _conversation(
    session: Session, query: "Select[Conversation]", conversation_id: str, **further: str
) -> Conversation:
    conversation = session.scalar(query, {"conversation_id": conversation_id, **further})
    if conversation is None:
        raise NotFound("conversation", conversation_id)
    return conversation


def conversation_of_message(session: Session, owner: str, message_id: str) -> str:
    """The id of the conversation that this message of this owner's is in."""
    conversation_id = session.scalar(
        select(Message.conversation_id).join(Conversation).where(Message.id == message_id, *belonging_to(owner))
    )
    if conversation_id is None:
        raise NotFound("message", message_id)
    return conversation_id


def message(session: Session, message_id: str) -> Message:
    """A message whose ownership was checked already."""
    found = session.get(Message, message_id)
    if found is None:
        raise NotFound("message", message_id)
    return found


def message_of_stream(session: Session, stream_id: str) -> Message | None:
    return session.scalar(MESSAGE_OF_STREAM, {"stream_id": stream_id})


def locked_answer(session: Session, stream_id: str, statuses: Set[Status]) -> tuple[Conversation, Message] | None:
    """A stream's answer and its conversation, locked; None unless its status, under the lock, is one of these."""
    conversation = session.scalar(CONVERSATION_OF_STREAM, {"stream_id": stream_id})
    answer = message_of_stream(session, stream_id)
    if conversation is None or answer is None or answer.status not in statuses:
        return None
    return conversation, answer


def tree(session: Session, conversation_id: str) -> Tree:
    """The shape of a conversation, without its text."""
    return Tree(Node(*row) for row in session.execute(SHAPE, {"conversation_id": conversation_id}))
