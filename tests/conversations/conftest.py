"""Both databases, fresh for every test, and a clock that the test can read."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conversations import ConversationRecord, Sent, Store, open_store
from tests.support.database import migrated, new_postgres, new_sqlite

OWNER = "ada"
STRANGER = "eve"


class Clock:
    """Each reading is a second after the last, so that no two moments are the same by chance."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)
        self.step = timedelta(seconds=1)

    def __call__(self) -> datetime:
        self.moment += self.step
        return self.moment


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return new_sqlite(tmp_path)
    return new_postgres(request.getfixturevalue("postgres"))


@pytest.fixture
def database_url(empty_database: str) -> str:
    """The URL of a database with our tables."""
    return migrated(empty_database)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database_url: str, clock: Clock) -> Iterator[Store]:
    opened = open_store(database_url, pool_size=8, now=clock)
    yield opened
    opened.close()


@pytest.fixture
def conversation(store: Store) -> ConversationRecord:
    return store.create_conversation(OWNER)


@pytest.fixture
def ask(store: Store) -> Callable[..., Sent]:
    """Send a question and leave its answer in flight."""

    def ask(conversation_id: str, content: str = "Why?", key: str | None = None) -> Sent:
        return store.send(OWNER, conversation_id, content, stream_id=new_stream(), model="a-model", idempotency_key=key)

    return ask


@pytest.fixture
def talk(store: Store, ask: Callable[..., Sent]) -> Callable[..., Sent]:
    """Send a question and have it answered."""

    def talk(conversation_id: str, content: str = "Why?", answer: str = "Because.") -> Sent:
        sent = ask(conversation_id, content)
        finish(store, sent, answer)
        return sent

    return talk


def new_stream() -> str:
    return f"st_{uuid.uuid4().hex}"


def stream_of(sent: Sent) -> str:
    assert sent.answer.stream_id
    return sent.answer.stream_id


def finish(store: Store, sent: Sent, text: str = "Because.") -> None:
    saved = store.save_answer(stream_of(sent), text=text, reasoning="", outcome="finished", reason=None, usage=None)
    assert saved
