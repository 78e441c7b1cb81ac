"""The scripted model says what its script says, and sees what its client does."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.support.scripted_model import ScriptedModel, running_scripted_model
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with running_scripted_model() as model:
        yield model


@contextmanager
def ask(model: ScriptedModel, prompt: str = "Hello you") -> Iterator[http.client.HTTPResponse]:
    host, port = model.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    messages = [{"role": "user", "content": prompt}]
    body = {"model": "scripted", "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    with closing(connection), connection.getresponse() as response:
        yield response


def events(body: bytes) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in body.decode().split("\n") if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def text(body: bytes) -> str:
    chunks = [event for event in events(body) if event != "[DONE]" and event["choices"]]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)


def test_without_a_script_it_echoes_the_prompt_and_ends_as_a_model_does(model: ScriptedModel) -> None:
    with ask(model, "Hello you") as response:
        body = response.read()
    assert text(body) == "Hello you "
    *_, finish, usage, done = events(body)
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert done == "[DONE]"


def test_a_prompt_may_bring_its_own_script(model: ScriptedModel) -> None:
    with ask(model, json.dumps({"deltas": ["a{i}"], "repeat": 3, "fragment": 1})) as response:
        assert text(response.read()) == "a0a1a2"


def test_queued_scripts_answer_one_request_each_and_the_standing_one_the_rest(model: ScriptedModel) -> None:
    model.always({"deltas": ["standing"]})
    model.script({"deltas": ["first"]}, {"deltas": ["second"]})
    answers = []
    for _ in range(3):
        with ask(model) as response:
            answers.append(text(response.read()))
    model.always(None)
    assert answers == ["first", "second", "standing"]


def test_a_gate_holds_the_answer_until_it_is_released(model: ScriptedModel) -> None:
    model.script({"deltas": ["before", {"wait": "middle"}, "after"]})
    with ask(model) as response:
        wait_until(lambda: model.requests()[-1]["sent"] == 1)
        assert b"before" in response.read1()
        model.release("middle")
        assert b"after" in response.read()


def test_an_http_error_comes_with_its_headers(model: ScriptedModel) -> None:
    model.script({"status": 429, "headers": {"Retry-After": "7"}, "error": {"message": "slow down"}})
    with ask(model) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
        assert json.loads(response.read()) == {"error": {"message": "slow down"}}


def test_an_answer_can_end_too_early(model: ScriptedModel) -> None:
    model.script({"deltas": ["so far", {"eof": True}, "never"]})
    with ask(model) as response:
        body = response.read()
    assert (text(body), b"[DONE]" in body) == ("so far", False)


def test_an_answer_can_be_cut_off(model: ScriptedModel) -> None:
    model.script({"deltas": ["so far", {"wait": "seen"}, {"cut": True}]})
    with ask(model) as response:
        assert b"so far" in response.read1()
        model.release("seen")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            response.read()
    wait_until(lambda: model.requests()[-1]["state"] == "cut")


def test_one_connection_carries_many_requests(model: ScriptedModel) -> None:
    host, port = model.url.removeprefix("http://").split(":")
    with closing(http.client.HTTPConnection(host, int(port), timeout=60)) as connection:
        for _ in range(3):
            connection.request("GET", "/v1/models")
            with connection.getresponse() as response:
                assert json.loads(response.read())["data"][0]["id"] == "scripted"


def test_it_notices_that_the_client_left_while_it_was_silent(model: ScriptedModel) -> None:
    model.script({"deltas": ["x", {"silence": True}]})
    with socket.create_connection(("127.0.0.1", int(model.url.rsplit(":", 1)[1]))) as client:
        body = json.dumps({"model": "m", "messages": [], "stream": True}).encode()
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        assert client.recv(100)
        assert model.requests()[-1]["state"] == "running"
    wait_until(lambda: model.requests()[-1]["state"] == "disconnected")
