"""A dead producer is noticed, the text is kept, and what ended is handed over to be saved."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import pytest
import redis

import streams
from streams import keys
from tests.support.reaping import nobody_is_blind, reap
from tests.support.waiting import wait_until

SHORT = streams.StreamSettings(lease=0.2, queue_limit=0.2)


@pytest.fixture
def saved() -> list[streams.Recording]:
    return []


@pytest.fixture
def reaper(client: "redis.Redis", saved: list[streams.Recording]) -> streams.Reaper:
    nobody_is_blind(client)
    return streams.Reaper(client, SHORT, saved.append)


def settled(reaper: streams.Reaper, stream_id: str) -> Callable[[], bool]:
    return lambda: stream_id in reap(reaper)


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
    with closing(streams.StreamWriters(client, settings)) as writers:
        writers.start()
        reaper = streams.Reaper(client, settings, saved.append)
        with writers.open("s"):
            first = client.zscore(keys.UNSETTLED, "s")
            wait_until(lambda: (client.zscore(keys.UNSETTLED, "s") or 0) > (first or 0) + 2_000, what="five heartbeats")
            nobody_is_blind(client)
            assert reap(reaper) == []
        assert saved == []


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
    assert reap(reaper) == ["s"]
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
    wait_until(lambda: reap(reaper) == [] and attempts)
    assert client.zscore(keys.UNSETTLED, "s") is not None, "it is put off, not forgotten"
    assert client.pttl(keys.chunks("s")) > SHORT.retention * 1000


class SlowDatabase:
    """Takes what is saved, in order, and is then away for as long as it is told to."""

    def __init__(self) -> None:
        self.asked_for: list[str] = []
        self.answers = Event()

    def save(self, recording: streams.Recording) -> None:
        self.asked_for.append(recording.stream_id)
        self.answers.wait()
        raise ConnectionError("the database is away")


@pytest.fixture
def slow() -> SlowDatabase:
    return SlowDatabase()


@pytest.fixture
def looking(client: "redis.Redis", slow: SlowDatabase) -> Iterator[streams.Reaper]:
    """One that looks by itself, as in every process, and waits for a slow database."""
    nobody_is_blind(client)
    reaper = streams.Reaper(client, SHORT, slow.save, expected=(ConnectionError,))
    reaper.start()
    yield reaper
    slow.answers.set()
    reaper.close()


def end_unsaved(client: "redis.Redis", stream_id: str) -> None:
    """As a worker does that dies before it has saved an answer."""
    control = streams.StreamControl(client, SHORT)
    control.announce(stream_id)
    control.ask_cancel(stream_id)


def has_ended(client: "redis.Redis", stream_id: str) -> Callable[[], bool]:
    return lambda: bool(client.hexists(keys.state(stream_id), "ended"))


def is_taken(client: "redis.Redis", stream_id: str) -> Callable[[], bool]:
    """Whether somebody has looked at a stream that was due, and put it off."""
    return lambda: (client.zscore(keys.UNSETTLED, stream_id) or 0) > 1


@pytest.mark.usefixtures("looking")
def test_a_dead_writer_is_noticed_while_the_database_keeps_a_save_waiting(
    client: "redis.Redis", slow: SlowDatabase
) -> None:
    end_unsaved(client, "first")
    wait_until(lambda: slow.asked_for, what="a save to be under way")
    with streams.StreamWriters(client, SHORT).open("second"):  # it has no heartbeat
        wait_until(has_ended(client, "second"), what="its writer to be taken for dead")
    assert slow.asked_for == ["first"]


@pytest.mark.usefixtures("looking")
def test_a_stream_that_comes_up_again_while_it_is_saved_gets_no_second_turn(
    client: "redis.Redis", slow: SlowDatabase
) -> None:
    end_unsaved(client, "first")
    wait_until(lambda: slow.asked_for, what="a save to be under way")
    client.zadd(keys.UNSETTLED, {"first": 1})
    wait_until(is_taken(client, "first"), what="it to be taken again")
    end_unsaved(client, "second")
    wait_until(is_taken(client, "second"), what="the next to be taken")
    slow.answers.set()
    wait_until(lambda: len(slow.asked_for) > 1, what="the next save")
    assert slow.asked_for[:2] == ["first", "second"]


def test_what_another_process_has_saved_while_it_waited_here_is_not_saved_twice(
    client: "redis.Redis", control: streams.StreamControl, reaper: streams.Reaper, saved: list[streams.Recording]
) -> None:
    end_unsaved(client, "s")
    assert reaper.look() == ["s"]
    control.mark_saved("s")
    assert not reaper.settle("s")
    assert saved == []


def test_closing_waits_for_the_save_under_way_and_leaves_the_others_to_other_processes(
    client: "redis.Redis", slow: SlowDatabase, looking: streams.Reaper
) -> None:
    for stream_id in ("first", "second"):
        end_unsaved(client, stream_id)
        wait_until(is_taken(client, stream_id), what="it to be taken")
    wait_until(lambda: slow.asked_for, what="a save to be under way")
    with ThreadPoolExecutor(1) as pool:
        closed = pool.submit(looking.close)
        wait_until(looking._closing.is_set, what="it to close")
        assert not closed.done()
        slow.answers.set()
        closed.result(60)
    assert slow.asked_for == ["first"]
    assert client.zcard(keys.UNSETTLED) == 2


@pytest.mark.parametrize(("expected", "has_traceback"), [((ConnectionError,), False), ((), True)])
def test_a_database_that_is_away_costs_one_line_that_names_the_stream_and_only_the_unexpected_a_traceback(
    client: "redis.Redis", caplog: pytest.LogCaptureFixture, expected: tuple[type[Exception], ...], has_traceback: bool
) -> None:
    def save(_: streams.Recording) -> None:
        raise ConnectionError("no route to the database\n[SQL: UPDATE messages …]")

    end_unsaved(client, "s")
    reaper = streams.Reaper(client, SHORT, save, expected=expected)
    assert not reaper.settle("s")
    [told] = caplog.records
    assert told.stream_id == "s"  # type: ignore[attr-defined]
    assert "not saved, trying again" in told.message
    assert bool(told.exc_info) is has_traceback
    assert has_traceback or told.message.endswith("no route to the database")


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
        assert reap(reaper) == []
        assert (client.zscore(keys.UNSETTLED, "s") or 0) > now
        writer.renew_lease()
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
        assert reap(reaper) == []
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
    nobody_is_blind(client)
    reap(reaper)
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
    nobody_is_blind(client)
    assert [reap(reaper) for reaper in reapers] == [["s"], [], [], [], []]


def test_a_stream_that_vanished_is_taken_off_the_list(
    client: "redis.Redis", control: streams.StreamControl, reaper: streams.Reaper
) -> None:
    control.announce("s")
    control.ask_cancel("s")
    client.delete(keys.state("s"), keys.chunks("s"))
    assert reap(reaper) == []
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
    assert reap(reaper) == ["a2", "a3", "good"]
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
    assert reap(reaper) == [], "nobody has looked, as far as anybody knows: everyone gets time"
    client.zadd(keys.UNSETTLED, {"s": 1})
    assert reap(reaper) == ["s"]
