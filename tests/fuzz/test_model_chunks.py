"""Whatever a model's server sends: an answer, or a failure in words; and what is kept of it can be stored and shown."""

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams import End, Kind, Outcome
from streams.chunk import decode_end, encode_end
from tests.fuzz.strategies import corrupted, examples, mutated, text, values, written
from tests.support.scripted_model import ScriptedModel, running_scripted_model
from webapp.schemas import StreamEnd
from workers.backoff import Backoff
from workers.providers.chat_chunks import QUOTED, ChatChunks
from workers.providers.event_stream import EventStream
from workers.providers.openai_chat import OpenAIChat
from workers.providers.source import Delta, Event, Finish, ModelFailed, Refused, Usage
from workers.providers.surrogates import SurrogateJoiner

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HELLO = [{"role": "user", "content": "Hello"}]
LONGEST_REASON = QUOTED + 200  # characters

CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Once"}, "finish_reason": None}],
    "usage": None,
}
USAGE: dict[str, Any] = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}
FINISH: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
ERROR: dict[str, Any] = {"error": {"message": "out of memory", "type": "server_error", "code": 500}}

chunks = st.one_of(
    st.sampled_from([CHUNK, USAGE, FINISH, ERROR]).flatmap(lambda whole: mutated(whole)),
    st.sampled_from([CHUNK, FINISH]),
    values(),
)

STREAM = "".join(f"data: {json.dumps(each)}\n\n" for each in (CHUNK, CHUNK, FINISH, USAGE)) + "data: [DONE]\n\n"
lines = st.one_of(
    chunks.map(lambda chunk: f"data: {written(chunk)}\n\n".encode()),
    st.binary(max_size=30),
    st.sampled_from(
        [b"data", b"data:", b":", b"\n", b"\r\n", b"\n\n", b"event: x\n", b"data: [DONE]\n\n", b"\xef\xbb\xbf"]
    ),
)
sent = st.one_of(corrupted(STREAM.encode()), st.lists(lines, max_size=8).map(b"".join))


def storable(events: list[Event]) -> None:
    """What is kept of these can be written to Redis and to a database, and shown."""
    for event in events:
        match event:
            case Delta(_, words):
                words.encode()
                assert words
                assert "\0" not in words
            case Usage(counts):
                end = End(Outcome.FINISHED, None, counts)
                assert decode_end(encode_end(end)) == end
                assert json.loads(StreamEnd.model_validate(end).model_dump_json())["usage"] == counts
                assert len(encode_end(end)) < 4096
                assert all(0 <= count < 2**53 for count in counts.values()), "every language can count so far"


def in_words(failed: ModelFailed) -> None:
    """The failure can be shown to a person."""
    assert failed.reason
    assert len(failed.reason) < LONGEST_REASON
    assert "Traceback" not in failed.reason


@given(st.lists(chunks, max_size=6))
@example([{"usage": {"\ud800": 1, "total_tokens": 7}}])
@example([{"usage": {"a": -1, "b": 10**4000, "c": True, "d" * 5000: 1}}])
@example([{"usage": {f"kind{number}": number for number in range(5000)}}])
@example([{"choices": [{"delta": {"content": "\ud83d\n"}}]}, FINISH])
def test_a_chunk_of_any_shape_is_read_or_fails_in_words(given_chunks: list[Any]) -> None:
    reader = ChatChunks()
    events: list[Event] = []
    try:
        for chunk in given_chunks:
            events += reader.feed(written(chunk))
        reader.close()
    except ModelFailed as failed:
        in_words(failed)
    storable(events)
    finishes = [event for event in events if isinstance(event, Finish)]
    assert len(finishes) <= 1


@given(st.text())
@example("[" * 100_000)
@example('{"error":' * 50_000)
@example('{"choices":[{"delta":{"content":"a","content":"b"}}]}')
@example('{"choices": [], "usage": {"total_tokens": ' + "9" * 5000 + "}}")
def test_data_that_is_anything_is_read_or_fails_in_words(data: str) -> None:
    try:
        storable(ChatChunks().feed(data))
    except ModelFailed as failed:
        in_words(failed)


@given(sent, st.lists(st.integers(0, 2000)))
def test_bytes_cut_anywhere_give_the_same_events_as_in_one_piece(data: bytes, cuts: list[int]) -> None:
    whole, cut = EventStream(), EventStream()
    expected = whole.feed(data) + whole.flush()
    edges = [0, *sorted(min(each, len(data)) for each in cuts), len(data)]
    found = [event for start, stop in pairwise(edges) for event in cut.feed(data[start:stop])]
    assert found + cut.flush() == expected


@given(st.lists(text))
@example(["\ud83d\n"])
def test_text_of_halves_becomes_what_it_is_in_one_piece(pieces: list[str]) -> None:
    joiner = SurrogateJoiner()
    found = "".join(joiner.feed(each) for each in pieces) + joiner.flush()
    whole = "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    assert found == whole


# --- through the SDK, from a real server


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with running_scripted_model() as model:
        yield model


@pytest.fixture(scope="module")
def chat(model: ScriptedModel) -> Iterator[OpenAIChat]:
    source = OpenAIChat(
        base_url=model.base_url,
        api_key="sk-secret",
        default_model="m",
        connections=4,
        connect_timeout=5,
        attempts=2,
        patience=60,
        backoff=Backoff(first=0, longest=0, random=lambda: 0.0),
        sleep=lambda _: None,
        now=lambda: NOW,
    )
    with closing(source):
        yield source


def answer(chat: OpenAIChat) -> tuple[str, ModelFailed | None]:
    """The text of one answer, and how it failed."""
    events: list[Event] = []
    failed = None
    try:
        for event in chat.stream(None, HELLO):
            if isinstance(event, Refused):
                assert event.pause >= 0
                assert len(event.words) < LONGEST_REASON
            events.append(event)
    except ModelFailed as error:
        in_words(error)
        failed = error
    storable(events)
    text = "".join(event.text for event in events if isinstance(event, Delta) and event.kind is Kind.TEXT)
    assert failed or any(isinstance(event, Finish) for event in events)
    assert failed is None or "sk-secret" not in failed.reason
    return text, failed


@examples(60)
@given(sent, st.integers(1, 40))
def test_any_stream_of_any_bytes_is_an_answer_or_a_failure(
    model: ScriptedModel, chat: OpenAIChat, data: bytes, fragment: int
) -> None:
    steps = [{"bytes": data.decode("latin-1")}, {"eof": True}] if data else [{"eof": True}]
    model.script({"deltas": steps, "fragment": fragment})
    answer(chat)


header_values = st.one_of(
    st.sampled_from(
        [
            "nonsense", "-1", "inf", "-inf", "nan", "1e308", "1e999", "0x10", "1_0", "٣", "", " 5 ",
            "Sun, 22 Nov 2026 12:00:07 +99999999999999999", "Sun, 22 Nov 99999 12:00:07 GMT",
            "Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359", "9" * 400,
        ]
    ),
    st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=30),
)  # fmt: skip
header_names = st.sampled_from(
    [
        "Retry-After",
        "Content-Type",
        "Content-Encoding",
        "Location",
        "Transfer-Encoding",
        "Content-Length",
        "X-Request-Id",
    ]
)
statuses = st.one_of(st.integers(100, 999), st.sampled_from([200, 204, 301, 302, 307, 308, 429, 500, 503, 529]))
bodies = st.one_of(
    st.just(STREAM.encode()),
    sent,
    chunks.map(lambda body: written(body).encode()),
    st.binary(max_size=40),
    st.just(gzip.compress(STREAM.encode())),
    st.just(b"<!doctype html><title>Welcome to nginx!</title>"),
)


@examples(100)
@given(statuses, st.lists(st.tuples(header_names, header_values), max_size=3), bodies)
@example(200, [("Content-Encoding", "gzip")], b"this is no gzip")
@example(200, [("Content-Encoding", "gzip")], gzip.compress(STREAM.encode())[:-20])
@example(307, [("Location", "/v1/chat/completions")], b"")
@example(302, [("Location", "http://[")], b"")
@example(429, [("Retry-After", "Sun, 22 Nov 2026 12:00:07 +99999999999999999")], b"{}")
@example(429, [("Retry-After", "1e308")], b"{}")
def test_any_response_is_an_answer_or_a_failure(
    model: ScriptedModel, chat: OpenAIChat, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    response = f"HTTP/1.1 {status} Odd\r\nConnection: close\r\n{head}\r\n" + body.decode("latin-1")
    model.always({"verbatim": response})
    answer(chat)


@examples(60)
@given(corrupted(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + STREAM.encode()))
@example(b"")
@example(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000 + b"\r\n")
@example(b"SSH-2.0-OpenSSH_9.6\r\n")
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
def test_any_bytes_in_place_of_a_response_are_an_answer_or_a_failure(
    model: ScriptedModel, chat: OpenAIChat, response: bytes
) -> None:
    model.always({"verbatim": response.decode("latin-1")})
    answer(chat)


@examples(50)
@given(
    st.one_of(
        mutated({"object": "list", "data": [{"id": "a", "object": "model"}]}, ["data", "id", "object"]).map(written),
        st.text(st.characters(codec="latin-1"), max_size=30),
    ),
    st.sampled_from(["application/json", "text/html", "text/event-stream", "", "nonsense"]),
)
@example("{", "application/json")
@example('{"data": 5}', "application/json")
@example("[]", "application/json")
@example('{"data": [{"id": "\\ud800"}]}', "application/json")
def test_any_list_of_models_is_names_or_a_failure(
    model: ScriptedModel, chat: OpenAIChat, body: str, content_type: str
) -> None:
    model.lists({"verbatim": f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {content_type}\r\n\r\n{body}"})
    try:
        names = chat.models()
    except ModelFailed as failed:
        in_words(failed)
    else:
        for name in names:
            name.encode()
            assert name.strip()
