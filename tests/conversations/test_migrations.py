"""The tables: made from nothing, once, and the same as the models say."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.exc import IntegrityError

from conversations import Sent, Store, open_store
from conversations.database import Database
from conversations.migrate import upgrade, upgrade_patiently
from conversations.models import Base
from tests.conversations.conftest import OWNER
from tests.conversations.together import at_once

NEWEST = "0004"
CONVERSATION_OF_0001 = (
    "INSERT INTO conversations (id, owner, title, system_prompt, version, created_at, updated_at, head_id)"
    " VALUES (:id, :owner, 'On clouds', '', 2, :moment, :moment, 'm')"
)
MESSAGE_OF_0001 = (
    "INSERT INTO messages (id, conversation_id, since, role, content, reasoning, status, created_at)"
    " VALUES ('m', :id, 2, 'user', 'Why?', '', 'complete', :moment)"
)


def test_an_empty_database_gets_its_tables_and_then_is_up_to_date(empty_database: str) -> None:
    made = upgrade(empty_database)
    assert (made.before, made.after) == (None, NEWEST)
    assert str(made).endswith(f"tables made ({NEWEST})")
    again = upgrade(empty_database)
    assert (again.before, again.after) == (NEWEST, NEWEST)
    assert str(again).endswith(f"is up to date ({NEWEST})")


def test_migrations_and_models_agree(database_url: str) -> None:
    database = Database(database_url)
    with database.read() as session:
        connection = session.connection()
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        # What Alembic does not compare: the names, and what happens on deletion.
        inspector = inspect(connection)
        for table in Base.metadata.sorted_tables:
            found = {(each["name"], each["options"].get("ondelete")) for each in inspector.get_foreign_keys(table.name)}
            assert found == {(each.name, each.ondelete) for each in table.foreign_key_constraints}
            assert not [each for each in table.constraints if isinstance(each, CheckConstraint)]
    database.close()


def test_a_change_of_the_models_without_a_migration_is_noticed(empty_database: str) -> None:
    """The comparison above can fail: against a database without our tables it finds all of them missing."""
    database = Database(empty_database)
    with database.read() as session:
        differences = compare_metadata(MigrationContext.configure(session.connection()), Base.metadata)
    database.close()
    assert {difference[1].name for difference in differences if difference[0] == "add_table"} == set(
        Base.metadata.tables
    )


def test_a_migration_that_makes_a_table_anew_keeps_what_refers_to_it(
    database_url: str, store: Store, ask: Callable[..., Sent]
) -> None:
    sent = ask(store.create_conversation(OWNER).id)
    database = Database(database_url)
    with database.alter() as session:
        operations = Operations(MigrationContext.configure(session.connection()))
        with operations.batch_alter_table("conversations") as table:
            table.alter_column("title", new_column_name="heading")
        with operations.batch_alter_table("conversations") as table:
            table.alter_column("heading", new_column_name="title")
    assert len(store.conversation(OWNER, sent.conversation_id).messages) == 2
    database.close()


def test_a_migration_that_leaves_a_reference_to_nothing_is_undone(
    database_url: str, store: Store, ask: Callable[..., Sent]
) -> None:
    sent = ask(store.create_conversation(OWNER).id)
    database = Database(database_url)

    def lose_the_conversation() -> None:
        with database.alter() as session:
            session.execute(text("DELETE FROM sends"))
            session.execute(text("UPDATE messages SET conversation_id = 'nothing', parent_id = NULL"))

    with pytest.raises(IntegrityError):
        lose_the_conversation()
    assert len(store.conversation(OWNER, sent.conversation_id).messages) == 2
    database.close()


@pytest.mark.timeout(300)  # starts processes; a busy machine takes its time
def test_several_processes_may_upgrade_at_once(empty_database: str) -> None:
    command = [sys.executable, "-m", "conversations.migrate"]
    results = at_once(
        [partial(subprocess.run, command, env={"DATABASE_URL": empty_database}, capture_output=True, text=True)] * 3
    )
    assert [result.returncode for result in results] == [0, 0, 0], [result.stderr for result in results]
    said = sorted(result.stdout.split(" ", 1)[1] for result in results)
    assert said == [f"is up to date ({NEWEST})\n"] * 2 + [f"tables made ({NEWEST})\n"]


@pytest.mark.timeout(300)  # starts processes; a busy machine takes its time
def test_the_command_says_in_one_line_what_it_did_without_the_password(empty_database: str) -> None:
    secret = empty_database.replace("postgres@", "postgres:hunter2@")
    command = [sys.executable, "-m", "conversations.migrate"]
    done = subprocess.run(command, env={"DATABASE_URL": secret}, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert "hunter2" not in done.stdout + done.stderr


def test_an_upgrade_that_finds_a_table_in_use_lets_others_have_their_turn_and_tries_again(empty_database: str) -> None:
    upgrade(empty_database, "0001")
    other = Database(empty_database)
    with ExitStack() as using:
        session = using.enter_context(other.write())
        session.execute(text("UPDATE conversations SET title = title"))
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            using.close()

        assert str(upgrade_patiently(empty_database, pause=pause)).endswith(f"upgraded from 0001 to {NEWEST}")
    assert len(pauses) == 1
    other.close()


@pytest.mark.parametrize(
    ("database_url", "code", "said"),
    [
        ("postgresql://nobody:hunter2@127.0.0.1:1/nowhere", 1, "The database does not answer, and nothing was changed"),
        ("sqlite:////dev/null/no.sqlite3", 1, "The file of the database cannot be made"),
        ("mysql://localhost/x", 2, "DATABASE_URL must begin with sqlite:/// or postgresql://"),
    ],
)
def test_what_is_in_the_way_of_an_upgrade_is_said_in_a_sentence(database_url: str, code: int, said: str) -> None:
    command = [sys.executable, "-m", "conversations.migrate"]
    done = subprocess.run(command, env={"DATABASE_URL": database_url}, capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert not {"Traceback", "hunter2"} & set(done.stderr.split())


def test_an_upgrade_keeps_what_the_version_before_had_written(empty_database: str) -> None:
    upgrade(empty_database, "0001")
    database = Database(empty_database)
    row = {"id": "c" * 32, "owner": OWNER, "moment": "2026-01-01 12:00:00+00:00"}
    with database.write() as session:
        session.execute(text(CONVERSATION_OF_0001), row)
        session.execute(text(MESSAGE_OF_0001), row)
    database.close()
    assert str(upgrade(empty_database)).endswith(f"upgraded from 0001 to {NEWEST}")
    store = open_store(empty_database)
    kept = store.conversation(OWNER, "c" * 32)
    assert [each.content for each in kept.messages] == ["Why?"]
    assert (kept.title, kept.remarks, kept.shares, kept.messages[0].author) == ("On clouds", 0, (), None)
    store.close()
