"""What Alembic runs: the migrations, on the connection and in the transaction that migrate.py opened."""

from alembic import context

from conversations.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
