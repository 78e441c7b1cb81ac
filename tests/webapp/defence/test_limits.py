"""Who is told to wait, in what words, and for how long."""

import math
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gevent
import pytest
import redis
from flask import session
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from conversations import Allowance, open_store
from tests.support.redis_server import RedisServer
from tests.webapp.people import send, share
from webapp.defence.limit_settings import LimitSettings
from webapp.defence.limits import Act, Limits, wait_for
from webapp.problems import Problem

OpenApp = Callable[..., OpenAPI]


def begin(client: FlaskClient) -> str:
    response = client.post("/api/conversations")
    assert response.status_code == 201, response.text
    return str(response.get_json()["id"])


def refusal(response: TestResponse) -> str:
    """The words of a 429, which says when to come back."""
    assert response.status_code == 429, response.text
    assert response.content_type == "application/problem+json"
    assert int(response.headers["Retry-After"]) >= 1
    return str(response.get_json()["detail"])


def test_an_identity_that_sends_too_much_is_told_when_to_send_again(open_app: OpenApp) -> None:
    ada = open_app(sends_per_identity="2/hour").test_client()
    for _ in range(2):
        send(ada, begin(ada))
    conversation = begin(ada)
    response = ada.post(f"/api/conversations/{conversation}/messages", json={"content": "Why?"})
    assert refusal(response).startswith("There were too many questions in a short time. Try again in ")
    assert 1800 <= int(response.headers["Retry-After"]) <= 7200
    assert ada.get(f"/api/conversations/{conversation}").get_json()["messages"] == []


def test_every_way_to_ask_counts_as_one(open_app: OpenApp) -> None:
    app = open_app(sends_per_identity="1/hour")
    ada, guest = app.test_client(), app.test_client()
    conversation = begin(ada)
    link = share(ada, conversation, may_ask=True)
    answer = send(ada, conversation)["answer"]["id"]
    for path, body in (
        (f"/api/messages/{answer}/regenerate", {}),
        (f"/api/messages/{answer}/continue", {}),
        (f"/api/messages/{answer}/edit", {"content": "Why not?"}),
        (f"/api/conversations/{conversation}/messages", {"content": "Why?"}),
        (f"/api/shares/{link}/messages", {"content": "Why?", "name": "Ada"}),
    ):
        refusal(ada.post(path, json=body))
    begin(guest)  # somebody with a cookie
    asked = [guest.post(f"/api/shares/{link}/messages", json={"content": "Why?", "name": ""}) for _ in range(2)]
    assert [each.status_code for each in asked] == [409, 429]


def test_a_repetition_gets_what_the_first_one_got_also_when_there_were_too_many(
    open_app: OpenApp,
) -> None:
    app = open_app(sends_per_identity="10/hour")
    ada, store = app.test_client(), app.extensions["services"].store
    conversation = begin(ada)
    link = share(ada, conversation, may_ask=True)
    begun: dict[tuple[str, str], str] = {}

    def ask(path: str, content: str = "") -> TestResponse:
        headers = {"Idempotency-Key": f"{path} {content}".replace(" ", "_")}
        body = {"content": content, "name": "Ada"} if "shares" in path else {"content": content} if content else {}
        return ada.post(path, json=body, headers=headers)

    def answered(path: str, content: str = "") -> tuple[str, str]:
        sent = ask(path, content).get_json()
        begun[path, content] = sent["stream"]
        assert ask(path, content).get_json()["stream"] == sent["stream"]
        store.begin(sent["stream"])
        store.save_answer(sent["stream"], text="Because", reasoning="", outcome="cancelled", reason=None, usage=None)
        return sent["question"]["id"], sent["answer"]["id"]

    question, answer = answered(f"/api/conversations/{conversation}/messages", "Why?")
    answered(f"/api/messages/{answer}/regenerate")
    answered(f"/api/messages/{answer}/continue")
    answered(f"/api/messages/{question}/edit", "Why not?")
    answered(f"/api/shares/{link}/messages", "Who?")
    for _ in range(2):
        refusal(ask(f"/api/conversations/{conversation}/messages", "One too many"))
        for (path, content), stream in begun.items():
            again = ask(path, content)
            assert (again.status_code, again.get_json()["stream"]) == (202, stream)


def test_all_processes_count_together(open_app: OpenApp) -> None:
    one, two = (open_app(sends_per_identity="1/hour") for _ in range(2))
    ada = one.test_client()
    send(ada, begin(ada))
    there = two.test_client()
    there.set_cookie("rejoinder", ada.get_cookie("rejoinder").value)  # type: ignore[union-attr]
    refusal(there.post(f"/api/conversations/{begin(there)}/messages", json={"content": "Why?"}))


def test_follows_are_counted_by_each_process_for_itself(open_app: OpenApp) -> None:
    one, two = (open_app(follows_per_identity="1/hour") for _ in range(2))
    ada = one.test_client()
    stream = send(ada, begin(ada))["stream"]
    there = two.test_client()
    there.set_cookie("rejoinder", ada.get_cookie("rejoinder").value)  # type: ignore[union-attr]
    for client in (ada, there):
        assert client.get(f"/api/streams/{stream}").status_code == 200
        refused = client.get(f"/api/streams/{stream}")
        assert refusal(refused).startswith("There were too many connections in a short time. Try again in 60 minutes.")
        assert 3590 <= int(refused.headers["Retry-After"]) <= 3600


def test_one_who_sends_too_much_is_in_nobody_elses_way(open_app: OpenApp) -> None:
    app = open_app(sends_per_identity="1/hour")
    ada, eve = app.test_client(), app.test_client()
    conversation = begin(ada)
    send(ada, conversation)
    refusal(ada.post(f"/api/conversations/{conversation}/messages", json={"content": "Why?"}))
    send(eve, begin(eve))


def test_many_identities_of_one_address_are_counted_together_too(open_app: OpenApp) -> None:
    app = open_app(sends_per_address="2/hour", trusted_proxies=1)
    here, there = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}

    def asked(headers: dict[str, str]) -> TestResponse:
        client = app.test_client()
        return client.post(f"/api/conversations/{begin(client)}/messages", json={"content": "Why?"}, headers=headers)

    assert [asked(here).status_code for _ in range(2)] == [202, 202]
    assert "too many questions from your network" in refusal(asked(here))
    assert asked(there).status_code == 202
    # Whoever writes more into the header than the proxy does is still where they are.
    refusal(asked({"X-Forwarded-For": "192.0.2.3, 192.0.2.1"}))


def test_readings_of_streams_and_of_shares_and_remarks_are_counted(open_app: OpenApp) -> None:
    app = open_app(follows_per_identity="2/hour", share_opens_per_identity="2/hour", remarks_per_identity="1/hour")
    ada = app.test_client()
    conversation = begin(ada)
    stream, link = send(ada, conversation)["stream"], share(ada, conversation, discussion=True)
    assert ada.get(f"/api/streams/{stream}").status_code == 200
    assert ada.get(f"/api/streams/{stream}/digest").status_code == 200
    assert "connections" in refusal(ada.get(f"/api/streams/{stream}"))
    refusal(ada.get(f"/api/streams/{stream}", headers={"Accept": "text/event-stream"}))

    assert ada.get(f"/api/shares/{link}").status_code == 200
    assert ada.get(f"/api/shares/{link}/remarks").status_code == 200
    assert "shared conversations" in refusal(ada.get(f"/api/shares/{link}"))

    said = {"content": "Hm.", "name": "Ada"}
    assert ada.post(f"/api/conversations/{conversation}/remarks", json=said).status_code == 201
    assert "remarks" in refusal(ada.post(f"/api/conversations/{conversation}/remarks", json=said))
    refusal(ada.post(f"/api/shares/{link}/remarks", json=said))


def test_who_guesses_links_is_stopped_before_anything_is_looked_up_and_others_at_that_address_are_not(
    open_app: OpenApp,
) -> None:
    app = open_app(share_guesses="2/hour")
    owner, guesser, reader = (app.test_client() for _ in range(3))
    link = share(owner, begin(owner))
    begin(guesser)
    begin(reader)
    assert [guesser.get(f"/api/shares/{'x' * 22}").status_code for _ in range(2)] == [404, 404]
    assert "lead nowhere" in refusal(guesser.get(f"/api/shares/{'y' * 22}"))
    refusal(guesser.get(f"/api/shares/{link}"))  # …also what is right
    refusal(guesser.post(f"/api/shares/{link}/messages", json={"content": "Why?", "name": ""}))
    refusal(guesser.get(f"/api/streams/some/digest?share={link}"))
    assert reader.get(f"/api/shares/{link}").status_code == 200


def test_a_link_that_was_revoked_is_no_guess(open_app: OpenApp) -> None:
    app = open_app(share_guesses="1/hour")
    owner = app.test_client()
    link = share(owner, begin(owner))
    assert owner.delete(f"/api/shares/{link}").status_code == 204
    reader = app.test_client()
    assert [reader.get(f"/api/shares/{link}").status_code for _ in range(3)] == [410, 410, 410]


def test_an_address_gets_so_many_identities_and_then_sees_the_page_without_one(
    open_app: OpenApp, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Rejoinder</title>")
    app = open_app(new_identities_per_address="2/hour", page_folder=tmp_path)
    first, second, third = (app.test_client() for _ in range(3))
    begin(first)
    assert "Set-Cookie" in second.get("/").headers
    page = third.get("/")
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
    assert "too many new visitors" in refusal(third.post("/api/conversations"))
    begin(second)  # who has one keeps it


def test_an_identity_has_so_many_answers_running(open_app: OpenApp, database_url: str) -> None:
    ada = open_app(open_store(database_url, allowance=Allowance(running=1))).test_client()
    first, second = begin(ada), begin(ada)
    stream = send(ada, first, key="once")["stream"]
    response = ada.post(f"/api/conversations/{second}/messages", json={"content": "Why?"})
    assert refusal(response).startswith("1 of your answers are queued or being written, and that is the most.")
    assert send(ada, first, key="once")["stream"] == stream, "what is repeated is no other one"
    assert ada.post(f"/api/streams/{stream}/stop").status_code == 202
    send(ada, second)


@pytest.mark.parametrize("whose", ["mine", "everybody's"])
def test_when_the_tokens_of_a_day_are_used_up_one_is_told_when_there_are_new_ones(
    open_app: OpenApp, database_url: str, whose: str
) -> None:
    most = {"tokens": 1_000} if whose == "mine" else {"tokens_of_all": 1_000}
    day = datetime.now(UTC) + timedelta(days=365 if whose == "mine" else 366)  # of which nobody else knows
    store = open_store(database_url, allowance=Allowance(**most), now=lambda: day)
    ada = open_app(store).test_client()
    conversation = begin(ada)
    stream = send(ada, conversation)["stream"]
    store.begin(stream)
    usage = {"total_tokens": 1_234}
    store.save_answer(stream, text="Because.", reasoning="", outcome="finished", reason=None, usage=usage)
    response = ada.post(f"/api/conversations/{conversation}/messages", json={"content": "Why?"})
    words = "Your 1,000 tokens for today are" if whose == "mine" else "The tokens that this server has for today are"
    assert refusal(response).startswith(f"{words} used up. There are new ones from midnight UTC on, in ")
    problem = response.get_json()
    assert (problem["left"], problem["returns"]) == (0, f"{day.date() + timedelta(days=1)}T00:00:00Z")
    assert "1,234" not in response.text


def test_a_conversation_that_is_too_long_for_a_model_is_told_so(open_app: OpenApp, database_url: str) -> None:
    ada = open_app(open_store(database_url, allowance=Allowance(conversation=10))).test_client()
    response = ada.post(f"/api/conversations/{begin(ada)}/messages", json={"content": "q" * 1_011})
    assert response.status_code == 413
    expected = "This conversation has grown to 1,011 characters, and at most 10 are sent to a model. Begin a new one."
    assert response.get_json()["detail"] == expected


def test_none_switches_a_limit_off(open_app: OpenApp) -> None:
    app = open_app(sends_per_identity="none", sends_per_address="none", connections_per_identity="none")
    ada = app.test_client()
    for _ in range(50):
        send(ada, begin(ada))


def test_while_redis_is_away_everybody_passes(open_app: OpenApp, own_redis: RedisServer) -> None:
    app = open_app(redis_url=own_redis.url, share_opens_per_identity="1/hour", share_guesses="1/hour")
    ada = app.test_client()
    link = share(ada, begin(ada))
    assert [ada.get(f"/api/shares/{link}").status_code for _ in range(2)] == [200, 429]
    own_redis.kill()
    assert [ada.get(f"/api/shares/{link}").status_code for _ in range(5)] == [200] * 5
    own_redis.start()


def test_nothing_in_redis_names_an_identity_or_stays(open_app: OpenApp, redis_server: RedisServer) -> None:
    app = open_app(sends_per_identity="5/hour", sends_per_address="5/hour")
    ada = app.test_client()
    send(ada, begin(ada))
    with redis.Redis.from_url(redis_server.url) as client:
        counted = [key for key in client.scan_iter() if b"rates" in key]
        assert len(counted) > 2
        assert all(client.pttl(key) > 0 for key in counted)
        with ada.session_transaction() as session:
            assert not [key for key in counted if session["owner"].encode() in key or b"127.0.0.1" in key]


# --- the defaults


@pytest.fixture
def by_default(open_app: OpenApp) -> OpenAPI:
    """An application with the limits that one gets without saying anything."""
    return open_app(**{name: field.default for name, field in LimitSettings.model_fields.items()})


def test_a_thousand_people_behind_one_address_watch_a_shared_answer_and_come_back_together(by_default: OpenAPI) -> None:
    """Within a minute each opens the page, reads what is shared, again with every change, and connects; and connects
    three times more, after a deploy, while those that were killed still count their connections."""
    limits = by_default.extensions["services"].limits
    for number in range(1_000):
        with by_default.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.1"}):
            limits.welcome()
            session["owner"] = f"reader {number}"
            for _ in range(3):
                limits.count(Act.SHARE_OPEN)
            for _ in range(4):
                limits.count(Act.FOLLOW)
                limits.connect()
    limits.leave()


def test_a_program_that_asks_without_a_pause_is_stopped(by_default: OpenAPI) -> None:
    limits = by_default.extensions["services"].limits
    for act in (Act.SEND, Act.FOLLOW, Act.SHARE_OPEN, Act.REMARK):
        with by_default.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.1"}):
            session["owner"] = "a program"
            with pytest.raises(Problem, match="in a short time"):
                deque((limits.count(act) for _ in range(1_000)), maxlen=0)


def test_an_identity_has_so_many_connections_open_and_more_when_one_is_closed(by_default: OpenAPI) -> None:
    limits = by_default.extensions["services"].limits
    with by_default.test_request_context():
        session["owner"] = "a program"
        leave = [limits.connect() for _ in range(100)]
        with pytest.raises(Problem, match="You have 100 connections open, and that is the most") as refused:
            limits.connect()
        assert refused.value.headers["Retry-After"] == "30"
        leave[0]()
        limits.connect()
    limits.leave()


def test_a_connection_that_was_given_up_while_it_was_counted_is_not_open(
    app: OpenAPI, redis_server: RedisServer
) -> None:
    given_up = iter([True])

    def connected(connection: "redis.Connection") -> None:
        connection.on_connect()  # type: ignore[no-untyped-call]
        if next(given_up, False):
            raise gevent.Timeout  # somebody else's, and not that of the limits

    with redis.Redis.from_url(redis_server.url, redis_connect_func=connected) as client:
        limits = Limits(LimitSettings(connections_per_identity=1), client)
        with app.test_request_context():
            session["owner"] = "ada"
            with pytest.raises(gevent.Timeout):
                limits.connect()
            limits.connect()
            with pytest.raises(Problem, match="that is the most"):
                limits.connect()


# --- when to come back


@given(
    amount=st.integers(1, 50),
    expiry=st.integers(1, 3600),
    previous=st.integers(0, 60),
    current=st.integers(0, 60),
    gone=st.floats(0, 1, exclude_max=True),
)
def test_who_waits_as_long_as_told_gets_in_and_is_not_told_a_window_more_than_needed(
    amount: int, expiry: int, previous: int, current: int, gone: float
) -> None:
    left = expiry * (1 - gone)
    wait = wait_for(amount, expiry, previous, left, current, expiry + left)
    assert weighed(wait, expiry, previous, left, current) + 1 <= amount
    early = wait - 1.001
    assert early <= 0 or weighed(early, expiry, previous, left, current) + 1 > amount


def weighed(after: float, expiry: int, previous: int, left: float, current: int) -> int:
    """What `limits` counts so many seconds later (its acquire_sliding_window.lua), if nobody else comes."""
    if after < left:
        return math.floor(previous * (left - after) / expiry) + current
    return math.floor(current * max(0.0, expiry - (after - left)) / expiry)
