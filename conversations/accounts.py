"""Accounts: an owner who can come back, from any browser, because a provider of identities says who it is.

Rule: an account has an owner id of its own, never that of the browser from which it was made. Whoever knew that one,
or had planted it there, knows nothing of the account.
"""

import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from conversations import spending
from conversations.models import Account, Message, Remark, Send
from conversations.records import AccountRecord, Changed, Profile, SignedIn
from conversations.rows import touched_by
from conversations.text import clean_name


def sign_in(session: Session, profile: Profile, browser: str, moment: datetime) -> SignedIn:
    account = session.get(Account, (profile.issuer, profile.subject), with_for_update=True)
    if account is None:
        account = Account(
            issuer=profile.issuer,
            subject=profile.subject,
            owner=secrets.token_urlsafe(16),  # 128 bits
            created_at=moment,
        )
        session.add(account)
    account.name, account.email, account.signed_in_at = clean_name(profile.name), profile.email, moment
    session.flush()
    return SignedIn(_record(account), take_along(session, browser, account.owner))


def account(session: Session, owner: str) -> AccountRecord | None:
    found = session.scalar(select(Account).where(Account.owner == owner))
    return _record(found) if found else None


def take_along(session: Session, browser: str, owner: str) -> list[Changed]:
    """What was a browser's is the account's from now on: conversations with their links, questions, remarks, keys.

    Nothing, if that browser was signed in already: what is one account's does not become another's.
    """
    if not browser or account(session, browser) is not None:
        return []
    changed = []
    for conversation in session.scalars(touched_by(browser)).all():
        if conversation.owner == browser:
            conversation.owner = owner
        conversation.version += 1
        changed.append(Changed(conversation.id, conversation.version, conversation.owner))
    session.flush()
    session.execute(update(Message).where(Message.author_id == browser).values(author_id=owner))
    session.execute(update(Remark).where(Remark.author_id == browser).values(author_id=owner))
    # A key names one send of one owner. One that the account has used itself keeps meaning that.
    used = select(Send.idempotency_key).where(Send.owner == owner, Send.idempotency_key.is_not(None))
    both = update(Send).where(Send.owner == browser, Send.idempotency_key.in_(used.scalar_subquery()))
    session.execute(both.values(idempotency_key=None).execution_options(synchronize_session=False))
    session.execute(update(Send).where(Send.owner == browser).values(owner=owner))
    spending.hand_over(session, browser, owner)
    return changed


def _record(account: Account) -> AccountRecord:
    return AccountRecord(account.owner, account.name, account.email)
