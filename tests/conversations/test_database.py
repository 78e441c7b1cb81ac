"""The connection: what a URL may say, how SQLite is set up, and greenlets that are not held up by a lock."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError

from conversations import ConversationSettings, NotFound, Store, open_store
from conversations.database import Database
from conversations.models import Conversation
from conversations.settings import parse_url
from tests.conversations.conftest import OWNER, STRANGER
from tests.support.database import migrated, new_sqlite


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:p@h:5/d",
        "postgresql://u:p@h:5/d",
        "postgresql+psycopg://u:p@h:5/d",
        "postgresql+psycopg2://u:p@h:5/d",
    ],
)
def test_postgresql_is_reached_by_psycopg_however_its_url_is_written(url: str) -> None:
    assert parse_url(url).render_as_string(hide_password=False) == "postgresql+psycopg://u:p@h:5/d"


@pytest.mark.parametrize(
    "url", ["mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "nonsense"]
)
def test_what_is_no_database_that_processes_can_share_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match=r"DATABASE_URL"):
        ConversationSettings.from_env({"DATABASE_URL": url})


def test_sqlite_is_set_up_for_several_processes_and_keeps_references_whole(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/not/there/yet.sqlite3")
    with database.read() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]
        assert pragmas == ["wal", 1, 1]
        assert session.scalar(text("PRAGMA busy_timeout")) == 8_000
    database.close()


def test_sqlite_can_be_closed_while_a_thread_opens_a_connection(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/closing.sqlite3")
    closed: list[object] = []

    def read() -> None:
        with database.read() as session:
            session.execute(text("SELECT 1"))

    def open_another(connection: object, _record: object) -> None:
        closed.append(connection)
        if len(closed) == 1:
            with ThreadPoolExecutor(1) as another:
                another.submit(read).result()

    read()
    event.listen(database._engine, "close", open_another)
    database.close()
    assert len(set(map(id, closed))) == 2


def test_a_transaction_that_raises_changes_nothing_and_lets_its_exception_through(
    database_url: str, store: Store
) -> None:
    database = Database(database_url)
    made = store.create_conversation(OWNER)

    def change_and_fail() -> None:
        with database.write() as session:
            session.get_one(Conversation, made.id).title = "Changed"
            session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    database.close()
    assert store.conversation(OWNER, made.id) == made


def test_on_sqlite_every_transaction_goes_through_a_run_and_writes_through_their_own(tmp_path: Path) -> None:
    """In a thread of its own each, so that none leans on what another left there."""
    threads: list[threading.Thread] = []
    kinds: list[str] = []

    def run(kind: str, transaction: Callable[[], object]) -> object:
        kinds.append(kind)
        with ThreadPoolExecutor(1) as pool:
            threads.append(pool.submit(threading.current_thread).result())
            return pool.submit(transaction).result()

    database_url = migrated(new_sqlite(tmp_path))
    store = open_store(database_url, run_read=partial(run, "read"), run_write=partial(run, "write"))
    conversation = store.create_conversation(OWNER)
    assert store.conversation(OWNER, conversation.id) == conversation
    with pytest.raises(NotFound):
        store.conversation(STRANGER, conversation.id)
    store.close()
    assert len(set(threads)) == 3
    assert kinds == ["write", "read", "read"]


def test_a_ping_fails_where_the_tables_are_missing(empty_database: str) -> None:
    store = open_store(empty_database)
    with pytest.raises(SQLAlchemyError):
        store.ping()
    migrated(empty_database)
    store.ping()
    store.close()


def test_settings_come_from_the_environment_and_name_what_is_wrong() -> None:
    assert ConversationSettings.from_env({}).database_url.startswith("sqlite:///")
    given = ConversationSettings.from_env({"DATABASE_URL": "postgres://h/d", "DATABASE_POOL_SIZE": "2"})
    assert given == ConversationSettings("postgres://h/d", 2)
    for wrong in ("0", "-1", "many", "2.5"):
        with pytest.raises(ValueError, match="DATABASE_POOL_SIZE"):
            ConversationSettings.from_env({"DATABASE_POOL_SIZE": wrong})
    with pytest.raises(ValueError, match=r"DATABASE_POOL_SIZE.*\n.*DATABASE_URL"):
        ConversationSettings.from_env({"DATABASE_POOL_SIZE": "0", "DATABASE_URL": "mysql://host/db"})


GREENLETS = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from conversations import ConversationSettings, NotFound
from conversations.greenlets import open_greenlet_store

store = open_greenlet_store(ConversationSettings(sys.argv[1]))
conversation = store.create_conversation("ada")
print("ready", flush=True)
sys.stdin.readline()

begun = 0
def rename(title):
    global begun
    begun += 1
    store.change("ada", conversation.id, title=title)

writers = [gevent.spawn(rename, f"Title {number}") for number in range(20)]
while begun < 20:
    gevent.sleep(0.01)
print("waiting", sum(not each.ready() for each in writers), flush=True)
print("read", store.conversation("ada", conversation.id).version, flush=True)
gevent.joinall(writers, raise_error=True)
try:
    store.conversation("eve", conversation.id)
except NotFound as error:
    print("done", store.conversation("ada", conversation.id).version, error.kind, flush=True)
store.close()
"""


@pytest.mark.timeout(300)  # starts processes; a busy machine takes its time
def test_greenlets_go_on_while_the_database_is_locked_elsewhere(database_url: str) -> None:
    """The lock is given back only when the locked-out process has said that it goes on: no clock is needed to tell."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", GREENLETS, database_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    database = Database(database_url)
    with process:
        assert process.stderr
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        with database.write() as session:
            session.execute(text("UPDATE conversations SET title = 'held'"))  # the write lock, or the row's
            process.stdin.write("go\n")
            process.stdin.flush()
            assert process.stdout.readline() == "waiting 20\n"
            if database.blocks_its_thread:  # on PostgreSQL the connections of the pool are what there is
                assert process.stdout.readline() == "read 1\n"
        if not database.blocks_its_thread:
            assert process.stdout.readline().startswith("read")
        assert process.stdout.readline() == "done 21 conversation\n"
        assert process.stderr.read() == "", "an expected exception is not printed by the thread that met it"
    database.close()
    assert process.returncode == 0
