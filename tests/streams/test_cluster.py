"""Streams in a real Redis Cluster: whatever happens to its servers, every word comes, once and in order."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

import streams
from streams import keys
from streams.shards import shard_of
from tests.streams.test_hub import Clock, Reader
from tests.support.reaping import nobody_is_blind
from tests.support.redis_cluster import RedisCluster, running_cluster
from tests.support.waiting import wait_until

SETTINGS = streams.StreamSettings(lease=30.0)


@pytest.fixture
def cluster() -> Iterator[RedisCluster]:
    """One for each test: what happens to it stays."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def client(cluster: RedisCluster) -> Iterator[streams.Client]:
    with streams.connect_streams(cluster.url, reply_timeout=1.0) as client:
        yield client


@pytest.fixture
def writers(client: streams.Client) -> Iterator[streams.StreamWriters]:
    writers = streams.StreamWriters(client, SETTINGS)
    writers.start()
    yield writers
    writers.close()


@contextmanager
def running_hub(cluster: RedisCluster) -> Iterator[streams.StreamHub]:
    """As another process has one: it hears of the cluster's changes by itself. Its clock stands still, so that no
    silence makes it read what it was not told of."""
    with streams.connect_streams(cluster.url, reply_timeout=1.0) as client:
        subscriber = streams.Subscriber(client)
        hub = streams.StreamHub(client, subscriber, clock=Clock())
        subscriber.start()
        hub.start()
        yield hub
        hub.close()
        subscriber.close()


@pytest.fixture
def hub(cluster: RedisCluster) -> Iterator[streams.StreamHub]:
    with running_hub(cluster) as hub:
        yield hub


def test_what_lies_on_a_server_that_is_away_is_not_seen_and_all_else_is(
    cluster: RedisCluster, client: streams.Client, writers: streams.StreamWriters
) -> None:
    names = one_on_each_server(client)
    with ExitStack() as opened:
        for name in names:
            opened.enter_context(writers.open(name))
        cluster.primary_of(keys.chunks(names[0])).pause()
        seen = streams.try_to_look_at(client, names)
        cluster.heal()
    assert [sight and sight.state for sight in seen] == [None, "running", "running"]


def one_on_each_server(client: streams.Client) -> list[str]:
    """Ids of streams, as many as there are servers with something in them."""
    found: dict[object, str] = {}
    for number in range(100):
        found.setdefault(shard_of(client, keys.chunks(f"s{number}")), f"s{number}")
    return list(found.values())


def shown(reader: Reader, cursor: streams.Cursor) -> bytes:
    return b"".join(entry[2:] for entry in reader.pump(cursor).entries)


def has_shown(reader: Reader, cursor: streams.Cursor, text: bytes) -> bool:
    return shown(reader, cursor) == text


def has_ended(reader: Reader, cursor: streams.Cursor) -> bool:
    return reader.pump(cursor).ended


def say(writer: streams.StreamWriter, numbers: range) -> None:
    for number in numbers:
        writer.append(streams.Kind.TEXT, f"{number} ")


def words(stop: int) -> bytes:
    return b"".join(b"%d " % number for number in range(stop))


def test_streams_lie_on_all_servers_and_each_is_told_of_where_it_lies(
    cluster: RedisCluster, client: streams.Client, writers: streams.StreamWriters, hub: streams.StreamHub
) -> None:
    ids = one_on_each_server(client)
    assert len(ids) == 3
    for stream_id in ids:
        reader = Reader()
        cursor = hub.follow(stream_id, reader)
        server = cluster.primary_of(keys.news(stream_id)).client
        wait_until(partial(server.pubsub_shardchannels, keys.news(stream_id)))
        with writers.open(stream_id) as writer:
            say(writer, range(100))
            writer.end(streams.End(streams.Outcome.FINISHED))
            wait_until(partial(has_ended, reader, cursor))
            assert reader.entries == writer._log


def test_the_primary_of_a_stream_is_killed_in_mid_answer_and_nothing_is_lost_repeated_or_reordered(
    cluster: RedisCluster, client: streams.Client, writers: streams.StreamWriters, hub: streams.StreamHub
) -> None:
    ids = one_on_each_server(client)
    readers = {stream_id: Reader() for stream_id in ids}
    cursors = {stream_id: hub.follow(stream_id, reader) for stream_id, reader in readers.items()}
    with writers.open(ids[0]) as first, writers.open(ids[1]) as second, writers.open(ids[2]) as third:
        for writer in (first, second, third):
            say(writer, range(50))
        wait_until(lambda: all(shown(readers[each], cursors[each]) == words(50) for each in ids))

        victim = cluster.primary_of(keys.chunks(ids[0]))
        victim.kill()
        for writer in (first, second, third):
            say(writer, range(50, 100))
        wait_until(lambda: all(shown(readers[each], cursors[each]) == words(100) for each in ids[1:]))
        assert cluster.primary_of(keys.chunks(ids[1])) is not victim

        wait_until(lambda: shown(readers[ids[0]], cursors[ids[0]]) == words(100), what="the replica to take over")
        say(first, range(100, 150))  # …and what comes now is heard, not found by looking
        first.end(streams.End(streams.Outcome.FINISHED))
        wait_until(lambda: readers[ids[0]].pump(cursors[ids[0]]).ended)
        assert shown(readers[ids[0]], cursors[ids[0]]).startswith(words(150))
        recording = streams.StreamControl(client, SETTINGS).read(ids[0])
        assert (recording.text.encode(), recording.epoch) == (words(150), first.epoch)


def test_a_slot_that_is_moved_in_mid_answer_takes_its_listeners_along(
    cluster: RedisCluster, writers: streams.StreamWriters, hub: streams.StreamHub
) -> None:
    reader = Reader()
    cursor = hub.follow("s", reader)
    with writers.open("s") as writer:
        for times in range(1, 5):
            say(writer, range(10 * times - 10, 10 * times))
            wait_until(partial(has_shown, reader, cursor, words(10 * times)))
            source = cluster.primary_of(keys.news("s"))
            cluster.move_slot(keys.news("s"))
            assert cluster.primary_of(keys.news("s")) is not source
            wait_until(lambda: cluster.primary_of(keys.news("s")).client.pubsub_shardchannels(keys.news("s")))
        writer.end(streams.End(streams.Outcome.FINISHED))
        wait_until(lambda: reader.pump(cursor).ended)
        assert reader.entries == writer._log


def test_a_dead_writer_is_noticed_while_another_server_of_the_cluster_is_away(
    cluster: RedisCluster, client: streams.Client, writers: streams.StreamWriters
) -> None:
    """The list of the unsettled is on one server, the streams are on others."""
    home = cluster.primary_of(keys.UNSETTLED)
    away, here = [each for each in one_on_each_server(client) if cluster.primary_of(keys.state(each)) is not home]
    saved: list[streams.Recording] = []
    reaper = streams.Reaper(client, SETTINGS, saved.append)
    for stream_id in (away, here):
        with writers.open(stream_id) as writer:
            say(writer, range(10))
            assert writer.wait_stored(60)
        client.hset(keys.state(stream_id), "lease", 1)
        client.zadd(keys.UNSETTLED, {stream_id: 1 if stream_id == away else 2})  # it comes up first
    cluster.primary_of(keys.state(away)).kill()
    nobody_is_blind(client)
    found = wait_until(reaper.look)
    assert found == [here]
    assert reaper.settle(here)
    assert [(each.text.encode(), each.end) for each in saved] == [(words(10), streams.PRODUCER_DIED)]


def test_what_belongs_to_no_stream_works_too(client: streams.Client) -> None:
    control = streams.StreamControl(client, SETTINGS)
    for number in range(20):
        control.announce(f"s{number}")
    assert [each.state for each in control.progress([f"s{number}" for number in range(20)]) if each] == ["queued"] * 20
    assert control.progress(["nowhere"]) == [None]
    assert control.ask_cancel("s1")
    control.mark_saved("s1")
    streams.publish_offer(client, "q", streams.Offer("one", ("one", "two")))
    assert streams.read_offer(client, "q") == streams.Offer("one", ("one", "two"))
    streams.ping(client)
