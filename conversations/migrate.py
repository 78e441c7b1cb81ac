"""Brings a database to the tables of this version: `python -m conversations.migrate`, run once before the rest starts.

Several may run at once; the first does the work, the others wait and find it done. Where others use a table for long,
it lets them have their turn and tries again; then it gives up, with a sentence, and has changed nothing.
"""

import os
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from conversations.database import BUSY_TIMEOUT, Database
from conversations.settings import ConversationSettings

ATTEMPTS = 5
PAUSE = 3.0  # seconds; while we wait for a table, whoever comes after us waits too

LOCKED = f"The tables could not be changed: {ATTEMPTS} times somebody used them for longer than {BUSY_TIMEOUT:g} s."
WHAT_THEN = """Nothing was changed, and what runs goes on as before. Wait for what takes so long (a backup, a query by
hand), or end it; on PostgreSQL, this shows what it is:

    SELECT pid, now() - xact_start AS since, query FROM pg_stat_activity
    WHERE xact_start IS NOT NULL ORDER BY since DESC;

Then run `python -m conversations.migrate` again."""


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


def upgrade_patiently(
    database_url: str, attempts: int = ATTEMPTS, pause: Callable[[float], None] = time.sleep
) -> Upgrade:
    """As `upgrade`, again and again where a table is in use. Raises the last OperationalError."""
    for attempt in range(1, attempts + 1):
        try:
            return upgrade(database_url)
        except OperationalError as error:
            if attempt == attempts or not is_locked_out(error):
                raise
            print(f"a table is in use; attempt {attempt + 1} of {attempts} follows", file=sys.stderr)
            pause(PAUSE)
    raise AssertionError("there is at least one attempt")


def is_locked_out(error: OperationalError) -> bool:
    """Whether others held a lock for too long."""
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # of which there are several kinds
    return isinstance(cause, LockNotAvailable)


def migration_config(connection: Connection | None = None) -> Config:
    """Where the migrations are and, for those who run them, the connection."""
    config = Config()
    config.set_main_option("script_location", "conversations:migrations")
    config.attributes["connection"] = connection
    return config


def revision_of(connection: Connection) -> str | None:
    """That of the database's tables; None: it has none of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def main() -> int:
    try:
        settings = ConversationSettings.from_env(os.environ)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        print(upgrade_patiently(settings.database_url))
    except OperationalError as error:
        silent = f"The database does not answer, and nothing was changed: {error.orig}"
        print(f"{LOCKED}\n{WHAT_THEN}" if is_locked_out(error) else silent, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The file of the database cannot be made: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
