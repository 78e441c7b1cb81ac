"""What people spend of their model tokens in a day, and which answers they wait for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "spent",
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("tokens", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_spent_person", "spent", ["person"])
    # The default is for processes of the version before, which run on for a moment: what they send counts as not owed.
    op.add_column("sends", sa.Column("owed", sa.Boolean, nullable=False, server_default=sa.false()))
    owed = sa.text("owed")
    op.create_index("ix_sends_owner_owed", "sends", ["owner"], postgresql_where=owed, sqlite_where=owed)
