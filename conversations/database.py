"""The connection to SQLite or PostgreSQL, and the two kinds of transaction that everything else is made of.

A **write** is alone on what it changes: SQLite takes its one write lock at BEGIN, PostgreSQL the conversation's row
(see rows.py). A **read** sees one moment: a conversation and its messages always fit each other.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from conversations.settings import DEFAULT_POOL_SIZE

BUSY_TIMEOUT = 30.0  # seconds to wait for SQLite's write lock; our own transactions hold it for milliseconds
CONNECT_TIMEOUT = 10  # seconds for PostgreSQL to answer, instead of the minutes that TCP takes
POOL_TIMEOUT = 10.0  # seconds to wait for a free connection before the caller is told


class Database:
    """A pool of connections. `close` it at the end; make it after a fork, never before."""

    def __init__(self, database_url: str, pool_size: int = DEFAULT_POOL_SIZE) -> None:
        self.url = parse_url(database_url)
        self.blocks_its_thread = self.url.get_backend_name() == "sqlite"  # psycopg waits as gevent would have it
        self._kept_open: PoolProxiedConnection | None = None
        if self.blocks_its_thread:
            self._engine = _sqlite_engine(self.url)
            # Whoever closes a file as the last one tidies its journal away, which costs more than a transaction does.
            self._kept_open = self._engine.raw_connection()
            self._reads = self._engine
            self._writes = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        else:
            self._engine = _postgresql_engine(self.url, pool_size)
            self._reads = self._engine.execution_options(isolation_level="REPEATABLE READ")
            # Said aloud, for a database can have another default: after waiting for a lock, see what was committed.
            self._writes = self._engine.execution_options(isolation_level="READ COMMITTED")

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self._reads) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Committed at the end of the block, undone if it raises."""
        with Session(self._writes) as session, session.begin():
            yield session

    def close(self) -> None:
        if self._kept_open is not None:
            self._kept_open.close()
        self._engine.dispose()

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)


def parse_url(database_url: str) -> URL:
    """A URL as people and hosts write it, with the driver that we use. Raises ValueError for other databases."""
    url = make_url(database_url)
    name = url.get_backend_name()
    if name in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        raise ValueError(f"DATABASE_URL must begin with sqlite:/// or postgresql://, not with {name}://")
    if not url.database or ":memory:" in url.database:
        raise ValueError("DATABASE_URL must name a file: SQLite in memory cannot be shared by processes")
    return url.set(drivername="sqlite+pysqlite")


def _sqlite_engine(url: URL) -> Engine:
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        # A connection for each transaction: opening a file is cheap, and there is no pool to wait for. (The locks of a
        # pool, made cooperative by gevent, were seen to hang threads of a thread pool that waited for them.)
        poolclass=NullPool,
        # No isolation level: the driver begins nothing by itself, so that we say how a transaction begins.
        connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not wait for each other
        connection.execute("PRAGMA synchronous = NORMAL")  # safe when we crash; a power cut may cost the last moments
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and then writes fails, instead of waiting, if another wrote in between.
        # So a write says that it is one from its first statement on.
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _postgresql_engine(url: URL, pool_size: int) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        pool_pre_ping=True,  # a database that was restarted costs one reconnect, not an error
        connect_args={"connect_timeout": CONNECT_TIMEOUT},
    )
