"""Every error is a problem that says what would be right."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gevent
import pytest
import sqlalchemy
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from conversations import open_store
from streams import StreamSettings
from tests.support.database import migrated, new_postgres, new_sqlite
from tests.support.redis_server import RedisServer
from tests.webapp.people import read, send
from webapp.app import create_app
from webapp.problems import init_problems
from webapp.services import Services, open_services
from webapp.settings import Settings
from webapp.validation import init_bodies


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """The problem in an answer, after checking that it is one."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body = dict(response.get_json())
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in response.text
    return body


@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/api/conversations/unknown", "/api/streams/st_unknown"])
def test_what_is_not_there_is_404(ada: FlaskClient, path: str) -> None:
    problem(ada.get(path), 404)


def test_a_method_that_is_not_meant_is_405_and_the_right_ones_are_named(ada: FlaskClient) -> None:
    response = ada.put("/api/conversations")
    problem(response, 405)
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


def test_a_body_that_is_too_large_is_413(ada: FlaskClient, conversation: str) -> None:
    body = json.dumps({"content": "a" * 3_000_000})
    path = f"/api/conversations/{conversation}/messages"
    problem(ada.post(path, data=body, content_type="application/json"), 413)


def test_a_body_that_comes_too_slowly_is_408() -> None:
    class Slow(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _buffer: object) -> int:
            gevent.sleep(60)
            return 0

    app = Flask(__name__)
    init_problems(app)
    init_bodies(app, patience=0.01)
    told = app.test_client().post("/", environ_overrides={"wsgi.input": Slow(), "CONTENT_LENGTH": "100"})
    assert "did not arrive within" in problem(told, 408)["detail"]


def test_a_body_of_a_hundred_thousand_members_is_not_answered_with_as_many_complaints(
    ada: FlaskClient, conversation: str
) -> None:
    told = ada.post(f"/api/conversations/{conversation}/messages", json={f"k{number}": 1 for number in range(100_000)})
    assert "100,000 members" in problem(told, 400)["detail"]
    assert len(told.data) < 1_000


def test_a_body_of_another_type_is_415(ada: FlaskClient, conversation: str) -> None:
    path = f"/api/conversations/{conversation}/messages"
    found = problem(ada.post(path, data="content=Why", content_type="application/x-www-form-urlencoded"), 415)
    assert "application/json" in found["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("[" * 100_000, "too deeply"),
        ("[]", "must be a JSON object"),
        ('"a text"', "must be a JSON object"),
        ("null", "must be a JSON object"),
    ],
)
def test_a_body_that_is_no_json_object_is_400(ada: FlaskClient, conversation: str, body: Any, said: str) -> None:
    path = f"/api/conversations/{conversation}/messages"
    assert said in problem(ada.post(path, data=body, content_type="application/json"), 400)["detail"]


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "content", "required"),
        ({"content": 5}, "content", "string"),
        ({"content": ""}, "content", "at least 1 character"),
        ({"content": " \n"}, "content", "must not be blank"),
        ({"content": "a" * 100_001}, "content", "100000"),
        ({"content": "Why?", "colour": "red"}, "colour", "Unknown field"),
        ({"content": "Why?", "model": ""}, "model", "at least 1 character"),
    ],
)
def test_what_is_wrong_is_named(ada: FlaskClient, conversation: str, body: Any, field: str, said: str) -> None:
    found = problem(ada.post(f"/api/conversations/{conversation}/messages", json=body), 400)
    [error] = found["errors"]
    assert error["field"] == field
    assert said in error["message"]
    assert field in found["detail"]
    assert read(ada, conversation)["messages"] == []


def test_a_message_of_the_greatest_length_is_taken_however_it_is_written(ada: FlaskClient, conversation: str) -> None:
    path = f"/api/conversations/{conversation}/messages"
    body = json.dumps({"content": "😀" * 100_000}, ensure_ascii=True)
    sent = ada.post(path, data=body, content_type="application/json")
    assert sent.status_code == 202
    assert sent.get_json()["question"]["content"] == "😀" * 100_000


def test_a_send_without_a_body_says_that_one_is_needed(ada: FlaskClient, conversation: str) -> None:
    assert "object" in problem(ada.post(f"/api/conversations/{conversation}/messages"), 400)["detail"]


def test_characters_that_no_database_holds_crash_nothing(ada: FlaskClient, conversation: str) -> None:
    path = f"/api/conversations/{conversation}/messages"
    answer = ada.post(path, data=rb'{"content": "\u0000 and \ud800"}', content_type="application/json")
    assert answer.status_code in {202, 400}
    read(ada, conversation)


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=many", "limit"), ("limit=0", "limit"), ("before=x", "before"), ("colour=red", "colour")],
)
def test_a_parameter_that_is_wrong_is_named(ada: FlaskClient, query: str, field: str) -> None:
    found = problem(ada.get(f"/api/conversations?{query}"), 400)
    assert [each["field"] for each in found["errors"]] == [field]


def test_a_fault_of_ours_is_500_and_the_log_knows_more(
    settings: Settings, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise ValueError("a secret of the server")

    app = create_app(settings, services)
    app.add_url_rule("/broken", view_func=broken)
    response = app.test_client().get("/broken")
    found = problem(response, 500)
    assert "secret" not in response.text
    assert found["fault"] in found["detail"]
    [record] = [each for each in caplog.records if found["fault"] in each.message]
    assert record.exc_info
    assert "a secret of the server" in str(record.exc_info[1])


# --- when something is away


@pytest.fixture
def frail(own_redis: RedisServer, settings: Settings, database_url: str) -> Iterator[Services]:
    """Services on a Redis that the test may take away."""
    settings = settings.model_copy(update={"redis_url": own_redis.url})
    opened = open_services(settings, open_store(database_url), StreamSettings())
    yield opened
    opened.close()


@pytest.fixture
def visitor(frail: Services) -> FlaskClient:
    return create_app(frail.settings, frail).test_client()


def test_without_redis_a_send_is_503_and_leaves_nothing_behind(visitor: FlaskClient, own_redis: RedisServer) -> None:
    conversation = visitor.post("/api/conversations").get_json()["id"]
    own_redis.kill()
    path = f"/api/conversations/{conversation}/messages"
    request = {"json": {"content": "Why?"}, "headers": {"Idempotency-Key": "once"}}
    response = visitor.post(path, **request)
    assert "Redis" in problem(response, 503)["detail"]
    assert int(response.headers["Retry-After"]) > 0
    shown = read(visitor, conversation)
    assert (shown["messages"], shown["generating"]) == ([], None)

    own_redis.start()
    assert visitor.post(path, **request).status_code == 202


def test_without_redis_history_can_be_read_and_deleted(visitor: FlaskClient, own_redis: RedisServer) -> None:
    conversation = visitor.post("/api/conversations").get_json()["id"]
    stream = send(visitor, conversation)["stream"]
    own_redis.kill()
    assert read(visitor, conversation)["generating"] == stream
    assert visitor.patch(f"/api/conversations/{conversation}", json={"title": "Lace"}).status_code == 200
    problem(visitor.post(f"/api/streams/{stream}/stop"), 503)
    assert visitor.delete(f"/api/conversations/{conversation}").status_code == 204


def test_without_its_tables_the_database_is_503(frail: Services, tmp_path: Path) -> None:
    empty = open_services(frail.settings, open_store(new_sqlite(tmp_path)), StreamSettings())
    try:
        response = create_app(frail.settings, empty).test_client().post("/api/conversations")
        assert "database" in problem(response, 503)["detail"]
        assert "Retry-After" in response.headers
    finally:
        empty.close()


@pytest.fixture
def on_postgresql(settings: Settings, postgres: str) -> Iterator[tuple[FlaskClient, sqlalchemy.Engine]]:
    """A visitor, and a way of the test's own to the database."""
    database_url = migrated(new_postgres(postgres))
    services = open_services(settings, open_store(database_url), StreamSettings())
    engine = sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)
    yield create_app(settings, services).test_client(), engine
    services.close()


def test_a_database_that_is_locked_is_503(on_postgresql: tuple[FlaskClient, sqlalchemy.Engine]) -> None:
    visitor, engine = on_postgresql
    with ThreadPoolExecutor(1) as pool, engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE")
        response = pool.submit(visitor.post, "/api/conversations").result(60)
    assert "database" in problem(response, 503)["detail"]
    assert visitor.post("/api/conversations").status_code == 201


def test_a_database_that_takes_nothing_is_503(on_postgresql: tuple[FlaskClient, sqlalchemy.Engine]) -> None:
    """As one that was made a replica."""
    visitor, engine = on_postgresql
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET default_transaction_read_only = on")
    assert "database" in problem(visitor.post("/api/conversations"), 503)["detail"]
