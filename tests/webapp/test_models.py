"""Which models one can ask, and that no others are."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask.testing import FlaskClient

from conversations import open_store
from streams import Offer, StreamSettings, keys, publish_offer
from tests.support.redis_server import RedisServer
from tests.webapp.people import read, send
from webapp.app import create_app
from webapp.services import Services, open_services
from webapp.settings import Settings


@contextmanager
def visitor(settings: Settings, database_url: str, **changes: object) -> Iterator[FlaskClient]:
    """Somebody with a conversation, on a web process with other settings."""
    with ExitStack() as stack:
        changed = settings.model_copy(update=changes)
        services = open_services(changed, open_store(database_url), StreamSettings())
        stack.callback(services.close)
        yield create_app(changed, services).test_client()


def listed(client: FlaskClient) -> dict[str, object]:
    response = client.get("/api/models")
    assert response.status_code == 200
    return dict(response.get_json())


def begun(client: FlaskClient) -> str:
    return str(client.post("/api/conversations").get_json()["id"])


def test_what_the_workers_list_is_offered_and_the_default_in_any_case(ada: FlaskClient, services: Services) -> None:
    assert listed(ada) == {"default": "a-model", "models": ["a-model"]}
    publish_offer(services.redis, services.settings.rq_queue, Offer("theirs", ("large", "small")))
    assert listed(ada) == {"default": "a-model", "models": ["a-model", "large", "small"]}
    publish_offer(services.redis, services.settings.rq_queue, Offer("theirs", ("large", "a-model")))
    assert listed(ada) == {"default": "a-model", "models": ["large", "a-model"]}
    services.redis.delete(keys.offer(services.settings.rq_queue))


def test_a_web_process_without_a_default_takes_the_workers(settings: Settings, database_url: str) -> None:
    with visitor(settings, database_url, openai_model="") as client:
        assert listed(client) == {"default": "", "models": []}
        services: Services = client.application.extensions["services"]
        publish_offer(services.redis, settings.rq_queue, Offer("theirs", ("theirs", "another")))
        assert listed(client) == {"default": "theirs", "models": ["theirs", "another"]}


def test_without_redis_there_is_the_default(settings: Settings, database_url: str, own_redis: RedisServer) -> None:
    own_redis.kill()
    with visitor(settings, database_url, redis_url=own_redis.url) as client:
        assert listed(client) == {"default": "a-model", "models": ["a-model"]}


def test_any_model_is_asked_where_the_operator_names_none(ada: FlaskClient, conversation: str) -> None:
    body = {"content": "Why?", "model": "whatever"}
    assert ada.post(f"/api/conversations/{conversation}/messages", json=body).status_code == 202
    assert read(ada, conversation)["messages"][-1]["model"] == "whatever"


def test_only_the_operators_models_are_offered_and_asked(settings: Settings, database_url: str) -> None:
    with visitor(settings, database_url, openai_models=("small", "a-model")) as client:
        assert listed(client) == {"default": "a-model", "models": ["small", "a-model"]}
        conversation = begun(client)
        path = f"/api/conversations/{conversation}/messages"
        refused = client.post(path, json={"content": "Why?", "model": "huge"})
        assert refused.status_code == 400
        message = "This model is not offered; expected one of small, a-model"
        assert refused.get_json()["errors"] == [{"field": "model", "message": message}]
        assert refused.get_json()["detail"] == f"model: {message}"
        assert read(client, conversation)["messages"] == []
        assert client.post(path, json={"content": "Why?", "model": "small"}).status_code == 202
        assert read(client, conversation)["messages"][-1]["model"] == "small"
        other = begun(client)
        send(client, other)
        assert read(client, other)["messages"][-1]["model"] == "a-model"


@pytest.mark.parametrize("what", ["regenerate", "edit"])
def test_another_version_is_not_written_by_another_model_either(
    settings: Settings, database_url: str, what: str
) -> None:
    with visitor(settings, database_url, openai_models=("a-model",)) as client:
        sent = send(client, begun(client))
        message = sent["answer" if what == "regenerate" else "question"]["id"]
        body = {"model": "huge"} | ({"content": "How?"} if what == "edit" else {})
        assert client.post(f"/api/messages/{message}/{what}", json=body).status_code == 400


@pytest.mark.parametrize(
    ("data", "offered"),
    [
        (b"[" * 100_000, []),
        (b"\xff", []),
        (b'{"default": "m", "models": "abc"}', []),
        (b'{"default": ["m"], "models": ["\\ud800", 5, null, " ", "m"]}', ["m"]),
    ],
)
def test_of_what_nobody_can_read_nothing_is_offered(
    ada: FlaskClient, services: Services, data: bytes, offered: list[str]
) -> None:
    services.redis.set(keys.offer(services.settings.rq_queue), data)
    assert listed(ada) == {"default": "a-model", "models": ["a-model", *offered]}
