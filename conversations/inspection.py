"""Looking at the database from outside: for whoever runs the service. Nothing is made or changed by it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from conversations.migrate import migration_config, revision_of
from conversations.settings import parse_url


@dataclass(frozen=True, slots=True)
class DatabaseSight:
    """A database as it is at this moment."""

    name: str
    """Its URL, without the password."""
    server: str
    """What it is, and of which version."""
    revision: str | None
    """Of its tables; None: it has none of ours."""
    newest: str
    """The revision that this version of the program works with."""
    known: bool
    """Whether this version of the program knows that revision."""
    journal: str | None
    """How SQLite writes; None of PostgreSQL."""


class NoDatabase(Exception):
    """There is no file of this name, so nobody has made the database yet."""


def look_at_database(database_url: str, *, patience: float) -> DatabaseSight:
    """Raises NoDatabase, and SQLAlchemyError where it does not answer within so many seconds."""
    url = parse_url(database_url)
    name = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
    scripts = ScriptDirectory.from_config(migration_config())
    newest = scripts.get_current_head()
    assert newest, "there is at least one migration"
    with _connected(database_url, patience) as connection:
        revision = revision_of(connection)
        if url.get_backend_name() == "sqlite":
            server = f"SQLite {connection.scalar(text('SELECT sqlite_version()'))}"
            journal = str(connection.scalar(text("PRAGMA journal_mode")))
        else:
            server = f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"
            journal = None
    known = revision in {script.revision for script in scripts.walk_revisions()}
    return DatabaseSight(name, server, revision, newest, known, journal)


@contextmanager
def _connected(database_url: str, patience: float) -> Iterator[Connection]:
    """One connection that reads, without the pool, and without the settings that a store makes on the way."""
    url = parse_url(database_url)
    limits: dict[str, object] = {"connect_timeout": max(1, round(patience))}
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "")
        if not file.is_file():
            raise NoDatabase(f"there is no file {file}")
        limits = {"timeout": patience}
    engine = create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args=limits)
    with closing(engine.connect()) as connection:
        yield connection
