"""The connection to SQLite or PostgreSQL, and the two kinds of transaction that everything else is made of.

A **write** is alone on what it changes: SQLite takes its one write lock at BEGIN, PostgreSQL the conversation's row
(see rows.py). A **read** sees one moment: a conversation and its messages always fit each other.

Nobody waits for ever. What takes longer than the limits below is given up, as if the database were away: with one of
SQLAlchemy's errors, for which callers have an answer.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import SingletonThreadPool

from conversations.settings import DEFAULT_POOL_SIZE, parse_url

BUSY_TIMEOUT = 8.0  # seconds to wait for a lock, which our own transactions hold for milliseconds
MOST_THREADS = 1_000  # with a connection to SQLite; those that are too many would be closed, whoever uses them
POOL_TIMEOUT = 10.0  # seconds to wait for a free connection before the caller is told

# PostgreSQL's alone, in seconds.
CONNECT_TIMEOUT = 10  # to answer, instead of the minutes that TCP takes
STATEMENT_TIMEOUT = 20.0  # for a statement, its waiting for locks included; ours take milliseconds
IDLE_TIMEOUT = 20.0  # between the statements of a transaction; whoever died there, or sleeps, lets go of its locks
UNHEARD_TIMEOUT = 20.0  # for the other end of a connection to show that it is there, instead of a quarter of an hour
UPGRADE_LOCK = 0x72656A6F  # any number that nobody else locks in this database: "rejo"


class Database:
    """A pool of connections. `close` it at the end; make it after a fork, never before."""

    def __init__(self, database_url: str, pool_size: int = DEFAULT_POOL_SIZE) -> None:
        self.url = parse_url(database_url)
        self.blocks_its_thread = self.url.get_backend_name() == "sqlite"  # psycopg waits as gevent would have it
        if self.blocks_its_thread:
            self._engine = _sqlite_engine(self.url)
            self._reads = self._engine
            self._writes = self._engine.execution_options(begin=["BEGIN IMMEDIATE"])
            # Inside a transaction the pragma does nothing.
            self._alterations = self._writes.execution_options(begin=["PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE"])
        else:
            self._engine = _postgresql_engine(self.url, pool_size)
            self._reads = self._engine.execution_options(isolation_level="REPEATABLE READ")
            # Said aloud, for a database can have another default: after waiting for a lock, see what was committed.
            self._writes = self._engine.execution_options(isolation_level="READ COMMITTED")
            self._alterations = self._writes.execution_options(begin=BEFORE_ALTERATIONS)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self._reads) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Committed at the end of the block, undone if it raises."""
        with Session(self._writes) as session, session.begin():
            yield session

    @contextmanager
    def alter(self) -> Iterator[Session]:
        """As `write`, for migrations. One at a time: on PostgreSQL the others wait for as long as it takes.

        SQLite alters a table by filling a new one and dropping the old one, which must not delete what refers to it.
        Instead all references are checked at the end. Raises IntegrityError.
        """
        with Session(self._alterations) as session, session.begin():
            yield session
            if self.blocks_its_thread and (broken := session.execute(text("PRAGMA foreign_key_check")).first()):
                raise IntegrityError("PRAGMA foreign_key_check", None, ValueError(f"a row refers to nothing: {broken}"))

    def close(self) -> None:
        """A transaction that is under way in another thread may fail."""
        while True:
            try:
                self._engine.dispose()
            except RuntimeError:  # its set of connections grew while they were closed: a thread had just opened one
                continue
            return

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)


def _sqlite_engine(url: URL) -> Engine:
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        hide_parameters=True,  # in what is raised, and so in logs: they are people's words
        # A connection for each thread, so that there is no pool to wait for. (The locks of one, made cooperative by
        # gevent, were seen to hang threads of a thread pool that waited for them.) Opening the file for each
        # transaction would take longer than most transactions do.
        poolclass=SingletonThreadPool,
        pool_size=MOST_THREADS,
        # No isolation level: the driver begins nothing by itself, so that we say how a transaction begins.
        connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not wait for each other
        connection.execute("PRAGMA synchronous = NORMAL")  # safe when we crash; a power cut may cost the last moments
        connection.execute("PRAGMA foreign_keys = ON")
        # Its own knows the capitals of ASCII only.
        connection.create_function("lower", 1, lambda text: text and text.lower(), deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and then writes fails, instead of waiting, if another wrote in between.
        # So a write says that it is one from its first statement on.
        for statement in connection.get_execution_options().get("begin", ["BEGIN"]):
            connection.exec_driver_sql(statement)

    return engine


def _set(limit: str, seconds: float, *, local: bool = False) -> str:
    return f"SET {'LOCAL ' if local else ''}{limit} = {round(seconds * 1000)}"


# An alteration may take as long as it must: a table can be large, and so can the alteration before it. But it waits no
# longer for a table than anybody else: while it waits, an older version that still runs gets no access to it either.
BEFORE_ALTERATIONS = [
    _set("statement_timeout", 0, local=True),
    _set("lock_timeout", 0, local=True),
    f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})",
    _set("lock_timeout", BUSY_TIMEOUT, local=True),
]


def _postgresql_engine(url: URL, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # as above
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        pool_pre_ping=True,  # a database that was restarted costs one reconnect, not an error
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT,
            # A connection on which nothing comes is asked whether it lives, and one that was cut without a word (by a
            # balancer that forgot it, or a machine that is gone) breaks.
            "keepalives": 1,
            "keepalives_idle": round(UNHEARD_TIMEOUT / 2),
            "keepalives_interval": round(UNHEARD_TIMEOUT / 4),
            "keepalives_count": 2,
            "tcp_user_timeout": round(UNHEARD_TIMEOUT * 1000),
        },
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        # Not as options of the connection: PgBouncer refuses those that it does not know.
        with closing(connection.cursor()) as cursor:
            cursor.execute(_set("lock_timeout", BUSY_TIMEOUT))
            cursor.execute(_set("statement_timeout", STATEMENT_TIMEOUT))
            cursor.execute(_set("idle_in_transaction_session_timeout", IDLE_TIMEOUT))
        connection.commit()  # else the first transaction that is undone would undo them

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        for statement in connection.get_execution_options().get("begin", []):
            connection.exec_driver_sql(statement)

    return engine
