"""For every fault between the writer and Redis, the list ends equal to the writer's log: same epoch, same indices.

A real server behind a proxy that breaks connections. The flusher's thread is not started: `flush` is called by hand, so
that each example takes the same way every time.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

import streams
from streams import keys
from streams.writer import StreamWriter
from tests.support.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.support.reaping import reap
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

BOUND = 60  # flushes after which everything must be stored, with the faults of any script below


@pytest.fixture(scope="module")
def proxy(shared_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    listen = tmp_path_factory.mktemp("proxy") / "p.sock"
    with fault_proxy(listen, Path(shared_server.socket)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def direct(shared_server: RedisServer) -> Iterator["redis.Redis"]:
    with streams.connect(shared_server.url) as client:
        yield client


@pytest.fixture(scope="module")
def writers(proxy: FaultProxy) -> Iterator[streams.StreamWriters]:
    with streams.connect(proxy.url, retries=0) as client:  # each fault of a script hits one flush
        yield streams.StreamWriters(client, streams.StreamSettings(lease=30.0), random=lambda: 0.0)


def stored(direct: "redis.Redis", stream_id: str) -> list[Any]:
    return direct.lrange(keys.chunks(stream_id), 0, -1)


def flush_all(writers: streams.StreamWriters, writer: StreamWriter) -> None:
    for _ in range(BOUND):
        writers.flush()
        if not writer.is_pending:
            return
    raise AssertionError("not everything was flushed")


def lose_everything(direct: "redis.Redis", _: str) -> None:
    """Redis was restarted empty."""
    direct.flushall()
    direct.script_flush()


def lose_the_list(direct: "redis.Redis", stream_id: str) -> None:
    """The key was evicted."""
    direct.delete(keys.chunks(stream_id))


def lose_the_state(direct: "redis.Redis", stream_id: str) -> None:
    direct.delete(keys.state(stream_id))


def lose_the_tail(direct: "redis.Redis", stream_id: str) -> None:
    """A replica was promoted that lacks the last two entries."""
    direct.rpop(keys.chunks(stream_id), 2)


def forget_scripts(direct: "redis.Redis", _: str) -> None:
    direct.script_flush()


losses = st.sampled_from([lose_everything, lose_the_list, lose_the_state, lose_the_tail, forget_scripts])
moves = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sampled_from(streams.Kind), st.text("abé😀", min_size=1, max_size=5)),
        st.tuples(st.just("flush"), st.lists(st.sampled_from(Fault), max_size=4), st.none()),
        st.tuples(st.just("lose"), losses, st.none()),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(moves, st.lists(st.sampled_from(Fault), max_size=6))
def test_the_list_equals_the_log_after_any_faults(
    proxy: FaultProxy,
    direct: "redis.Redis",
    writers: streams.StreamWriters,
    moves: list[tuple[str, Any, Any]],
    last: list[Fault],
) -> None:
    proxy.script.clear()
    direct.flushall()
    said = dict.fromkeys(streams.Kind, "")
    with writers.open("s") as writer:
        for move, what, text in moves:
            if move == "append":
                writer.append(what, text)
                said[what] += text
            elif move == "flush":
                proxy.script.extend(what)
                writers.flush()
            else:
                what(direct, "s")
                writer.renew_lease()  # as the heartbeat does within a second, so that a loss is noticed
        writer.end(streams.End(streams.Outcome.FINISHED))
        proxy.script.extend(last)
        flush_all(writers, writer)
        assert writer.wait_flushed(0)
        recording = streams.StreamControl(direct, streams.StreamSettings()).read("s")
        assert recording.epoch == writer.epoch
        assert (recording.text, recording.reasoning) == (said[streams.Kind.TEXT], said[streams.Kind.REASONING])
        assert recording.end == streams.End(streams.Outcome.FINISHED)
        assert recording.state == "ended"
        assert stored(direct, "s") == writer._log


@pytest.mark.parametrize("lose", [lose_everything, lose_the_list, lose_the_state, lose_the_tail])
def test_an_ended_stream_is_mended_by_the_next_heartbeat_while_its_writer_is_held(
    direct: "redis.Redis", proxy: FaultProxy, writers: streams.StreamWriters, lose: object
) -> None:
    proxy.script.clear()
    direct.flushall()
    with writers.open("s") as writer:
        for word in ["one ", "two ", "three "]:
            writer.append(streams.Kind.TEXT, word)
            writers.flush()
        writer.end(streams.End(streams.Outcome.FINISHED))
        flush_all(writers, writer)
        before = stored(direct, "s")
        lose(direct, "s")  # type: ignore[operator]
        writer.renew_lease()
        flush_all(writers, writer)
        assert stored(direct, "s") == before == writer._log


def test_connections_that_go_silent_cost_no_lease(proxy: FaultProxy, direct: "redis.Redis") -> None:
    """As behind a balancer that forgets its connections: nothing comes back, and new ones work at once."""
    proxy.script.clear()
    direct.flushall()
    settings = streams.StreamSettings(lease=4.0)
    reaper = streams.Reaper(direct, settings, lambda _: None)
    reap(reaper)
    with streams.connect(proxy.url, reply_timeout=settings.heartbeat) as client:
        writers = streams.StreamWriters(client, settings)
        writers.start()
        try:
            with writers.open("s") as writer:
                writer.append(streams.Kind.TEXT, "before")
                wait_until(lambda: stored(direct, "s") == [b"t:before"])
                silenced_at = direct.time()[0]
                proxy.silence()
                writer.append(streams.Kind.TEXT, ", after")

                def has_renewed_a_lease_that_was_over() -> bool:
                    assert reap(reaper) == []
                    return float(direct.hget(keys.state("s"), "lease") or 0) / 1000 > silenced_at + 2 * settings.lease

                wait_until(has_renewed_a_lease_that_was_over)
                assert stored(direct, "s") == [b"t:before", b"t:, after"]
        finally:
            writers.close()
