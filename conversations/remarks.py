"""The discussion beside a conversation: a list of remarks that changes only at its end.

A new remark and a removed one are both a change, and every change has a number. So whoever knows the discussion up to
a number asks for what changed after it, once or a thousand times, and always knows the same.
"""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from conversations import rows, shares
from conversations.errors import DiscussionFull, NotFound, NotShared
from conversations.models import Conversation, Remark
from conversations.records import Author, RemarkRecord, Visitor, tag_of

PART = 200  # changes in one reading
MOST = 5_000  # changes of one discussion; it is a light one, and whoever has the link can write


def changes(session: Session, conversation_id: str, after: int) -> list[RemarkRecord]:
    owner = session.scalar(select(Conversation.owner).where(Conversation.id == conversation_id))
    later = select(Remark).where(Remark.conversation_id == conversation_id, Remark.change > after)
    return [_record(each, owner) for each in session.scalars(later.order_by(Remark.change).limit(PART))]


def add(
    session: Session, conversation_id: str, visitor: Visitor, content: str, share_id: str | None, moment: datetime
) -> RemarkRecord:
    conversation = rows.existing_conversation(session, conversation_id, lock=True)
    if share_id is not None and not shares.good(session, share_id, moment).discussion:
        raise NotShared("discussing")
    if conversation.remarks >= MOST:
        raise DiscussionFull(MOST)
    conversation.remarks += 1
    remark = Remark(
        conversation_id=conversation.id,
        change=conversation.remarks,
        author_id=visitor.id,
        author_name=visitor.name,
        content=content,
        created_at=moment,
    )
    session.add(remark)
    session.flush()
    session.expire_all()  # what is handed out is what was stored, not what was asked to be
    return _record(remark, conversation.owner)


def remove(session: Session, person: str, conversation_id: str, remark_id: str, moment: datetime) -> RemarkRecord:
    allowed = or_(Conversation.owner == person, Remark.author_id == person)
    its = (Remark.id == remark_id, Remark.conversation_id == conversation_id, Conversation.deleted_at.is_(None))
    if session.scalar(select(Remark.id).join(Conversation).where(*its, allowed)) is None:
        raise NotFound("remark", remark_id)
    conversation = rows.existing_conversation(session, conversation_id, lock=True)
    remark = session.get_one(Remark, remark_id)
    take_away(conversation, remark, moment)
    return _record(remark, conversation.owner)


def take_away(conversation: Conversation, remark: Remark, moment: datetime) -> None:
    """Leave an empty place. The caller has locked the conversation."""
    if remark.removed_at is None:
        conversation.remarks += 1
        remark.change = conversation.remarks
        remark.content = ""
        remark.removed_at = moment


def _record(remark: Remark, owner: str | None) -> RemarkRecord:
    tag = tag_of(remark.conversation_id, remark.author_id)
    return RemarkRecord(
        id=remark.id,
        change=remark.change,
        author=Author(remark.author_name, tag, owner=remark.author_id == owner),
        content=remark.content,
        created_at=remark.created_at,
        removed=remark.removed_at is not None,
    )
