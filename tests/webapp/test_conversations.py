"""The life of a conversation over HTTP."""

from collections.abc import Callable
from contextlib import closing

import pytest
from flask.testing import FlaskClient

from streams import StreamWriter, Subscriber, keys
from tests.support.waiting import wait_until
from tests.webapp.people import read, send
from webapp.services import Services


def test_a_conversation_begins_with_what_was_asked_for(ada: FlaskClient) -> None:
    response = ada.post("/api/conversations", json={"title": "Lace", "system_prompt": "Be brief."})
    assert response.status_code == 201
    begun = response.get_json()
    assert (begun["title"], begun["system_prompt"], begun["messages"]) == ("Lace", "Be brief.", [])
    assert read(ada, begun["id"]) == begun


def test_a_conversation_may_begin_without_a_body(ada: FlaskClient) -> None:
    assert ada.post("/api/conversations").get_json()["title"] == ""


def test_the_list_comes_in_pages_newest_first(ada: FlaskClient) -> None:
    ids = [ada.post("/api/conversations").get_json()["id"] for _ in range(3)]
    first = ada.get("/api/conversations?limit=2").get_json()
    second = ada.get(f"/api/conversations?limit=2&before={first['next']}").get_json()
    assert [each["id"] for each in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    assert set(first["items"][0]) == {"id", "title", "version", "generating", "created_at", "updated_at"}


def test_the_list_can_be_searched(ada: FlaskClient) -> None:
    for title in ("Cats", "Dogs"):
        ada.post("/api/conversations", json={"title": title})
    found = ada.get("/api/conversations?q=cat").get_json()["items"]
    assert [each["title"] for each in found] == ["Cats"]
    assert ada.get("/api/conversations?q=" + "x" * 201).status_code == 400


def test_a_stranger_has_no_conversations_and_gets_no_cookie_for_looking(ada: FlaskClient, eve: FlaskClient) -> None:
    assert len(eve.get("/api/conversations").get_json()["items"]) == 1
    response = ada.get("/api/conversations")
    assert response.get_json() == {"items": [], "next": None}
    assert "Set-Cookie" not in response.headers


def test_a_new_title_is_told_to_whoever_watches(ada: FlaskClient, conversation: str, services: Services) -> None:
    before = read(ada, conversation)["version"]
    channel, heard = keys.conversation(conversation), list[bytes]()
    with closing(Subscriber(services.redis)) as subscriber:
        subscriber.add(channel, heard.append)
        subscriber.start()
        wait_until(lambda: services.redis.pubsub_shardchannels(channel))
        renamed = ada.patch(f"/api/conversations/{conversation}", json={"title": "Engines"}).get_json()
        assert (renamed["title"], renamed["version"]) == ("Engines", before + 1)
        wait_until(lambda: heard == [b"%d" % (before + 1)])


def test_what_is_deleted_is_gone_and_its_stream_is_stopped(
    ada: FlaskClient, conversation: str, begin: Callable[[str], StreamWriter]
) -> None:
    writer = begin(send(ada, conversation)["stream"])
    stopped: list[object] = []
    writer.on_stop(stopped.append)
    assert ada.delete(f"/api/conversations/{conversation}").status_code == 204
    assert ada.get(f"/api/conversations/{conversation}").status_code == 404
    wait_until(lambda: stopped, what="the writer to be told")


def test_a_version_can_be_chosen(ada: FlaskClient, conversation: str, services: Services) -> None:
    first = send(ada, conversation, "Why?")
    services.control.ask_cancel(first["stream"])
    edited = ada.post(f"/api/messages/{first['question']['id']}/edit", json={"content": "How?"})
    assert edited.status_code == 202
    assert [each["content"] for each in read(ada, conversation)["messages"]] == ["How?", ""]
    chosen = ada.post(f"/api/messages/{first['question']['id']}/select").get_json()
    assert [each["content"] for each in chosen["messages"]] == ["Why?", ""]
    assert chosen["messages"][0]["versions"] == [first["question"]["id"], edited.get_json()["question"]["id"]]


def test_what_belongs_to_somebody_else_looks_like_what_does_not_exist(
    ada: FlaskClient, eve: FlaskClient, conversation: str
) -> None:
    sent = send(ada, conversation)
    message, stream = sent["answer"]["id"], sent["stream"]

    def asked(client: FlaskClient, conversation: str, message: str, stream: str) -> list[tuple[int, object]]:
        body = {"json": {"content": "Mine?"}}
        answers = [
            client.get(f"/api/conversations/{conversation}"),
            client.patch(f"/api/conversations/{conversation}", json={"title": "Mine"}),
            client.delete(f"/api/conversations/{conversation}"),
            client.post(f"/api/conversations/{conversation}/messages", **body),
            client.post(f"/api/messages/{message}/regenerate"),
            client.post(f"/api/messages/{message}/edit", **body),
            client.post(f"/api/messages/{message}/select"),
            client.post(f"/api/streams/{stream}/stop"),
        ]
        return [(each.status_code, each.get_json()) for each in answers]

    foreign = asked(eve, conversation, message, stream)
    unknown = asked(eve, "0" * 32, "1" * 32, "st_2")
    stranger = asked(ada.application.test_client(), conversation, message, stream)
    assert {status for status, _ in foreign} == {404}
    assert foreign == unknown == stranger
    assert read(ada, conversation)["generating"] == stream


@pytest.mark.parametrize(
    "path", ["/api/conversations/a%00b", "/api/conversations/" + "a" * 65, "/api/messages/é/select"]
)
def test_what_is_no_id_is_nowhere(ada: FlaskClient, path: str) -> None:
    assert ada.get(path).status_code in {404, 405}
