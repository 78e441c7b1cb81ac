"""What whoever runs the process is told."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from conversations import open_store
from streams import REPLY_TIMEOUT, StreamSettings
from tests.support.database import new_sqlite
from tests.support.redis_server import RedisServer
from webapp.app import create_app
from webapp.services import open_services
from webapp.settings import Settings


@pytest.fixture
def probe(own_redis: RedisServer, settings: Settings, database_url: str) -> Iterator[FlaskClient]:
    """Asks an application on a Redis of its own."""
    settings = settings.model_copy(update={"redis_url": own_redis.url})
    services = open_services(settings, open_store(database_url), StreamSettings())
    yield create_app(settings, services).test_client()
    services.close()


def test_a_healthy_process_says_so(probe: FlaskClient) -> None:
    assert probe.get("/healthz").get_json() == {"status": "ok"}
    assert probe.get("/readyz").get_json() == {"redis": "ok", "streams": "ok", "database": "ok"}


def test_without_redis_it_is_alive_but_not_ready(probe: FlaskClient, own_redis: RedisServer) -> None:
    own_redis.kill()
    assert probe.get("/healthz").status_code == 200
    response = probe.get("/readyz")
    assert response.status_code == 503
    assert "redis" in response.get_json()["detail"]
    assert "database" not in response.get_json()["detail"]


def test_a_redis_that_hangs_does_not_hold_up_the_answer(probe: FlaskClient, own_redis: RedisServer) -> None:
    own_redis.pause()
    began = time.monotonic()
    response = probe.get("/readyz")
    took = time.monotonic() - began
    own_redis.resume()
    assert response.status_code == 503
    assert took < 2 * REPLY_TIMEOUT, "without a limit of its own: three times, for it is asked again"


def test_without_its_tables_the_database_is_not_ready_and_the_log_says_why(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    services = open_services(settings, open_store(new_sqlite(tmp_path)), StreamSettings())
    response = create_app(settings, services).test_client().get("/readyz")
    services.close()
    assert response.status_code == 503
    assert "database" in response.get_json()["detail"]
    assert "no such table" in caplog.text, "and not that it is silent"
