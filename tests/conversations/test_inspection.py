"""What whoever runs the service is told of the database and of answers, and that nothing is made by looking."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from conversations import ConversationRecord, Sent, Status, Store
from conversations.database import Database
from conversations.inspection import NoDatabase, look_at_database
from tests.support.database import new_sqlite


def test_a_migrated_database_has_the_newest_revision(database_url: str) -> None:
    sight = look_at_database(database_url, patience=10)
    assert sight.revision == sight.newest
    assert sight.known
    kind, version = sight.server.split(" ", 1)
    assert version[0].isdigit()
    assert {"SQLite": "wal", "PostgreSQL": None}[kind] == sight.journal


def test_an_empty_database_has_none(empty_database: str) -> None:
    Database(empty_database).close()
    if empty_database.startswith("sqlite"):
        Path(empty_database.removeprefix("sqlite:///")).touch()
    assert look_at_database(empty_database, patience=10).revision is None


def test_tables_that_a_newer_version_made_are_not_known(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    sight = look_at_database(database_url, patience=10)
    assert (sight.revision, sight.known) == ("9999", False)


def test_looking_for_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(NoDatabase):
        look_at_database(new_sqlite(tmp_path / "nowhere"), patience=1)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_away_is_told_as_an_error() -> None:
    with pytest.raises(SQLAlchemyError):
        look_at_database("postgresql://somebody:secret@127.0.0.1:1/db", patience=1)


def test_answers_are_found_by_their_streams_without_their_words(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    sent = ask(conversation.id, "A secret?")
    stream_id = sent.answer.stream_id or ""
    found = store.answers_of([stream_id, "st_unknown"])
    assert set(found) == {stream_id}
    record = found[stream_id]
    assert (record.conversation_id, record.model, record.status) == (conversation.id, "a-model", Status.QUEUED)
    assert record.created_at == sent.answer.created_at
    assert "secret" not in repr(record)


def test_more_streams_than_one_query_names_are_found(
    store: Store, conversation: ConversationRecord, ask: Callable[..., Sent]
) -> None:
    stream_id = ask(conversation.id).answer.stream_id or ""
    assert set(store.answers_of([*(f"st_{number}" for number in range(1200)), stream_id])) == {stream_id}
