"""The hub against a real server: one connection, one read, whatever is lost on the way."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
import redis

import streams
from streams import keys
from streams.chunk import is_end
from tests.support.reaping import reap
from tests.support.waiting import wait_until
from tests.support.writing import write


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Reader:
    """A viewer with a thread's worth of care: takes when it was woken, keeps what it gets."""

    epoch: str | None = None
    entries: list[bytes] = field(default_factory=list)
    gone: bool = False
    bell: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.bell.set()  # a new cursor begins with `take`: what was there before it rings for nobody

    def offer(self, _cursor: streams.Cursor, batch: streams.Batch) -> bool:
        assert batch.start == len(self.entries)
        self.entries += batch.entries
        return True

    def wake(self, _cursor: streams.Cursor) -> None:
        self.bell.set()

    def pump(self, cursor: streams.Cursor) -> "Reader":
        """Take what there is."""
        if self.bell.is_set():
            self.bell.clear()
            while (event := cursor.take()) is not None:
                if isinstance(event, streams.Serving):
                    if event.epoch != self.epoch:
                        self.epoch, self.entries = event.epoch, []
                elif isinstance(event, streams.Batch):
                    self.offer(cursor, event)
                elif isinstance(event, streams.Gone):
                    self.gone = True
        return self

    @property
    def ended(self) -> bool:
        return bool(self.entries) and is_end(self.entries[-1])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(client: "redis.Redis", clock: Clock) -> Iterator[streams.StreamHub]:
    subscriber = streams.Subscriber(client, random=lambda: 0.0)
    hub = streams.StreamHub(client, subscriber, clock=clock, random=lambda: 0.0)
    subscriber.start()
    hub.start()
    yield hub
    hub.close()
    subscriber.close()


WORDS = [f"word{number} " for number in range(30)]


def test_a_viewer_sees_an_answer_from_before_its_beginning_to_its_end(
    hub: streams.StreamHub, writers: streams.StreamWriters, control: streams.StreamControl
) -> None:
    control.announce("s")
    reader = Reader()
    cursor = hub.follow("s", reader)
    with writers.open("s") as writer:
        for word in WORDS:
            writer.append(streams.Kind.TEXT, word)
        writer.end(streams.End(streams.Outcome.FINISHED))
        wait_until(lambda: reader.pump(cursor).ended)
        assert reader.entries == writer._log


def test_a_thousand_late_joiners_cost_one_read_of_the_list(
    hub: streams.StreamHub, writers: streams.StreamWriters, client: "redis.Redis"
) -> None:
    with writers.open("s") as writer:
        for word in WORDS:
            writer.append(streams.Kind.TEXT, word)
        wait_until(lambda: not writer.is_pending)
        readers = [Reader() for _ in range(1000)]
        cursors = [hub.follow("s", reader) for reader in readers]
        wait_until(
            lambda: all(
                reader.pump(cursor).entries == writer._log for reader, cursor in zip(readers, cursors, strict=True)
            )
        )
        assert hub.list_reads == 1
        assert client.pubsub_shardnumsub(keys.news("s")) == [(keys.news("s").encode(), 1)]
        writer.append(streams.Kind.TEXT, "live")
        wait_until(lambda: all(reader.entries[-1] == b"t:live" for reader in readers))
        assert hub.list_reads == 1, "what is live needs no read"


def test_many_streams_share_one_connection(
    hub: streams.StreamHub, writers: streams.StreamWriters, client: "redis.Redis", control: streams.StreamControl
) -> None:
    readers = {f"s{number}": Reader() for number in range(50)}
    for stream_id in readers:
        control.announce(stream_id)
    cursors = {stream_id: hub.follow(stream_id, reader) for stream_id, reader in readers.items()}
    wait_until(lambda: len(client.pubsub_shardchannels(f"{keys.PREFIX}:*:news")) == 50)

    def listeners() -> int:
        return len([c for c in client.client_list() if int(c["ssub"]) > 0])

    wait_until(lambda: listeners() == 2, what="one for the hub, one for the stops that the writers listen to")
    for stream_id, reader in readers.items():
        with writers.open(stream_id) as writer:
            writer.append(streams.Kind.TEXT, stream_id)
            writer.end(streams.End(streams.Outcome.FINISHED))
            wait_until(lambda reader=reader, stream_id=stream_id: reader.pump(cursors[stream_id]).ended)  # type: ignore[misc]
            assert reader.entries == writer._log
    assert listeners() == 2


def test_what_was_published_while_the_subscriber_was_cut_off_is_read_afterwards(
    hub: streams.StreamHub, writers: streams.StreamWriters, client: "redis.Redis"
) -> None:
    reader = Reader()
    with writers.open("s") as writer:
        cursor = hub.follow("s", reader)
        for word in WORDS:
            client.client_kill_filter(_type="pubsub", skipme=True)
            writer.append(streams.Kind.TEXT, word)
            wait_until(lambda: not writer.is_pending)
        writer.end(streams.End(streams.Outcome.FINISHED))
        wait_until(lambda: reader.pump(cursor).ended)
        assert reader.entries == writer._log


def test_a_lost_notification_is_made_up_for_after_a_silence(
    hub: streams.StreamHub, writers: streams.StreamWriters, client: "redis.Redis", clock: Clock
) -> None:
    reader = Reader()
    with writers.open("s") as writer:
        cursor = hub.follow("s", reader)
        writer.append(streams.Kind.TEXT, "one")
        wait_until(lambda: reader.pump(cursor).entries == [b"t:one"])
        client.rpush(keys.chunks("s"), "t:unheard of")  # stored, but never published
        clock.now += 6.0
        wait_until(lambda: reader.pump(cursor).entries == [b"t:one", b"t:unheard of"])


def test_a_redis_restarted_empty_is_not_noticed_by_a_viewer(hub: streams.StreamHub, client: "redis.Redis") -> None:
    writers = streams.StreamWriters(client, streams.StreamSettings(lease=0.8))
    writers.start()
    reader = Reader()
    try:
        with writers.open("s") as writer:
            cursor = hub.follow("s", reader)
            writer.append(streams.Kind.TEXT, "one")
            wait_until(lambda: reader.pump(cursor).entries == [b"t:one"])
            client.flushall()
            wait_until(lambda: client.llen(keys.chunks("s")) == 1, what="the heartbeat to mend the list")
            writer.append(streams.Kind.TEXT, "two")
            wait_until(lambda: reader.pump(cursor).entries == [b"t:one", b"t:two"])
    finally:
        writers.close()


@pytest.mark.parametrize("lost", [1, 2, 10])
def test_an_answer_that_lost_its_tail_and_then_its_writer_ends_for_its_viewers_too(
    hub: streams.StreamHub, writers: streams.StreamWriters, client: "redis.Redis", lost: int
) -> None:
    reader = Reader()
    with writers.open("s") as writer:
        cursor = hub.follow("s", reader)
        write(writer, *WORDS)
        wait_until(lambda: len(reader.pump(cursor).entries) == len(WORDS))
    client.rpop(keys.chunks("s"), lost)  # a failover to a replica that lacks them
    client.hset(keys.state("s"), "lease", 0)
    client.zadd(keys.UNSETTLED, {"s": 0})
    reaper = streams.Reaper(client, streams.StreamSettings(lease=0.2), lambda _: None)
    wait_until(lambda: reap(reaper) == ["s"], what="the reaper to end it")
    wait_until(lambda: reader.pump(cursor).ended)
    assert reader.entries == client.lrange(keys.chunks("s"), 0, -1)
    assert len(reader.entries) == len(WORDS) - lost + 1


def test_who_follows_a_stream_is_told_when_it_is_queued_again_and_sees_what_the_next_worker_writes(
    hub: streams.StreamHub, writers: streams.StreamWriters, client: "redis.Redis", settings: streams.StreamSettings
) -> None:
    reader = Reader()
    restarts = streams.Restarts(client, settings, lambda _: True)
    with writers.open("s") as writer:
        writer.note("The model is loading…")
        cursor = hub.follow("s", reader)
        wait_until(lambda: reader.pump(cursor).entries == writer._log)
        assert restarts.hand_back(writer)
        wait_until(lambda: reader.pump(cursor).epoch is None, what="the notification: the hub's clock stands still")
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "Once")
        writer.end(streams.End(streams.Outcome.FINISHED))
        wait_until(lambda: reader.pump(cursor).ended)
        assert (reader.epoch, reader.entries) == (writer.epoch, writer._log)


def test_a_stream_that_nobody_watches_is_forgotten_after_a_grace_time(
    hub: streams.StreamHub, control: streams.StreamControl, client: "redis.Redis", clock: Clock
) -> None:
    control.announce("s")
    cursor = hub.follow("s", Reader())
    wait_until(lambda: client.pubsub_shardchannels(keys.news("s")))
    cursor.close()
    assert hub.tails == {"s": 0}, "whoever refreshes is back soon"
    clock.now += 31.0
    wait_until(lambda: hub.tails == {})
    wait_until(lambda: client.pubsub_shardchannels(keys.news("s")) == [])


def test_a_viewer_of_a_stream_that_redis_never_knew_is_told_that_it_is_gone(hub: streams.StreamHub) -> None:
    reader = Reader()
    cursor = hub.follow("never", reader, expected=False)
    wait_until(lambda: reader.pump(cursor).gone)


def test_a_viewer_of_a_stream_that_its_writer_brings_back_is_not_told_that_it_is_gone(
    hub: streams.StreamHub, writers: streams.StreamWriters
) -> None:
    reader = Reader()
    cursor = hub.follow("s", reader, expected=True)
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "here")
        wait_until(lambda: reader.pump(cursor).entries == [b"t:here"])
    assert not reader.gone


def test_what_is_no_stream_is_gone_and_takes_no_other_stream_along(
    hub: streams.StreamHub, client: "redis.Redis", writers: streams.StreamWriters
) -> None:
    """They are read together, in one round trip."""
    client.set(keys.state("text"), "of another type")
    client.hset(keys.state("list"), mapping={"epoch": "3f9", "fence": 1})
    client.set(keys.chunks("list"), "of another type")
    client.hset(keys.state("bytes"), mapping={"epoch": b"\xff", "fence": 1})
    client.hset(keys.state("colon"), mapping={"epoch": "a:b\n", "fence": 1})
    bad = ["text", "list", "bytes", "colon"]
    with writers.open("good") as writer:
        write(writer, "Once")
        readers = {name: Reader() for name in [*bad, "good"]}
        cursors = {name: hub.follow(name, reader, expected=False) for name, reader in readers.items()}
        writer.end(streams.End(streams.Outcome.FINISHED))
        wait_until(lambda: readers["good"].pump(cursors["good"]).ended)
    wait_until(lambda: all(readers[name].pump(cursors[name]).gone for name in bad))


def has_ended(reader: Reader, cursor: streams.Cursor) -> bool:
    return reader.pump(cursor).ended


def test_a_stream_that_has_ended_has_an_end_even_where_its_entry_was_lost(
    hub: streams.StreamHub, client: "redis.Redis", control: streams.StreamControl
) -> None:
    lists: dict[str, list[bytes]] = {"evicted": [], "cut": [b"t:Once", b"t: upon"]}
    for name, entries in lists.items():
        client.hset(keys.state(name), mapping={"epoch": "3f9", "fence": 1, "ended": 9})
        if entries:
            client.rpush(keys.chunks(name), *entries)
        reader = Reader()
        wait_until(partial(has_ended, reader, hub.follow(name, reader)))
        assert reader.entries[:-1] == entries
        recording = control.read(name)
        assert recording.end is not None
        assert recording.end.outcome is streams.Outcome.FAILED
        [progress] = control.progress([name])
        assert progress is not None
        assert progress.length == recording.stop == len(reader.entries)
        again = control.read(name, streams.Position("3f9", 10**15 - 1))
        assert (again.start, again.stop, again.end) == (len(entries), len(entries) + 1, recording.end)
