"""Brings a database to the tables of this version: `python -m conversations.migrate`, run once before the rest starts.

Several may run at once; the first does the work, the others wait and find it done.
"""

import os
from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from conversations.database import Database
from conversations.settings import ConversationSettings


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done: the revisions before and after. No `before`: the tables were made anew."""

    database: str
    before: str | None
    after: str

    def __str__(self) -> str:
        if self.before == self.after:
            return f"{self.database} is up to date ({self.after})"
        if self.before is None:
            return f"{self.database}: tables made ({self.after})"
        return f"{self.database}: upgraded from {self.before} to {self.after}"


def upgrade(database_url: str, revision: str = "head") -> Upgrade:
    """All or nothing: one transaction, on SQLite too."""
    database = Database(database_url, pool_size=1)
    try:
        with database.alter() as session:
            connection = session.connection()
            before = revision_of(connection)
            command.upgrade(migration_config(connection), revision)
            after = revision_of(connection)
            assert after, "there is at least one migration"
            return Upgrade(str(database), before, after)
    finally:
        database.close()


def migration_config(connection: Connection | None = None) -> Config:
    """Where the migrations are and, for those who run them, the connection."""
    config = Config()
    config.set_main_option("script_location", "conversations:migrations")
    config.attributes["connection"] = connection
    return config


def revision_of(connection: Connection) -> str | None:
    """That of the database's tables; None: it has none of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def main() -> None:
    settings = ConversationSettings.from_env(os.environ)
    print(upgrade(settings.database_url))


if __name__ == "__main__":
    main()
