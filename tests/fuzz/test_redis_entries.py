"""Whatever bytes lie in Redis: readers say what can be read of it, go on, and neither hang nor drag others along."""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from streams import (
    End,
    Fenced,
    Kind,
    Offer,
    Outcome,
    Position,
    Reaper,
    Recording,
    StreamControl,
    StreamHub,
    StreamNotFound,
    StreamSettings,
    StreamWriters,
    Subscriber,
    connect,
    keys,
    read_offer,
)
from streams.chunk import decode_end, decode_notification, encode_end, encode_text
from streams.reader import Page
from streams.tail import Batch, Cursor, Gone, Serving, Tail
from tests.fuzz.strategies import corrupted, examples, mutated, values, written
from tests.support.reaping import nobody_is_blind, reap
from tests.support.redis_server import running_redis
from tests.support.waiting import wait_until
from webapp.following import frames
from webapp.following.audience import Audience
from webapp.schemas import ModelList, StreamRecording

EPOCH = "3f9ac2b17d04e586"
LOG = [encode_text(Kind.TEXT, f"word{number} ") for number in range(6)] + [encode_end(End(Outcome.FINISHED))]
PATIENCE = 30.0  # seconds


@pytest.fixture(scope="module")
def client() -> Iterator["redis.Redis"]:
    with running_redis() as server:
        client = connect(server.url)
        yield client
        client.close()


# --- what may lie there

end_fields = mutated(
    {"outcome": "finished", "reason": None, "usage": {"total_tokens": 7}}, ["outcome", "reason", "usage"]
)
ends = st.one_of(
    end_fields.map(lambda fields: b"e:" + written(fields).encode()),
    st.sampled_from([b"e:", b"e:{", b"e:[]", b"e:null", b"e:" + b"[" * 100_000, encode_end(End(Outcome.FINISHED))]),
    corrupted(encode_end(End(Outcome.FAILED, "Why?", {"total_tokens": 7}))),
)
entries = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"", b"t", b"t:", b":", b"x:new", b"n:The model is loading", b"n:\xff", b"t:\xf0\x9f"]),
    st.text(max_size=8).map(lambda words: encode_text(Kind.TEXT, words)),
    ends,
)
field_values = st.one_of(
    st.sampled_from([EPOCH.encode(), b"", b"0", b"1", b"-1", b"99999999999999999999", b"nan", b"inf", b"1e5", b"0x10"]),
    st.sampled_from([b"a b", b"a:b", b"a\nb", b"\xff", "é".encode(), b"x" * 200]),
    st.binary(max_size=8),
)
states = st.one_of(
    st.dictionaries(st.sampled_from(["epoch", "fence", "lease", "cancel", "ended", "other"]), field_values, max_size=5),
    st.fixed_dictionaries({"epoch": st.just(EPOCH.encode()), "fence": st.just(b"1")}, optional={"ended": field_values}),
)
wrong_types = st.sampled_from(["string", "list", "hash", "set", "zset"])


def put(client: "redis.Redis", key: str, kind: str) -> None:
    """Something of this type."""
    match kind:
        case "string":
            client.set(key, b"x")
        case "list":
            client.rpush(key, b"x")
        case "hash":
            client.hset(key, "x", b"x")
        case "set":
            client.sadd(key, b"x")
        case "zset":
            client.zadd(key, {b"x": 1})


@st.composite
def keyspaces(draw: st.DrawFn) -> Callable[["redis.Redis", str], None]:
    """What lies at a stream's two keys."""
    state = draw(st.one_of(states, states, wrong_types))
    log = draw(st.one_of(st.lists(entries, max_size=6), st.lists(entries, max_size=6), wrong_types))

    def lay(client: "redis.Redis", stream_id: str) -> None:
        pipeline = client.pipeline(transaction=True)  # at one instant: its writer may be alive
        pipeline.delete(keys.state(stream_id), keys.chunks(stream_id))
        if isinstance(state, str):
            put(pipeline, keys.state(stream_id), state)
        elif state:
            pipeline.hset(keys.state(stream_id), items=[part for field in state.items() for part in field])
        if isinstance(log, str):
            put(pipeline, keys.chunks(stream_id), log)
        elif log:
            pipeline.rpush(keys.chunks(stream_id), *log)
        pipeline.execute()

    return lay


def sensible(recording: Recording) -> None:
    """It can be sent to anyone, and says of itself what is true."""
    shown = json.loads(StreamRecording.model_validate(recording).model_dump_json())
    assert shown["end"] is not None or shown["state"] != "ended"
    assert 0 <= shown["start"] <= shown["stop"]
    if shown["epoch"] is not None:
        Position.parse(f"{shown['epoch']}:{shown['stop']}")


@examples(250)
@given(keyspaces(), st.one_of(st.none(), st.integers(0, 10**15 - 1)))
def test_a_stream_of_any_bytes_is_read_or_is_not_there(
    client: "redis.Redis", lay: Callable[["redis.Redis", str], None], index: int | None
) -> None:
    lay(client, "s")
    control = StreamControl(client, StreamSettings())
    position = None if index is None else Position(EPOCH, index)
    [progress] = control.progress(["s"])
    try:
        recording = control.read("s", position)
    except StreamNotFound:
        assert progress is None
        return
    sensible(recording)
    assert progress is not None
    assert (progress.state, progress.epoch) == (recording.state, recording.epoch)
    whole = control.read("s")
    assert progress.length == whole.stop, "who has all of it is known to have it"


@given(ends)
def test_an_end_of_any_bytes_is_an_end_that_can_be_shown(entry: bytes) -> None:
    entry = b"e:" + entry.removeprefix(b"e:")
    end = decode_end(entry)
    assert decode_end(encode_end(end)) == end
    batch = Batch("s", EPOCH, 0, [entry])
    data = frames.server_sent(batch).decode().split("data: ", 1)[1]
    shown = json.loads(data, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert shown["type"] == "end"
    assert shown["outcome"] in {"finished", "failed", "cancelled", "interrupted"}
    assert shown["reason"] is None or isinstance(shown["reason"], str)
    counts = shown["usage"] or {}
    assert all(type(count) is int for count in counts.values())


payloads = st.one_of(
    st.binary(max_size=40),
    st.tuples(st.integers(0, 6), st.integers(1, 3)).flatmap(
        lambda place: corrupted(
            b"%s %d %d %d\n%s" % (EPOCH.encode(), place[0], place[0] + 1, len(LOG[place[0]]), LOG[place[0]])
        )
    ),
    st.tuples(
        st.integers(-9, 9), st.integers(-9, 9), st.text("0123456789,- _", max_size=8), st.binary(max_size=30)
    ).map(lambda told: b"%s %d %d %s\n%s" % (EPOCH.encode(), told[0], told[1], told[2].encode(), told[3])),
)


@given(payloads)
def test_a_notification_of_any_bytes_is_one_or_a_value_error(payload: bytes) -> None:
    try:
        news = decode_notification(payload)
    except ValueError:
        return
    assert 0 <= news.start <= news.stop
    if news.entries is not None:
        assert len(news.entries) == news.stop - news.start


class Reader:
    """A viewer that counts, and never has room."""

    def __init__(self) -> None:
        self.rung = threading.Event()
        self.events: list[Any] = []

    def offer(self, _cursor: Cursor, _batch: Batch) -> bool:
        self.rung.set()
        return False

    def wake(self, _cursor: Cursor) -> None:
        self.rung.set()

    def take(self, cursor: Cursor) -> list[Any]:
        while (event := cursor.take()) is not None:
            frames.websocket(event)  # can be said to anyone
            self.events.append(event)
        return self.events

    def wait_for(self, cursor: Cursor, wanted: Callable[[Any], bool]) -> None:
        """Take until there is such an event."""
        wait_until(lambda: any(map(wanted, self.take(cursor))), PATIENCE, f"{wanted.__name__} of {cursor.stream_id}")


def is_the_end(event: Any) -> bool:
    return isinstance(event, Batch) and event.joined().end is not None


@examples(150)
@given(st.lists(payloads, max_size=8), st.integers(0, 6))
def test_no_notification_changes_more_than_the_list_holds(told: list[bytes], stored: int) -> None:
    """Those that are right but for their entries' words cannot be told from true ones; here none are."""
    tail = Tail("s", expected=True, clock=lambda: 0.0)
    reader = Reader()
    cursor = tail.join(reader, None)
    tail.replayed(Page(EPOCH, 0, stored, False, LOG[:stored]))
    for payload in told:
        tail.notified(payload)
    reader.take(cursor)
    seen = [entry for event in reader.events if isinstance(event, Batch) for entry in event.entries]
    assert seen[:stored] == LOG[:stored]
    while not tail.replayed(Page(EPOCH, 0, len(LOG), True, LOG)):
        pass


# --- with everything that runs


@pytest.fixture(scope="module")
def hub(client: "redis.Redis") -> Iterator[StreamHub]:
    subscriber = Subscriber(client)
    hub = StreamHub(client, subscriber)
    subscriber.start()
    hub.start()
    yield hub
    hub.close()
    subscriber.close()


@examples(40)
@given(st.lists(keyspaces(), min_size=1, max_size=4), st.lists(payloads, max_size=4))
def test_a_good_stream_is_followed_whatever_lies_beside_it(
    client: "redis.Redis", hub: StreamHub, beside: list[Callable[["redis.Redis", str], None]], told: list[bytes]
) -> None:
    name = secrets.token_hex(4)
    bad = [f"{name}-{number}" for number in range(len(beside))]
    for lay, stream_id in zip(beside, bad, strict=True):
        lay(client, stream_id)
    client.hset(keys.state(name), mapping={"epoch": EPOCH, "fence": 1, "ended": len(LOG) - 1})
    client.rpush(keys.chunks(name), *LOG)
    readers = [Reader() for _ in [*bad, name]]
    cursors = [hub.follow(each, reader, expected=False) for each, reader in zip([*bad, name], readers, strict=True)]
    for stream_id in bad:
        for payload in told:
            client.spublish(keys.news(stream_id), payload)
    for cursor, reader in zip(cursors, readers, strict=True):
        reader.wait_for(cursor, lambda each: isinstance(each, Serving | Gone))
    readers[-1].wait_for(cursors[-1], is_the_end)
    for stream_id, cursor, reader in zip(bad, cursors[:-1], readers[:-1], strict=True):
        [progress] = StreamControl(client, StreamSettings()).progress([stream_id])
        if progress is not None and progress.state == "ended":
            reader.wait_for(cursor, is_the_end)
    for cursor in cursors:
        cursor.close()


@examples(100)
@given(st.lists(keyspaces(), min_size=1, max_size=4), st.lists(st.binary(min_size=1, max_size=8), max_size=3))
def test_a_dead_producer_is_noticed_whatever_else_is_unsettled(
    client: "redis.Redis", beside: list[Callable[["redis.Redis", str], None]], names: list[bytes]
) -> None:
    client.flushall()
    saved: list[str] = []
    reaper = Reaper(client, StreamSettings(), lambda recording: saved.append(recording.stream_id))
    nobody_is_blind(client)
    bad = [f"a{number}" for number in range(len(beside))]  # before the good one, in any order by name
    for lay, stream_id in zip(beside, bad, strict=True):
        lay(client, stream_id)
    client.hset(keys.state("good"), mapping={"epoch": EPOCH, "fence": 1, "lease": 1})
    client.rpush(keys.chunks("good"), LOG[0])
    named = [*names, *(each.encode() for each in bad)]
    client.zadd(keys.UNSETTLED, dict.fromkeys([*named, b"good"], 1))
    assert "good" in reap(reaper)
    assert "good" in saved
    client.zadd(keys.UNSETTLED, dict.fromkeys(named, 1), xx=True)
    for stream_id in bad:
        if client.exists(keys.state(stream_id)) and client.type(keys.state(stream_id)) == b"hash":
            client.hset(keys.state(stream_id), "lease", 1)  # time passes
    nobody_is_blind(client)
    reap(reaper)
    left = client.zrange(keys.UNSETTLED, 0, -1)
    assert left == [], "whatever it is, somebody looks after it once, and not forever"


@examples(40)
@given(keyspaces())
def test_a_writer_makes_of_anything_what_it_has_written(
    client: "redis.Redis", lay: Callable[["redis.Redis", str], None]
) -> None:
    """Redis lost what it had of a stream, or was given something else: its writer has all of it, or is a former one."""
    name = secrets.token_hex(4)
    writers = StreamWriters(client, StreamSettings(lease=2.0))
    writers.start()
    try:
        with writers.open(name) as writer, writers.open(f"{name}-good") as good:
            writer.append(Kind.TEXT, "Once")
            lay(client, name)
            good.append(Kind.TEXT, "Good")
            good.end(End(Outcome.FINISHED))
            assert good.wait_flushed(PATIENCE)
            with suppress(Fenced):
                writer.append(Kind.TEXT, " upon")
                writer.end(End(Outcome.FINISHED))
                assert writer.wait_flushed(PATIENCE)
                assert StreamControl(client, StreamSettings()).read(name).text == "Once upon"
    finally:
        writers.close()


# --- the rest


@examples(150)
@given(
    st.one_of(
        mutated({"default": "m", "models": ["m", "n"]}, ["default", "models"]).map(
            lambda offer: written(offer).encode()
        ),
        values().map(lambda value: written(value).encode()),
        st.binary(max_size=20),
    )
)
@example(b"[" * 100_000)
@example(b'{"default": "m", "models": "abc"}')
@example(b'{"default": "\\ud800", "models": ["\\ud800", "m"]}')
def test_an_offer_of_any_bytes_is_names_or_none(client: "redis.Redis", data: bytes) -> None:
    client.set(keys.offer("q"), data)
    offer = read_offer(client, "q")
    if offer is None:
        return
    assert isinstance(offer, Offer)
    ModelList.model_validate(offer, from_attributes=True).model_dump_json().encode()
    assert all(name.strip() and name == name.encode().decode() for name in offer.models)


@examples(200)
@given(
    st.one_of(
        st.dictionaries(
            st.binary(max_size=6),
            st.one_of(
                st.binary(max_size=12),
                st.sampled_from(
                    [
                        b"3:inf",
                        b"3:nan",
                        b"-3:99999999999",
                        b"9999999999999999999:99999999999",
                        b"x:99999999999",
                        b"3",
                        b"3:",
                        "٣:99999999999".encode(),
                    ]
                ),
            ),
            max_size=3,
        ),
        wrong_types,
    )
)
def test_viewers_are_counted_whatever_another_process_has_written(client: "redis.Redis", there: Any) -> None:
    client.delete(keys.audience("c"), keys.audience("d"))
    if isinstance(there, str):
        put(client, keys.audience("c"), there)
    elif there:
        client.hset(keys.audience("c"), mapping=dict(there))
    audience = Audience(client, process="mine")
    audience.report({"c": 1, "d": 2})
    counted, good = audience.totals(["c", "d"])
    assert good == 2
    assert 0 <= counted < 2**31
