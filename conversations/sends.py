"""Asking: a question or a new version of one, and the answer that is owed for it, in one transaction.

Rule: a conversation is claimed before anything else is written. The claim holds its row until the commit, so of two
that come at the same instant the second sees all that the first did.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from conversations import history, rows, shares, spending
from conversations.allowance import Allowance
from conversations.errors import Busy, KeyReused, NothingToContinue, NotShared, WrongRole
from conversations.models import Conversation, Message, Send, new_id
from conversations.records import Role, Sent, Status, Visitor
from conversations.text import provisional_title, storable
from conversations.tree import Tree

EARLIER = select(Send).where(Send.owner == bindparam("owner"), Send.idempotency_key == bindparam("key"))  # made once


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants an answer from which model on which stream; the key is by what a repeated order is known."""

    owner: str
    stream_id: str
    model: str
    idempotency_key: str | None
    moment: datetime
    allowance: Allowance


def send(session: Session, order: Order, conversation_id: str, content: str) -> Sent:
    """A question at the end of the active path, and its answer."""
    request = _digest("send", conversation_id, content)
    if earlier := _earlier(session, order, request):
        return earlier
    conversation = _claim(session, order, rows.own_conversation(session, order.owner, conversation_id, lock=True))
    question = _add_question(session, order, conversation, conversation.head_id, content)
    return _owe_answer(session, order, conversation, question, request, brought_question=True)


def ask(session: Session, order: Order, share_id: str, visitor: Visitor, content: str) -> Sent:
    """As `send`, by whoever came by the share."""
    request = _digest("ask", share_id, content)
    share = shares.good(session, share_id, order.moment)
    if not share.may_ask:
        raise NotShared("asking")
    if earlier := _earlier(session, order, request):
        return earlier
    conversation = _claim(session, order, rows.existing_conversation(session, share.conversation_id, lock=True))
    shares.good(session, share_id, order.moment)  # still, now that nobody can revoke it
    question = _add_question(session, order, conversation, conversation.head_id, content, visitor)
    return _owe_answer(session, order, conversation, question, request, brought_question=True)


def edit(session: Session, order: Order, message_id: str, content: str) -> Sent:
    """A question beside an earlier one, and its answer."""
    request = _digest("edit", message_id, content)
    if earlier := _earlier(session, order, request):
        return earlier
    conversation, edited = _claim_at(session, order, message_id, Role.USER)
    question = _add_question(session, order, conversation, edited.parent_id, content)
    return _owe_answer(session, order, conversation, question, request, brought_question=True)


def regenerate(session: Session, order: Order, message_id: str) -> Sent:
    """Another answer to the same question."""
    request = _digest("regenerate", message_id)
    if earlier := _earlier(session, order, request):
        return earlier
    conversation, replaced = _claim_at(session, order, message_id, Role.ASSISTANT)
    assert replaced.parent_id, "an answer has a question"
    question = rows.message(session, replaced.parent_id)
    return _owe_answer(session, order, conversation, question, request, brought_question=False)


def continue_(session: Session, order: Order, message_id: str) -> Sent:
    """Another answer to the same question, which begins with what there is of this one."""
    request = _digest("continue", message_id)
    if earlier := _earlier(session, order, request):
        return earlier
    conversation, cut_off = _claim_at(session, order, message_id, Role.ASSISTANT)
    if not cut_off.content:
        raise NothingToContinue(message_id)
    assert cut_off.parent_id, "an answer has a question"
    question = rows.message(session, cut_off.parent_id)
    return _owe_answer(session, order, conversation, question, request, brought_question=False, begun=cut_off)


def was_sent(session: Session, person: str, idempotency_key: str) -> bool:
    return session.scalar(EARLIER, {"owner": person, "key": idempotency_key}) is not None


def withdraw(session: Session, stream_id: str) -> bool:
    """Undo an order that nobody has begun to work on, the question that came with it included."""
    held = rows.locked_answer(session, stream_id, {Status.QUEUED})
    if held is None:
        return False
    conversation, answer = held
    made = session.get_one(Send, answer.id)
    conversation.version += 1
    conversation.generating = None
    if conversation.head_id == answer.id:  # else another branch was chosen meanwhile
        conversation.head_id = made.previous_head_id
    session.execute(delete(Message).where(Message.id == answer.id))
    if made.brought_question:
        question = session.get_one(Message, answer.parent_id)
        if made.previous_head_id is None and conversation.title == provisional_title(question.content):
            conversation.title = ""
        session.execute(delete(Message).where(Message.id == question.id))
    return True


def _digest(*request: str) -> str:
    """What makes two orders the same: what is done, to what, with which words. The model is left out, because a default
    that changed between two tries must not turn a repeated order into a new one."""
    return hashlib.sha256(json.dumps(request).encode()).hexdigest()


def _earlier(session: Session, order: Order, request: str) -> Sent | None:
    """The send that this owner's key was used for before."""
    if order.idempotency_key is None:
        return None
    made = session.scalar(EARLIER, {"owner": order.owner, "key": order.idempotency_key})
    if made is None:
        return None
    if made.request != request:
        raise KeyReused(order.idempotency_key)
    answer = session.get_one(Message, made.answer_id)
    conversation = session.get_one(Conversation, answer.conversation_id)
    question = session.get_one(Message, answer.parent_id)
    return _sent(conversation, question, answer, rows.tree(session, conversation.id), created=False)


def _claim(session: Session, order: Order, conversation: Conversation) -> Conversation:
    """Make a conversation, whose row is locked, this stream's, if it is free. Raises Busy, and what spending.check
    does."""
    if conversation.generating is not None:
        raise Busy(conversation.generating)
    spending.check(session, order.allowance, order.owner, order.moment)
    conversation.generating = order.stream_id
    conversation.version += 1
    conversation.updated_at = order.moment
    return conversation


def _claim_at(session: Session, order: Order, message_id: str, role: Role) -> tuple[Conversation, Message]:
    conversation_id = rows.conversation_of_message(session, order.owner, message_id)
    conversation = _claim(session, order, rows.own_conversation(session, order.owner, conversation_id, lock=True))
    message = rows.message(session, message_id)
    if message.role is not role:
        raise WrongRole(message_id, message.role, role)
    return conversation, message


def _add_question(
    session: Session,
    order: Order,
    conversation: Conversation,
    parent_id: str | None,
    content: str,
    visitor: Visitor | None = None,
) -> Message:
    if parent_id is None and not conversation.title:
        conversation.title = provisional_title(content)
    question = Message(
        id=new_id(),
        conversation_id=conversation.id,
        parent_id=parent_id,
        since=conversation.version,
        role=Role.USER,
        author_id=visitor.id if visitor else None,
        author_name=storable(visitor.name) if visitor else None,
        content=storable(content),  # as it will be read: what is handed out is what is stored
        reasoning="",
        status=Status.COMPLETE,
        created_at=order.moment,
        ended_at=order.moment,
    )
    session.add(question)
    return question


def _owe_answer(
    session: Session,
    order: Order,
    conversation: Conversation,
    question: Message,
    request: str,
    *,
    brought_question: bool,
    begun: Message | None = None,
) -> Sent:
    answer = Message(
        id=new_id(),
        conversation_id=conversation.id,
        parent_id=question.id,
        since=conversation.version,
        role=Role.ASSISTANT,
        content=begun.content if begun else "",
        reasoning=begun.reasoning if begun else "",
        status=Status.QUEUED,
        stream_id=order.stream_id,
        model=storable(order.model),
        created_at=order.moment,
    )
    session.add(answer)
    previous_head_id, conversation.head_id = conversation.head_id, answer.id
    session.flush()  # SQLAlchemy adds them in this order: the question, then the answer, which refers to it
    session.add(
        Send(
            answer_id=answer.id,
            owner=order.owner,
            idempotency_key=order.idempotency_key,
            request=request,
            previous_head_id=previous_head_id,
            brought_question=brought_question,
            owed=True,
        )
    )
    session.flush()
    shape = rows.tree(session, conversation.id)
    path = shape.path_to(question.id)
    spending.check_length(session, order.allowance, conversation, [*path, *([begun.id] if begun else [])])
    return _sent(conversation, question, answer, shape, created=True)


def _sent(conversation: Conversation, question: Message, answer: Message, shape: Tree, *, created: bool) -> Sent:
    return Sent(
        question=history.message_record(question, shape),
        answer=history.message_record(answer, shape),
        conversation_id=conversation.id,
        version=conversation.version,
        owner=conversation.owner,
        created=created,
    )
