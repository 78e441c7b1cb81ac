"""Sharing: links to a conversation, and what they are good for.

Rule: whoever comes by a link is let in by that link alone. Every function that takes a share's id looks first whether
it is still good.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from conversations import answers, rows
from conversations.errors import NotFound, ShareOver
from conversations.history import conversation_record, share_record
from conversations.models import Conversation, Share
from conversations.records import ConversationRecord, ShareRecord, StreamRecord, Terms


def share(session: Session, owner: str, conversation_id: str, terms: Terms, moment: datetime) -> ShareRecord:
    conversation = rows.own_conversation(session, owner, conversation_id, lock=True)
    conversation.version += 1
    made = Share(
        conversation_id=conversation.id,
        may_ask=terms.may_ask,
        discussion=terms.discussion,
        shows_prompt=terms.shows_prompt,
        indexed=terms.indexed,
        created_at=moment,
        expires_at=terms.expires_at,
    )
    session.add(made)
    session.flush()
    return share_record(made)


def revoke(session: Session, owner: str, share_id: str, moment: datetime) -> ShareRecord:
    conversation_id = session.scalar(
        select(Share.conversation_id).join(Conversation).where(Share.id == share_id, *rows.belonging_to(owner))
    )
    if conversation_id is None:
        raise NotFound("share", share_id)
    conversation = rows.own_conversation(session, owner, conversation_id, lock=True)
    revoked = session.get_one(Share, share_id)
    if revoked.revoked_at is None:
        revoked.revoked_at = moment
        conversation.version += 1
    return share_record(revoked)


def good(session: Session, share_id: str, moment: datetime) -> Share:
    """The share, if it lets one in at this moment. Raises NotFound, ShareOver."""
    undeleted = select(Share).join(Conversation).where(Share.id == share_id, Conversation.deleted_at.is_(None))
    found = session.scalar(undeleted.execution_options(populate_existing=True))  # as it is now, if it was read before
    if found is None:
        raise NotFound("share", share_id)
    if share_record(found).is_over(moment):
        raise ShareOver(share_id)
    return found


def shared(session: Session, share_id: str, moment: datetime) -> ShareRecord:
    return share_record(good(session, share_id, moment))


def good_among(session: Session, share_ids: Sequence[str], moment: datetime) -> set[str]:
    undeleted = select(Share).join(Conversation).where(Share.id.in_(share_ids), Conversation.deleted_at.is_(None))
    return {each.id for each in session.scalars(undeleted) if not share_record(each).is_over(moment)}


def conversation(session: Session, share_id: str, moment: datetime) -> ConversationRecord:
    share = good(session, share_id, moment)
    return conversation_record(session, session.get_one(Conversation, share.conversation_id))


def stream(session: Session, stream_id: str, share_id: str, moment: datetime) -> StreamRecord:
    return answers.stream_in(session, stream_id, good(session, share_id, moment).conversation_id)
