"""Share links, the discussion beside a conversation, visitors who ask, and deletions that can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # The default stays: processes of the version before, which run on for a moment, do not know the column.
    op.add_column("conversations", sa.Column("remarks", sa.Integer, nullable=False, server_default="0"))
    op.add_column("conversations", sa.Column("deleted_at", MOMENT))
    _index_rare("conversations", "deleted_at")

    op.add_column("messages", sa.Column("author_id", sa.Text))
    op.add_column("messages", sa.Column("author_name", sa.Text))
    _index_rare("messages", "author_id")

    op.create_table(
        "shares",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("may_ask", sa.Boolean, nullable=False),
        sa.Column("discussion", sa.Boolean, nullable=False),
        sa.Column("shows_prompt", sa.Boolean, nullable=False),
        sa.Column("indexed", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
    )
    op.create_index("ix_shares_conversation_id", "shares", ["conversation_id"])

    op.create_table(
        "remarks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("author_id", sa.Text, nullable=False),
        sa.Column("author_name", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT),
        sa.UniqueConstraint("conversation_id", "change"),
    )
    op.create_index("ix_remarks_author_id", "remarks", ["author_id"])


def _index_rare(table: str, column: str) -> None:
    """Only of the rows that have something there: of those there are, none."""
    some = sa.text(f"{column} IS NOT NULL")
    op.create_index(f"ix_{table}_{column}", table, [column], postgresql_where=some, sqlite_where=some)
