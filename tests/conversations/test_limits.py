"""Nobody waits for ever: what takes too long is given up, with the errors of a database that is away."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager

import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from conversations import ConversationRecord, Sent, Store
from conversations.database import UPGRADE_LOCK, Database
from conversations.migrate import upgrade
from tests.conversations.conftest import finish
from tests.support.database import migrated, new_postgres, postgres_line
from tests.support.waiting import wait_until

PATIENCE = 60.0  # seconds; whoever waits for ever shows as a failure, not as a test that hangs


@pytest.fixture
def on_postgres(postgres: str) -> Iterator[Database]:
    """A database with our tables."""
    with closing(Database(migrated(new_postgres(postgres)))) as database:
        yield database


@contextmanager
def locked(database_url: str) -> Iterator[sqlalchemy.Connection]:
    """Somebody else has everything, and does not let go."""
    engine = sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            connection.exec_driver_sql("LOCK TABLE messages, conversations IN ACCESS EXCLUSIVE MODE")
        yield connection
        connection.rollback()


def limits(session: Session) -> list[str]:
    """How long it may wait for a lock, take for a statement, and be silent."""
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    return [str(session.scalar(text(f"SHOW {name}"))) for name in names]


def error_of(work: Callable[[], object]) -> BaseException | None:
    """What it raises, in a thread of its own, which may be left behind."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(work).exception(PATIENCE)
    finally:
        pool.shutdown(wait=False)


def test_an_answer_that_cannot_be_saved_for_a_lock_is_refused_and_can_be_saved_later(
    database_url: str, store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id)
    with locked(database_url):
        assert isinstance(error_of(lambda: finish(store, sent)), OperationalError)
    finish(store, sent)


def test_a_lock_keeps_nobody_from_reading_for_longer_either(database_url: str, store: Store) -> None:
    with locked(database_url):
        error = error_of(store.ping)
    # On SQLite whoever reads does not wait for whoever writes.
    assert error is None if database_url.startswith("sqlite") else isinstance(error, OperationalError)


def test_postgresql_knows_the_limits_in_every_transaction(on_postgres: Database) -> None:
    def look_and_fail(begin: Callable[[], AbstractContextManager[Session]]) -> None:
        with begin() as session:
            assert limits(session) == ["8s", "20s", "20s"]
            raise LookupError

    for begin in (on_postgres.read, on_postgres.write) * 2:  # also where one was undone
        with pytest.raises(LookupError):
            look_and_fail(begin)


def test_a_migration_may_take_as_long_as_it_must_but_waits_for_a_table_no_longer_than_anybody(
    on_postgres: Database,
) -> None:
    with on_postgres.alter() as session:
        assert limits(session) == ["8s", "0", "20s"]
    with on_postgres.write() as session:
        assert limits(session) == ["8s", "20s", "20s"], "that was the migration's alone"


def test_a_migration_waits_for_another_one_longer_than_anybody_waits_for_a_lock(on_postgres: Database) -> None:
    database_url = on_postgres.url.render_as_string(hide_password=False)
    take = text(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")

    def waiting(session: Session) -> bool:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")))

    def take_like_anybody() -> None:
        with on_postgres.write() as session:
            session.execute(take)

    with ThreadPoolExecutor(1) as pool:
        with on_postgres.write() as first:
            first.execute(take)
            second = pool.submit(upgrade, database_url)
            wait_until(lambda: waiting(first), what="the second to wait")
            assert isinstance(error_of(take_like_anybody), OperationalError), "who came later has given up"
            assert waiting(first)
        assert second.result(PATIENCE).after


def test_a_statement_that_takes_too_long_is_cut_off_and_its_connection_is_good_for_the_next(
    on_postgres: Database,
) -> None:
    def take_too_long() -> None:
        with on_postgres.write() as session:
            session.execute(text("SET LOCAL statement_timeout = 1"))
            session.execute(text("SELECT pg_sleep(60)"))

    with pytest.raises(OperationalError):
        take_too_long()
    with on_postgres.write() as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_whoever_falls_silent_inside_of_a_transaction_loses_its_locks_and_is_told(on_postgres: Database) -> None:
    def fall_silent() -> None:
        with on_postgres.write() as silent:
            silent.execute(text("LOCK TABLE messages"))
            silent.execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
            with on_postgres.write() as other:
                other.execute(text("LOCK TABLE messages"))
            silent.execute(text("SELECT 1"))

    with pytest.raises(SQLAlchemyError, match="idle-in-transaction"):
        fall_silent()
    with on_postgres.write() as session:
        assert session.scalar(text("SELECT 1")) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system for what only Linux calls so")
def test_a_connection_that_was_cut_without_a_word_is_noticed_by_the_system(on_postgres: Database) -> None:
    with (
        postgres_line(on_postgres.url.render_as_string(hide_password=False)) as (_, database_url),
        closing(Database(database_url)) as database,
        database.read() as session,
    ):
        driver = session.connection().connection.driver_connection
        assert driver is not None
        with socket.socket(fileno=socket.dup(driver.fileno())) as sock:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [10, 5, 2, 20_000]


HANGING = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from sqlalchemy.exc import SQLAlchemyError
from conversations import open_store
from conversations.greenlets import within

store = open_store(sys.argv[1], run=within(3.0), pool_size=1)

def ask():
    try:
        store.ping()
    except SQLAlchemyError as error:
        return str(error)
    return "answered"

for line in sys.stdin:
    asking = gevent.spawn(ask)
    turns = 0
    while not asking.ready():
        turns += 1
        gevent.sleep(0.01)
    print("others went on," if turns > 1 else "all stood still,", asking.value, flush=True)
store.close()
"""


@pytest.mark.timeout(300)  # starts a process; a busy machine takes its time
def test_a_greenlet_whose_transaction_hangs_is_told_so_and_the_others_go_on(on_postgres: Database) -> None:
    directly = on_postgres.url.render_as_string(hide_password=False)
    with (
        postgres_line(directly) as (line, database_url),
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", HANGING, database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        assert process.stderr

        def ask() -> str:
            assert process.stdin
            assert process.stdout
            process.stdin.write("go on\n")
            process.stdin.flush()
            return process.stdout.readline()

        refused = "others went on, no answer from the database within 3 s\n"
        assert "answered" in ask()
        with locked(directly):  # in the middle of a statement
            assert ask() == refused
        assert "answered" in ask()
        line.freeze()  # before the first, for a connection is tried out when it comes from the pool
        assert ask() == refused
        assert ask() == refused, "no more on a new connection"
        line.heal()
        assert "answered" in ask(), "the pool has its one connection back"
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
