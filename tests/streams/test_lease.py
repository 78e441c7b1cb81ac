"""A dead producer is noticed, the text is kept, and what ended is handed over to be saved."""

from collections.abc import Callable

import pytest
import redis

import streams
from streams import keys
from tests.support.waiting import wait_until

SHORT = streams.StreamSettings(lease=0.2, queue_limit=0.2)


@pytest.fixture
def saved() -> list[streams.Recording]:
    return []


@pytest.fixture
def reaper(client: "redis.Redis", saved: list[streams.Recording]) -> streams.Reaper:
    reaper = streams.Reaper(client, SHORT, saved.append)
    reaper.reap()  # as somebody does twice a second
    return reaper


def settled(reaper: streams.Reaper, stream_id: str) -> Callable[[], bool]:
    return lambda: stream_id in reaper.reap()


def test_a_stream_whose_writer_died_ends_as_interrupted_with_its_text(
    client: "redis.Redis", reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    writers = streams.StreamWriters(client, SHORT)  # not started: it has no heartbeat
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "half an ans")
        writers.flush()
    wait_until(settled(reaper, "s"))
    [recording] = saved
    assert recording.text == "half an ans"
    assert recording.end is not None
    assert recording.end.outcome is streams.Outcome.INTERRUPTED
    assert "worker" in str(recording.end.reason)


def test_a_writer_that_was_only_asleep_is_fenced(client: "redis.Redis", reaper: streams.Reaper) -> None:
    writers = streams.StreamWriters(client, SHORT)
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "before")
        writers.flush()
        wait_until(settled(reaper, "s"))
        length = client.llen(keys.chunks("s"))
        writer.append(streams.Kind.TEXT, "after")
        writers.flush()
        with pytest.raises(streams.Fenced):
            writer.wait_flushed(0)
        assert client.llen(keys.chunks("s")) == length


def test_a_silent_writer_that_lives_is_left_alone(client: "redis.Redis", saved: list[streams.Recording]) -> None:
    settings = streams.StreamSettings(lease=2.0)
    writers = streams.StreamWriters(client, settings)
    writers.start()
    reaper = streams.Reaper(client, settings, saved.append)
    try:
        with writers.open("s"):
            first = client.zscore(keys.UNSETTLED, "s")
            wait_until(lambda: (client.zscore(keys.UNSETTLED, "s") or 0) > (first or 0) + 2_000, what="five heartbeats")
            assert reaper.reap() == []
        assert saved == []
    finally:
        writers.close()


def test_a_queued_stream_that_nobody_begins_is_ended(
    client: "redis.Redis", reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    streams.StreamControl(client, SHORT).announce("s")
    wait_until(settled(reaper, "s"))
    assert saved[0].end is not None
    assert saved[0].end.outcome is streams.Outcome.INTERRUPTED
    assert "No worker" in str(saved[0].end.reason)


def test_a_stream_cancelled_while_queued_is_handed_over_at_once(
    control: streams.StreamControl, reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    control.announce("s")
    assert control.ask_cancel("s")
    assert not control.ask_cancel("s"), "it had ended"
    assert reaper.reap() == ["s"]
    assert saved[0].end is not None
    assert saved[0].end.outcome is streams.Outcome.CANCELLED


def test_what_ended_but_was_not_saved_is_saved_by_whoever_is_alive(
    client: "redis.Redis", reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    writers = streams.StreamWriters(client, SHORT)
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "whole")
        writer.end(streams.End(streams.Outcome.FINISHED))
        writers.flush()
    wait_until(settled(reaper, "s"))
    assert (saved[0].text, saved[0].end) == ("whole", streams.End(streams.Outcome.FINISHED))
    assert client.zcard(keys.UNSETTLED) == 0


def test_a_stream_that_cannot_be_saved_is_kept_and_tried_again(client: "redis.Redis") -> None:
    attempts: list[str] = []

    def save(recording: streams.Recording) -> None:
        attempts.append(recording.text)
        raise OSError("the database is away")

    writers = streams.StreamWriters(client, SHORT)
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "precious")
        writer.end(streams.End(streams.Outcome.FINISHED))
        writers.flush()
    reaper = streams.Reaper(client, SHORT, save)
    wait_until(lambda: reaper.reap() == [] and attempts)
    assert client.zscore(keys.UNSETTLED, "s") is not None, "it is put off, not forgotten"
    assert client.pttl(keys.chunks("s")) > SHORT.retention * 1000


def test_after_redis_was_away_producers_get_the_time_of_a_lease_to_show_that_they_live(
    client: "redis.Redis", reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    writers = streams.StreamWriters(client, SHORT)
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "alive")
        writers.flush()
        # Redis was away for ten seconds, and kept its data: every lease has run out, and nobody has looked.
        now = int(client.time()[0] * 1000)
        client.hset(keys.state("s"), "lease", now - 6_000)
        client.zadd(keys.UNSETTLED, {"s": now - 6_000})
        client.set(keys.LOOKED, now - 10_000)
        assert reaper.reap() == []
        assert (client.zscore(keys.UNSETTLED, "s") or 0) > now
        writer.renew_lease()
        writers._mark_dirty(writer)
        writers.flush()
        assert client.hexists(keys.state("s"), "ended") is False
    assert saved == []


def test_after_redis_was_away_the_time_is_given_to_those_too_whose_lease_is_about_to_run_out(
    client: "redis.Redis", reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    writers = streams.StreamWriters(client, SHORT)
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "alive")
        writers.flush()
        # Away for three seconds: the lease has still a moment to go, in which the writer will not be connected again.
        now = int(client.time()[0] * 1000)
        client.hset(keys.state("s"), "lease", now + 1)
        client.zadd(keys.UNSETTLED, {"s": now + 1})
        client.set(keys.LOOKED, now - 3_000)
        assert reaper.reap() == []
        assert (client.zscore(keys.UNSETTLED, "s") or 0) >= now + SHORT.lease * 1000
    assert saved == []


def test_every_end_is_told_before_the_first_is_saved(client: "redis.Redis") -> None:
    ended_at_first_save: list[int] = []

    def save(_: streams.Recording) -> None:
        ended_at_first_save.append(sum(client.hexists(keys.state(f"s{number}"), "ended") for number in range(5)))

    for number in range(5):
        streams.StreamControl(client, SHORT).announce(f"s{number}")
    reaper = streams.Reaper(client, SHORT, save)
    wait_until(lambda: client.zcount(keys.UNSETTLED, 0, client.time()[0] * 1000) == 5, what="all to be due")
    client.set(keys.LOOKED, int(client.time()[0] * 1000))
    reaper.reap()
    assert ended_at_first_save[0] == 5


def test_a_stream_that_a_worker_took_and_never_began_ends_soon(
    client: "redis.Redis", reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    control = streams.StreamControl(client, streams.StreamSettings())  # which waits ten minutes for a worker
    control.announce("s")
    control.mark_taken("s", 0.1)
    wait_until(settled(reaper, "s"))
    assert saved[0].end == streams.End(streams.Outcome.INTERRUPTED, "No worker began this answer in time.")


def test_of_many_reapers_one_takes_a_stream(client: "redis.Redis") -> None:
    control = streams.StreamControl(client, SHORT)
    control.announce("s")
    control.ask_cancel("s")
    saved: list[streams.Recording] = []
    reapers = [streams.Reaper(client, SHORT, saved.append) for _ in range(5)]
    client.set(keys.LOOKED, int(client.time()[0] * 1000))
    assert [reaper.reap() for reaper in reapers] == [["s"], [], [], [], []]


def test_a_stream_that_vanished_is_taken_off_the_list(
    client: "redis.Redis", control: streams.StreamControl, reaper: streams.Reaper
) -> None:
    control.announce("s")
    control.ask_cancel("s")
    client.delete(keys.state("s"), keys.chunks("s"))
    assert reaper.reap() == []
    assert client.zcard(keys.UNSETTLED) == 0


def test_what_is_no_stream_is_taken_off_the_list_and_keeps_nobody_waiting(
    client: "redis.Redis", reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    client.set(keys.state("a1"), "of another type")
    client.hset(keys.state("a2"), mapping={"epoch": "3f9", "fence": "nonsense", "lease": "soon"})
    client.hset(keys.state("a3"), mapping={"epoch": "3f9", "fence": 1, "lease": 1})
    client.set(keys.chunks("a3"), "of another type")
    client.hset(keys.state("a4"), mapping={"epoch": b"\xff", "ended": 0})
    client.hset(keys.state("good"), mapping={"epoch": "3f9", "fence": 1, "lease": 1})
    client.zadd(keys.UNSETTLED, dict.fromkeys([b"\xff\xfe", b"a1", b"a2", b"a3", b"a4", b"good"], 1))
    assert reaper.reap() == ["a2", "a3", "good"]
    assert [recording.stream_id for recording in saved] == ["a2", "a3", "good"]
    assert client.zcard(keys.UNSETTLED) == 0


@pytest.mark.parametrize("kind", ["text", "list"])
def test_a_moment_of_the_last_look_that_is_none_is_written_anew(
    client: "redis.Redis", reaper: streams.Reaper, kind: str
) -> None:
    client.delete(keys.LOOKED)
    if kind == "text":
        client.set(keys.LOOKED, "nonsense")
    else:
        client.rpush(keys.LOOKED, "nonsense")
    client.hset(keys.state("s"), mapping={"epoch": "3f9", "fence": 1, "lease": 1})
    client.zadd(keys.UNSETTLED, {"s": 1})
    assert reaper.reap() == [], "nobody has looked, as far as anybody knows: everyone gets time"
    client.zadd(keys.UNSETTLED, {"s": 1})
    assert reaper.reap() == ["s"]
