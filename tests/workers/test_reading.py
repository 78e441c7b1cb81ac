"""From bytes to events: whatever the cut, whatever the server."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import Kind
from workers.providers.chat_chunks import ChatChunks
from workers.providers.event_stream import EventStream
from workers.providers.source import Delta, Event, Finish, ModelFailed, Usage
from workers.providers.surrogates import SurrogateJoiner

SEPARATORS = "one\u2028two\u2029three\x85four\x0bfive"
STREAM = (
    f'data: {{"text": "{SEPARATORS}"}}\n\n: a comment\n\r\nevent: x\r\n'
    "data: a\r\ndata:b\r\n\r\ndata: 日本\n\ndata: [DONE]\n"
).encode()
EVENTS = [f'{{"text": "{SEPARATORS}"}}', "a\nb", "日本", "[DONE]"]


@given(st.lists(st.integers(0, len(STREAM))))
def test_the_events_are_the_same_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    stream = EventStream()
    found = [event for start, stop in pairwise(edges) for event in stream.feed(STREAM[start:stop])]
    assert found + stream.flush() == EVENTS


@pytest.mark.parametrize("endless", [b"data: ", b"xx", b"data:\n", b"data: x\r\n"])
def test_an_event_that_does_not_end_fails_in_words_and_is_not_kept(endless: bytes) -> None:
    stream = EventStream(max_event=1_000)
    stream.feed(b"data: " + b"x" * 900)  # not yet too much
    assert stream.feed(b"\n\n") == ["x" * 900]
    with pytest.raises(ModelFailed, match="more than 1,000 bytes") as failed:
        feed_forever(stream, endless)
    assert failed.value.reason == "The model sent more in one piece than this server can take."


def feed_forever(stream: EventStream, piece: bytes) -> None:
    for _ in range(1_000):
        stream.feed(piece)


def test_comments_without_end_are_no_event_and_cost_nothing() -> None:
    stream = EventStream(max_event=100)
    for _ in range(1_000):
        assert stream.feed(b": waiting\n\nevent: x\n") == []


@given(st.text(alphabet=st.characters(exclude_characters="\0")), st.data())
def test_text_is_the_same_wherever_its_utf16_is_cut(text: str, data: st.DataObject) -> None:
    units = [chr(int.from_bytes(pair)) for pair in _pairs(text.encode("utf-16-be", "surrogatepass"))]
    joiner = SurrogateJoiner()
    found = ""
    while units:
        size = data.draw(st.integers(1, len(units)))
        found += joiner.feed("".join(units[:size]))
        units = units[size:]
    assert found + joiner.flush() == text


def _pairs(encoded: bytes) -> list[bytes]:
    return [encoded[place : place + 2] for place in range(0, len(encoded), 2)]


@pytest.mark.parametrize("text", ["\ud83d", "a\ude00\ud83db", "\ud83d\ud83d\ude00", "nul\0"])
def test_what_can_never_be_stored_becomes_a_replacement(text: str) -> None:
    joiner = SurrogateJoiner()
    whole = joiner.feed(text) + joiner.flush()
    assert "\ufffd" in whole
    assert "\0" not in whole
    whole.encode()  # raises where half a character is left


def test_a_line_feed_after_half_a_character_stays_a_line_feed() -> None:
    joiner = SurrogateJoiner()
    assert joiner.feed("\ud83d\n") + joiner.flush() == "\ufffd\n"


def read(*chunks: dict[str, Any] | str) -> list[Event]:
    reader = ChatChunks()
    events: list[Event] = []
    for chunk in chunks:
        events += reader.feed(chunk if isinstance(chunk, str) else json.dumps(chunk))
    reader.close()
    return events


def chunk(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_told_from_text_under_either_of_its_names(field: str) -> None:
    events = read(chunk(**{field: "Hm."}), chunk(content="Yes."), "[DONE]")
    assert events == [Delta(Kind.REASONING, "Hm."), Delta(Kind.TEXT, "Yes."), Finish("stop")]


def test_usage_comes_after_the_finish_and_only_its_counts_are_kept() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 1}, "cost": 0.5}
    events = read(chunk("stop"), {"choices": [], "usage": usage}, "[DONE]")
    assert events == [Finish("stop"), Usage({"prompt_tokens": 3, "completion_tokens": 4})]


@pytest.mark.parametrize(
    "usage",
    [
        {"\ud800": 1},
        {"nul\0": 1},
        {"x" * 65: 1},
        {"": 1},
        {"debt": -1},
        {"many": 2**53},
        {"yes": True},
        {"half": 0.5},
    ],
)
def test_a_count_that_could_not_be_stored_or_shown_is_left_out(usage: dict[str, Any]) -> None:
    assert read({"usage": {**usage, "total_tokens": 7}}, chunk("stop")) == [Usage({"total_tokens": 7}), Finish("stop")]


def test_of_a_flood_of_counts_some_are_kept() -> None:
    [usage, _] = read({"usage": {f"kind{number}": number for number in range(10_000)}}, chunk("stop"))
    assert isinstance(usage, Usage)
    assert len(usage.counts) == 20


@pytest.mark.parametrize("last", [chunk("length"), "[DONE]"])
def test_either_sign_of_the_end_is_enough(last: dict[str, Any] | str) -> None:
    assert len(read(chunk(content="x"), last)) == 2


def test_a_stream_that_just_ends_was_cut() -> None:
    with pytest.raises(ModelFailed, match="without finish_reason"):
        read(chunk(content="So far"))


def test_half_a_character_before_the_finish_is_not_lost_silently() -> None:
    assert read(chunk(content="\ud83d"), chunk("stop")) == [Delta(Kind.TEXT, "\ufffd"), Finish("stop")]


@pytest.mark.parametrize(
    "data",
    ["{", "[]", "5", '"x"', "null", '{"choices": 5}', '{"choices": [null]}', '{"choices": {"a": 1}}', "[" * 100_000]
    + [json.dumps(chunk(content=wrong)) for wrong in (5, ["x"], {"x": "y"})]
    + ['{"choices": [{"delta": "x"}]}', '{"choices": [], "usage": [1]}'],
)
def test_what_is_not_a_chunk_fails_in_words(data: str) -> None:
    with pytest.raises(ModelFailed) as failed:
        ChatChunks().feed(data)
    assert failed.value.reason == "The model sent something that could not be read."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"message": "out of\nmemory"}, "“out of memory”"),
        ("plain", "“plain”"),
        ({"message": "x" * 999}, "x" * 300 + "…”"),
    ],
)
def test_an_error_in_the_stream_is_quoted_and_kept_short(error: Any, words: str) -> None:
    with pytest.raises(ModelFailed) as failed:
        ChatChunks().feed(json.dumps({"error": error}))
    assert failed.value.reason.endswith(words)
