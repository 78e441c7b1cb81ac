"""Conversations, the tree of their messages, and how each answer was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(16)


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("system_prompt", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("generating", sa.Text),
        sa.Column("head_id", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_index("ix_conversations_owner_updated_at_id", "conversations", ["owner", "updated_at", "id"])

    op.create_table(
        "messages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("parent_id", sa.Text, sa.ForeignKey("messages.id")),
        sa.Column("since", sa.Integer, nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("reasoning", sa.Text, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("stream_id", sa.Text, unique=True),
        sa.Column("model", sa.Text),
        sa.Column("usage", sa.JSON),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
    )
    op.create_index("ix_messages_conversation_id", "messages", ["conversation_id"])
    op.create_index("ix_messages_parent_id", "messages", ["parent_id"])

    op.create_table(
        "sends",
        sa.Column("answer_id", sa.Text, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("previous_head_id", sa.Text),
        sa.Column("brought_question", sa.Boolean, nullable=False),
        sa.UniqueConstraint("owner", "idempotency_key"),
    )
