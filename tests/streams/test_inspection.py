"""What somebody who looks on is told of streams, and that looking changes nothing."""

import redis

from streams import (
    Contents,
    End,
    Kind,
    Outcome,
    StreamControl,
    StreamSettings,
    StreamWriters,
    count_unsettled,
    keys,
    look_at,
    look_at_all,
    look_into,
    try_to_look_at,
    unsettled,
)
from streams.inspection import AT_ONCE
from streams.reader import PAGE
from tests.support.waiting import wait_until
from tests.support.writing import write, write_note


def test_a_queued_stream_is_seen_with_the_time_that_it_still_may_wait(
    client: "redis.Redis", control: StreamControl, settings: StreamSettings
) -> None:
    control.announce("st_a")
    [sight] = look_at(client, ["st_a"])
    assert (sight.state, sight.chunks, sight.epoch, sight.opened, sight.grown) == ("queued", 0, None, None, None)
    assert sight.announced is not None
    assert sight.lease_left is not None
    assert 0 < sight.lease_left <= settings.queue_limit


def test_a_stream_that_is_written_is_seen_with_its_chunks_and_its_lease(
    client: "redis.Redis", control: StreamControl, writers: StreamWriters, settings: StreamSettings
) -> None:
    control.announce("st_a")
    with writers.open("st_a") as writer:
        write(writer, "Once", " upon")
        [sight] = look_at(client, ["st_a"])
    assert (sight.state, sight.chunks, sight.epoch, sight.fence) == ("running", 2, writer.epoch, 1)
    assert sight.announced is not None
    assert sight.opened is not None
    assert sight.age == sight.announced >= sight.opened
    assert sight.bytes is not None
    assert sight.bytes > len("t:Oncet: upon")
    assert sight.lease_left is not None
    assert 0 < sight.lease_left <= settings.lease


def test_a_heartbeat_notes_that_the_stream_has_grown_and_a_chunk_alone_does_not(
    client: "redis.Redis", control: StreamControl, writers: StreamWriters
) -> None:
    control.announce("st_a")
    with writers.open("st_a") as writer:
        write(writer, "Once")
        assert look_at(client, ["st_a"])[0].grown is None
        writer.renew_lease()
        write(writer, " upon")
        wait_until(lambda: look_at(client, ["st_a"])[0].grown is not None)


def test_an_end_is_seen_as_it_was_said(client: "redis.Redis", writers: StreamWriters) -> None:
    end = End(Outcome.FAILED, "The model broke off.")
    with writers.open("st_a") as writer:
        writer.append(Kind.TEXT, "Once")
        writer.end(end)
        assert writer.wait_flushed(60)
    [sight] = look_at(client, ["st_a"])
    assert (sight.state, sight.end, sight.chunks, sight.lease_left) == ("ended", end, 2, None)
    assert sight.announced is None  # nobody had queued it
    assert sight.age == sight.opened


def test_one_that_somebody_asked_to_stop_is_marked(
    client: "redis.Redis", control: StreamControl, writers: StreamWriters
) -> None:
    with writers.open("st_a"):
        control.ask_cancel("st_a")
        assert look_at(client, ["st_a"])[0].cancel


def test_one_that_is_not_there_or_is_none_of_ours_is_missing(client: "redis.Redis") -> None:
    client.set(keys.state("st_a"), "x")
    client.hset(keys.state("st_b"), "epoch", b"\xff\xfe")
    client.hset(keys.state("st_c"), "ended", "3")
    client.hset(keys.state("st_d"), "epoch", "abc")
    client.set(keys.chunks("st_d"), "x")
    seen = look_at(client, ["st_a", "st_b", "st_c", "st_d", "st_e"])
    assert [(sight.stream_id, sight.state) for sight in seen] == [(f"st_{x}", "missing") for x in "abcde"]


def test_what_an_older_version_has_stored_is_seen_without_ages(client: "redis.Redis") -> None:
    client.hset(keys.state("st_a"), mapping={"epoch": "3f9ac2", "fence": "1", "lease": "soon"})
    [sight] = look_at(client, ["st_a"])
    assert (sight.state, sight.age, sight.grown, sight.lease_left, sight.fence) == ("running", None, None, None, 1)


def test_all_unsettled_streams_are_seen_the_oldest_first_and_no_others(
    client: "redis.Redis", control: StreamControl
) -> None:
    for place, stream_id in enumerate(["st_a", "st_b", "st_c"]):
        control.announce(stream_id)
        client.hset(keys.state(stream_id), "announced", 1000 + 1000 * (place != 1))
    control.mark_saved("st_c")
    assert set(unsettled(client)) == {"st_a", "st_b"}
    assert [sight.stream_id for sight in look_at_all(client)] == ["st_b", "st_a"]


def test_looking_changes_nothing(client: "redis.Redis", control: StreamControl) -> None:
    control.announce("st_a")
    its_keys = [keys.state("st_a"), keys.UNSETTLED]
    before = [(client.dump(key), client.pexpiretime(key)) for key in its_keys]
    look_at_all(client)
    assert [(client.dump(key), client.pexpiretime(key)) for key in its_keys] == before


def test_of_many_those_are_named_first_that_somebody_has_to_look_after_the_soonest(client: "redis.Redis") -> None:
    client.zadd(keys.UNSETTLED, {"st_late": 3000, "st_soon": 1000, "st_then": 2000})
    assert unsettled(client, most=2) == ["st_soon", "st_then"]
    assert unsettled(client, most=0) == []
    assert count_unsettled(client) == 3


def test_the_chunks_of_a_stream_are_told_apart_without_their_text(
    client: "redis.Redis", writers: StreamWriters
) -> None:
    with writers.open("st_a") as writer:
        write_note(writer, "The model is loading.")
        writer.append(Kind.REASONING, "Hm. \N{SNOWMAN}")
        assert writer.wait_stored(60)
        write(writer, "Once", " upon")
        client.rpush(keys.chunks("st_a"), "z:something that a newer version writes")
        assert look_into(client, "st_a") == Contents(2, len("Once upon"), 1, len("Hm. ") + 3, 1)
    assert look_into(client, "st_b") is None


def test_a_stream_of_many_pages_is_counted_whole(client: "redis.Redis", writers: StreamWriters) -> None:
    with writers.open("st_a"):
        client.rpush(keys.chunks("st_a"), *["t:x"] * (2 * PAGE + 1))
        found = look_into(client, "st_a")
        assert found is not None
        assert (found.text, found.text_bytes) == (2 * PAGE + 1, 2 * PAGE + 1)


def test_what_is_written_is_told_of_each_stream_while_it_is_open(writers: StreamWriters) -> None:
    with writers.open("st_a") as writer, writers.open("st_b"):
        write(writer, "Once", " upon")
        assert writers.written_of_each() == {"st_a": (9, 2), "st_b": (0, 0)}
    assert writers.written_of_each() == {}


def test_many_are_looked_at_in_their_order(client: "redis.Redis", control: StreamControl) -> None:
    names = [f"st_{number}" for number in range(2 * AT_ONCE + 5)]
    for name in names[::2]:
        control.announce(name)
    seen = try_to_look_at(client, names)
    assert [(sight and sight.stream_id, sight and sight.state) for sight in seen] == [
        (name, "missing" if place % 2 else "queued") for place, name in enumerate(names)
    ]
    assert try_to_look_at(client, []) == []


def test_nothing_in_flight_is_an_empty_list(client: "redis.Redis") -> None:
    assert look_at_all(client) == []
    assert look_at(client, []) == []
