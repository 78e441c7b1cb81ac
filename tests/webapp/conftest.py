"""One application on a real Redis and a real SQLite, and the people who use it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr

from conversations import Store, open_store
from streams import StreamSettings, StreamWriter, StreamWriters
from tests.support.database import migrated, new_sqlite
from tests.support.generous import GENEROUS
from tests.support.redis_server import RedisServer, running_redis
from tests.support.web_process import WebProcess, running_web
from tests.webapp.people import send
from webapp.app import create_app
from webapp.services import Services, open_services
from webapp.settings import Settings

PATIENT = 60.0  # seconds
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
        **{name.lower(): value for name, value in GENEROUS.items()},  # type: ignore[arg-type]  # as in an environment
    )


@pytest.fixture(scope="session")
def services(settings: Settings, database_url: str) -> Iterator[Services]:
    """Nothing runs in the background: what is settled was settled by a request."""
    opened = open_services(settings, open_store(database_url), StreamSettings())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def app(settings: Settings, services: Services) -> OpenAPI:
    return create_app(settings, services)


@pytest.fixture
def open_app(settings: Settings, database_url: str) -> Iterator[Callable[..., OpenAPI]]:
    """Another application on the same Redis and database, as another process has it; these settings are other ones."""
    with ExitStack() as opened:

        def open_app(store: Store | None = None, **changed: Any) -> OpenAPI:
            other = Settings.model_validate({**settings.model_dump(), **changed})
            own = open_services(other, store or open_store(database_url), StreamSettings())
            opened.callback(own.close)
            return create_app(other, own)

        yield open_app


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
def stream(ada: FlaskClient, conversation: str) -> str:
    """One of Ada's, queued."""
    return str(send(ada, conversation)["stream"])


@pytest.fixture
def writers(services: Services) -> Iterator[StreamWriters]:
    """The writing half of a worker process. A test that is kept waiting is not a dead worker."""
    opened = StreamWriters(services.redis, StreamSettings(lease=PATIENT))
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
def begin(services: Services, writers: StreamWriters) -> Iterator[Callable[[str], StreamWriter]]:
    """Begin a stream as a worker does; the test's end lets go of it."""
    with ExitStack() as opened:

        def begin(stream_id: str) -> StreamWriter:
            services.store.begin(stream_id)
            return opened.enter_context(writers.open(stream_id))

        yield begin


@pytest.fixture(scope="module")
def web(shared_redis: RedisServer, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """A gunicorn on the same Redis and database, for the tests of a module: it settles streams in the background."""
    log = tmp_path_factory.mktemp("web") / "web.log"
    environment = {"STREAM_LEASE": str(PATIENT)}
    with running_web(
        redis_url=shared_redis.url, database_url=database_url, log=log, environment=environment
    ) as process:
        yield process
