"""The openai client against a real server: what is asked again, what is not, and what is said."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from streams import Kind
from tests.support.ports import free_port
from tests.support.scripted_model import Json, ScriptedModel, running_scripted_model
from tests.support.waiting import wait_until
from workers.backoff import Backoff
from workers.providers.openai_chat import OpenAIChat
from workers.providers.source import Begun, Delta, Event, ModelFailed, Refused

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def shared_model() -> Iterator[ScriptedModel]:
    with running_scripted_model() as model:
        yield model


@pytest.fixture
def model(shared_model: ScriptedModel) -> ScriptedModel:
    """One to which nothing has been said yet."""
    shared_model.forget()
    return shared_model


@contextmanager
def source(base_url: str, sleep: Callable[[float], object] = lambda _: None) -> Iterator[OpenAIChat]:
    chat = OpenAIChat(
        base_url=base_url,
        api_key="sk-secret",
        default_model="the-default",
        connections=4,
        connect_timeout=0.5,
        attempts=3,
        patience=60,
        backoff=Backoff(first=1, longest=8, random=lambda: 0.5),
        sleep=sleep,
        now=lambda: NOW,
    )
    with closing(chat):
        yield chat


def ask(model: ScriptedModel, *scripts: Json) -> tuple[str, list[float], int]:
    """The text, the pauses between the requests, and how many requests there were."""
    before = len(model.requests())
    model.script(*scripts)
    slept: list[float] = []
    with source(model.base_url, slept.append) as chat:
        text = "".join(event.text for event in chat.stream(None, HELLO) if isinstance(event, Delta))
    return text, slept, len(model.requests()) - before


def fail(model: ScriptedModel, *scripts: Json) -> tuple[ModelFailed, int]:
    before = len(model.requests())
    model.script(*scripts)
    with source(model.base_url) as chat, pytest.raises(ModelFailed) as failed:
        list(chat.stream("a-model", HELLO))
    return failed.value, len(model.requests()) - before


def test_text_arrives_to_the_character_even_byte_by_byte(model: ScriptedModel) -> None:
    text = "Grüße 日本 \N{GRINNING FACE} one\u2028line\r\n"
    assert ask(model, {"deltas": list(text), "fragment": 1})[0] == text


def test_the_request_carries_model_messages_key_and_the_wish_for_usage(model: ScriptedModel) -> None:
    ask(model, {"deltas": ["x"]})
    request = model.requests()[-1]
    assert request["headers"]["authorization"] == "Bearer sk-secret"
    assert request["body"] == {
        "model": "the-default",
        "messages": HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_what_may_pass_is_tried_again_with_growing_pauses(model: ScriptedModel, status: int) -> None:
    refusal: Json = {"status": status, "error": {"message": "not now"}}
    assert ask(model, refusal, refusal, {"deltas": ["At last"]}) == ("At last", [0.5, 1.0], 3)


@pytest.mark.parametrize("header", ["7", "Sun, 22 Nov 2026 12:00:07 GMT"])
def test_retry_after_is_honoured(model: ScriptedModel, header: str) -> None:
    refusal: Json = {"status": 429, "headers": {"Retry-After": header}}
    assert ask(model, refusal, {"deltas": ["At last"]}) == ("At last", [7.5], 2)


LOADING: Json = {"message": "Loading model", "type": "unavailable_error"}


@pytest.mark.parametrize(
    ("refusal", "refused"),
    [
        ({"status": 429}, Refused("The model is busy. Asking again in a second…", 0.5)),
        (
            {"status": 429, "headers": {"Retry-After": "3"}},
            Refused("The model is busy. Asking again in 4 seconds…", 3.5),
        ),
        ({"status": 503, "error": LOADING}, Refused("The model is loading…", 0.5)),
        ({"status": 503}, Refused("The model's server has trouble. Asking again in a second…", 0.5)),
        ({"status": 529}, Refused("The model is busy. Asking again in a second…", 0.5)),
    ],
)
def test_what_is_waited_for_is_told_before_the_pause(model: ScriptedModel, refusal: Json, refused: Refused) -> None:
    model.script(refusal, {"deltas": ["At last"]})
    told: list[Event | float] = []
    with source(model.base_url, told.append) as chat:
        for event in chat.stream(None, HELLO):
            if isinstance(event, Refused | Begun | Delta):
                told.append(event)  # noqa: PERF401  the pauses come in between
    assert told == [refused, refused.pause, Begun(), Delta(Kind.TEXT, "At last")]


def test_a_model_that_loads_is_asked_until_it_has_loaded(model: ScriptedModel) -> None:
    loading: Json = {"status": 503, "error": LOADING}
    text, pauses, requests = ask(model, *[loading] * 9, {"deltas": ["At last"]})
    assert (text, requests) == ("At last", 10)
    assert pauses[3:] == [4.0] * 6  # half of the longest, and no more often


def test_a_server_that_wants_to_be_left_alone_for_long_is(model: ScriptedModel) -> None:
    failed, requests = fail(model, {"status": 429, "headers": {"Retry-After": "600"}})
    assert requests == 1
    assert failed.reason == "The model is asked too often at the moment. Try again in 10 minutes."


@pytest.mark.parametrize(
    "header", ["soon", "-1", "nan", "inf", "1e308", "Sun, 22 Nov 2026 12:00:07 +99999999999999999", "\xfcbermorgen"]
)
def test_a_retry_after_that_says_nothing_is_as_none(model: ScriptedModel, header: str) -> None:
    refusal: Json = {"status": 429, "headers": {"Retry-After": header}}
    assert ask(model, refusal, {"deltas": ["At last"]}) == ("At last", [0.5], 2)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, {"message": "Incorrect API key provided: sk-sec***"}, "did not accept this server's key"),
        (403, {"message": "no"}, "did not accept this server's key"),
        (402, {"message": "pay"}, "used up"),
        (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}, "used up"),
        (404, {"message": "no such model"}, "“a-model” is not known"),
        (400, {"message": "x", "code": "context_length_exceeded"}, "too long for this model"),
        (400, {"message": "x", "type": "exceed_context_size_error"}, "too long for this model"),
        (400, {"message": "This model's maximum context length is 4096 tokens."}, "too long for this model"),
        (413, {"message": "Request too large"}, "too long for this model"),
        (400, {"message": "unknown role"}, "refused the request (HTTP 400): “unknown role”"),
        (418, {}, "refused the request (HTTP 418)"),
        (408, {}, "has trouble (HTTP 408)"),  # the model may be at work behind whoever says this …
        (502, {}, "has trouble (HTTP 502)"),
        (504, {}, "has trouble (HTTP 504)"),
        (524, {}, "has trouble (HTTP 524)"),  # … and paid for
    ],
)
def test_what_will_not_pass_is_asked_once(model: ScriptedModel, status: int, error: Json, words: str) -> None:
    failed, requests = fail(model, {"status": status, "error": error})
    assert requests == 1
    assert words in failed.reason
    assert "sk-" not in failed.reason
    assert f"HTTP {status}" in failed.cause


@pytest.mark.parametrize(
    "script",
    [
        {"status": 400, "error": {"message": "What is “my secret” good for?", "code": "bad_question"}},
        {"status": 413, "error": {"message": "This is too long: my secret"}},
        {"status": 451, "error": {"message": "my secret"}},
        {"deltas": ["Well, ", {"event": {"error": {"message": "my secret is not allowed"}}}]},
    ],
)
def test_what_a_server_says_of_a_question_is_told_apart_from_what_is_always_logged(
    model: ScriptedModel, script: Json
) -> None:
    failed, _ = fail(model, script)
    assert "my secret" not in failed.cause
    assert "my secret" in failed.said


@pytest.mark.parametrize("padding", [0, 190, 270, 290, 295])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 422, 500])
def test_a_key_that_a_server_repeats_is_told_nobody_wherever_its_words_are_cut(
    model: ScriptedModel, status: int, padding: int
) -> None:
    error = {"message": f"{'x' * padding} Bearer sk-secret is not right"}
    script: Json = {"deltas": [{"error": error}]} if status == 200 else {"status": status, "error": error}
    asked = 3 if status in (429, 500, 503) else 1
    failed, requests = fail(model, *[script] * asked)
    assert requests == asked  # and nothing is left for the next test
    for told in (failed.reason, failed.cause, failed.said, str(failed)):
        assert "sk-secre" not in told


def test_a_server_that_stays_in_trouble_is_given_up_in_words(model: ScriptedModel) -> None:
    failed, requests = fail(model, *[{"status": 503}] * 3)
    assert requests == 3
    assert failed.reason == "The model's server has trouble (HTTP 503). Try again in a while."


def answered(content_type: str, body: str) -> Json:
    return {"verbatim": f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {content_type}\r\n\r\n{body}"}


def test_a_body_that_cannot_be_unpacked_is_a_cut(model: ScriptedModel) -> None:
    head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n"
    failed, requests = fail(model, {"verbatim": head + "this is no gzip"})
    assert (failed.reason, requests) == ("The connection to the model was cut before the answer was whole.", 1)


def test_a_server_that_does_not_stream_answers_all_the_same(model: ScriptedModel) -> None:
    message = '{"role": "assistant", "content": "All at once"}'
    body = '{"choices": [{"message": ' + message + ', "finish_reason": "stop"}], "usage": {"total_tokens": 7}}'
    assert ask(model, answered("application/json; charset=utf-8", body))[0] == "All at once"


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("text/html", "<!doctype html><title>Welcome to nginx!</title>", "with something that is no answer"),
        ("", "", "with something that is no answer"),
        ("text/event-stream", "", "was cut before the answer was whole"),
        ("application/json", '{"error": {"message": "out of memory"}}', "reported an error: “out of memory”"),
        ("application/json", "{", "could not be read"),
        ("application/json", '{"choices": [{"message": {"content": "So"}}]}', "was cut before the answer was whole"),
    ],
)
def test_a_200_that_is_no_answer_fails_in_words(model: ScriptedModel, content_type: str, body: str, words: str) -> None:
    failed, requests = fail(model, answered(content_type, body))
    assert requests == 1
    assert words in failed.reason


@pytest.mark.parametrize("step", [{"eof": True}, {"cut": True}])
def test_after_the_first_delta_nothing_is_asked_again(model: ScriptedModel, step: Json) -> None:
    before = len(model.requests())
    model.script({"deltas": ["So", {"wait": "end"}, step]})
    with source(model.base_url) as chat, closing(chat.stream(None, HELLO)) as events:
        assert next(events) == Begun()
        assert next(events) == Delta(Kind.TEXT, "So")
        model.release("end")
        with pytest.raises(ModelFailed) as failed:
            next(events)
    assert failed.value.reason == "The connection to the model was cut before the answer was whole."
    assert len(model.requests()) - before == 1


def test_a_connection_cut_before_the_answer_is_not_asked_again_for_it_may_have_been_paid(model: ScriptedModel) -> None:
    failed, requests = fail(model, {"cut": True})
    assert requests == 1
    assert "was cut" in failed.reason


def test_whoever_closes_the_answer_hangs_up(model: ScriptedModel) -> None:
    model.script({"deltas": ["So", {"silence": True}]})
    with source(model.base_url) as chat:
        with closing(chat.stream(None, HELLO)) as events:
            assert [next(events), next(events)] == [Begun(), Delta(Kind.TEXT, "So")]
        wait_until(lambda: model.requests()[-1]["state"] == "disconnected")


def test_the_connection_is_used_again_for_the_next_answer(model: ScriptedModel) -> None:
    model.script({"deltas": ["a"]}, {"deltas": ["b"]})
    with source(model.base_url) as chat:
        for _ in range(2):
            list(chat.stream(None, HELLO))
    first, second = model.requests()[-2:]
    assert first["client"] == second["client"]


def test_a_server_that_is_not_there_is_tried_again_and_then_told() -> None:
    slept: list[float] = []
    with source(f"http://127.0.0.1:{free_port()}/v1", slept.append) as chat, pytest.raises(ModelFailed) as failed:
        list(chat.stream(None, HELLO))
    assert failed.value.reason == "The model could not be reached. Try again in a while."
    assert slept == [0.5, 1.0]


def test_a_server_that_does_not_take_the_connection_is_not_waited_for() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with fill(address), source(f"http://127.0.0.1:{address[1]}/v1") as chat:
            began = time.monotonic()
            with pytest.raises(ModelFailed, match="Timeout"):
                list(chat.stream(None, HELLO))
            assert 1.5 <= time.monotonic() - began < 30  # three attempts of half a second


@contextmanager
def fill(address: tuple[str, int]) -> Iterator[None]:
    """Occupy the few places in a listening socket's queue, so that the next connection is never made."""
    clients = [socket.socket() for _ in range(4)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex(address)
    yield
    for client in clients:
        client.close()


def test_warming_up_says_whom_it_will_ask(model: ScriptedModel) -> None:
    with source(model.base_url) as chat:
        assert chat.warm_up() == f"{model.base_url}/"


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ([{"id": "b"}, {"id": "A"}, {"id": "b"}], ["A", "b"]),
        ([{"id": None}, {"id": " "}, {"name": "x"}, {"id": 7}], []),
        ([{"id": "\ud800"}, {"id": "nul\0"}, {"id": "two\nlines"}, {"id": "x" * 201}, {"id": ["x"]}], []),
        ({"id": "x"}, []),
        (5, []),
        ([], []),
        (None, []),
    ],
)
def test_the_models_are_those_that_the_server_names(model: ScriptedModel, data: object, names: list[str]) -> None:
    model.lists(data)
    with source(model.base_url) as chat:
        assert chat.models() == names


@pytest.mark.parametrize("body", ["{", "[]", "5", "null", '"x"', "", "[" * 100_000])
def test_a_list_of_models_that_is_none_is_a_failure_in_words_or_names_nobody(model: ScriptedModel, body: str) -> None:
    model.lists(answered("application/json", body))
    with source(model.base_url) as chat:
        try:
            found, reason = chat.models(), None
        except ModelFailed as failed:
            found, reason = [], failed.reason
    assert found == []
    assert reason in (None, "The model's server does not say in a readable way which models it has.")


def test_a_server_that_cannot_list_its_models_says_why() -> None:
    with source("http://127.0.0.1:9/v1") as chat, pytest.raises(ModelFailed, match="Connect"):
        chat.models()
