"""The tables. Everything that a person typed or was answered is here; nothing outside this package sees these classes.

A conversation's messages are a tree: a regenerated answer or an edited question is a sibling of the one before.
`Conversation.head_id` is the leaf of the active path; the path is found by walking up from it.
"""

import secrets
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, Index, MetaData, UniqueConstraint, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from conversations.columns import StorableText, UtcDateTime
from conversations.records import Role, Status


def new_id() -> str:
    return uuid.uuid4().hex


def new_share_id() -> str:
    return secrets.token_urlsafe(16)  # 128 bits: whoever has it was given it


def _values(enum: type[Role] | type[Status]) -> list[str]:
    """Store "finished", not the member's name FINISHED."""
    return [member.value for member in enum]


class Base(DeclarativeBase):
    # Constraints with names can be changed by later migrations.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read once by SQLAlchemy, when the class is made
        str: StorableText,
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        Role: Enum(Role, native_enum=False, length=16, values_callable=_values),
        Status: Enum(Status, native_enum=False, length=16, values_callable=_values),
    }


def _rare(column: str) -> Index:
    """An index of those few rows that have something in this column."""
    some = text(f"{column} IS NOT NULL")
    return Index(None, column, postgresql_where=some, sqlite_where=some)


class Account(Base):
    """An owner whom a provider of identities knows. Everybody else is an owner without a row here."""

    __tablename__ = "accounts"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)  # by what the issuer knows them, for ever
    owner: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime]


class Conversation(Base):
    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "owner", "updated_at", "id"),  # the list: newest activity first, one page at a time
        _rare("deleted_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    owner: Mapped[str]
    title: Mapped[str]
    system_prompt: Mapped[str]
    version: Mapped[int]  # one more with every change that a page could show
    generating: Mapped[str | None]  # the stream in flight; whoever sets it from NULL may generate
    # The active leaf. No foreign key: the tables would need each other, and SQLite cannot add one afterwards.
    head_id: Mapped[str | None]
    # How many changes its discussion has seen. The default is for processes of the version before, in a rolling deploy.
    remarks: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]  # nobody finds it any more, but it can be restored


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (_rare("author_id"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey(Conversation.id, ondelete="CASCADE"), index=True)
    # No cascade from the parent: down a long conversation it would go deeper than SQLite allows (1,000 levels).
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), index=True)
    since: Mapped[int]  # the conversation's version that brought it: the order of siblings, whatever the clocks say
    role: Mapped[Role]
    # A visitor who asked through a share, and the name that they gave; NULL: the owner's own.
    author_id: Mapped[str | None]
    author_name: Mapped[str | None]
    content: Mapped[str]
    reasoning: Mapped[str]
    status: Mapped[Status]
    reason: Mapped[str | None]  # why it ended as it did, in words for the user
    stream_id: Mapped[str | None] = mapped_column(unique=True)
    model: Mapped[str | None]
    usage: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Send(Base):
    """How an answer was asked for: what a repeated request is recognised by, and what undoes one that went nowhere."""

    __tablename__ = "sends"
    __table_args__ = (
        UniqueConstraint("owner", "idempotency_key"),
        Index("ix_sends_owner_owed", "owner", postgresql_where=text("owed"), sqlite_where=text("owed")),
    )

    answer_id: Mapped[str] = mapped_column(ForeignKey(Message.id, ondelete="CASCADE"), primary_key=True)
    owner: Mapped[str]
    idempotency_key: Mapped[str | None]
    request: Mapped[str]  # a digest of what was asked
    previous_head_id: Mapped[str | None]  # the active leaf before
    brought_question: Mapped[bool]  # false when an existing question is answered anew
    owed: Mapped[bool] = mapped_column(server_default=false())  # until the answer has ended; finds those that have not


class Share(Base):
    """A link by which others see a conversation. Revoked ones are kept: their link says that it is dead."""

    __tablename__ = "shares"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_share_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey(Conversation.id, ondelete="CASCADE"), index=True)
    may_ask: Mapped[bool]
    discussion: Mapped[bool]
    shows_prompt: Mapped[bool]
    indexed: Mapped[bool]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Remark(Base):
    """What somebody said beside a conversation. A removed one stays as an empty place, so that all pages hear of it."""

    __tablename__ = "remarks"
    __table_args__ = (UniqueConstraint("conversation_id", "change"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey(Conversation.id, ondelete="CASCADE"))
    change: Mapped[int]  # its last change, counted by Conversation.remarks: what comes after it is newer
    author_id: Mapped[str] = mapped_column(index=True)
    author_name: Mapped[str]
    content: Mapped[str]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Spent(Base):
    """The model tokens that a person has used on one day (UTC)."""

    __tablename__ = "spent"

    day: Mapped[str] = mapped_column(primary_key=True)  # 2030-01-31
    person: Mapped[str] = mapped_column(primary_key=True, index=True)
    tokens: Mapped[int] = mapped_column(BigInteger)
