"""One application on a real Redis and a real SQLite, and the people who use it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr

from conversations import ConversationSettings
from streams import StreamSettings, StreamWriter, StreamWriters
from tests.support.database import migrated, new_sqlite
from tests.support.redis_server import RedisServer, running_redis
from webapp.app import create_app
from webapp.services import Services, open_services
from webapp.settings import Settings

SECRET_KEY = "not a secret, because it is only for tests"  # noqa: S105


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(autouse=True)
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """A server with nothing in it. A test that stops one takes its own."""
    with redis.Redis.from_url(shared_redis.url) as client:
        client.flushall()
    return shared_redis


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Shared by all tests: every person in them is somebody else, and sees only what is theirs."""
    return migrated(new_sqlite(tmp_path_factory.mktemp("database")))


@pytest.fixture(scope="session")
def settings(shared_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        secret_key=SecretStr(SECRET_KEY),
        redis_url=shared_redis.url,
        openai_model="a-model",
        page_folder=tmp_path_factory.mktemp("no-page-here"),
    )


@pytest.fixture(scope="session")
def services(settings: Settings, database_url: str) -> Iterator[Services]:
    """Nothing runs in the background: what is settled was settled by a request."""
    opened = open_services(settings, ConversationSettings(database_url), StreamSettings())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def app(settings: Settings, services: Services) -> OpenAPI:
    return create_app(settings, services)


@pytest.fixture
def ada(app: OpenAPI) -> FlaskClient:
    """A person, before her first visit."""
    return app.test_client()


@pytest.fixture
def eve(app: OpenAPI) -> FlaskClient:
    """Another one, who has a conversation of her own."""
    client = app.test_client()
    assert client.post("/api/conversations").status_code == 201
    return client


@pytest.fixture
def conversation(ada: FlaskClient) -> str:
    """The id of a conversation of Ada's."""
    return str(ada.post("/api/conversations").get_json()["id"])


@pytest.fixture
def writers(services: Services) -> Iterator[StreamWriters]:
    """The writing half of a worker process."""
    opened = StreamWriters(services.redis, StreamSettings())
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
def begin(services: Services, writers: StreamWriters) -> Iterator[Callable[[str], StreamWriter]]:
    """Begin a stream as a worker does; the test's end lets go of it."""
    with ExitStack() as opened:

        def begin(stream_id: str) -> StreamWriter:
            services.store.mark_running(stream_id)
            return opened.enter_context(writers.open(stream_id))

        yield begin
