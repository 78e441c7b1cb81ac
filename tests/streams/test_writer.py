"""The writing side against a real server."""

import threading
from contextlib import closing

import pytest
import redis

import streams
from streams import keys
from streams.writer import MAX_NOTIFICATION
from tests.support.waiting import wait_until

FINISHED = streams.End(streams.Outcome.FINISHED, None, {"total_tokens": 3})


def test_what_was_appended_is_what_is_read(writers: streams.StreamWriters, control: streams.StreamControl) -> None:
    with writers.open("s") as writer:
        writer.append(streams.Kind.REASONING, "The user wants a tale.")
        for word in ["Once", " upon", " a", " time 😀"]:
            writer.append(streams.Kind.TEXT, word)
        writer.end(FINISHED)
        assert writer.wait_flushed(60)
    recording = control.read("s")
    assert recording.text == "Once upon a time 😀"
    assert recording.reasoning == "The user wants a tale."
    assert recording.end == FINISHED
    assert (recording.state, recording.start) == ("ended", 0)


def test_deltas_gather_only_while_a_call_is_in_flight(client: "redis.Redis", settings: streams.StreamSettings) -> None:
    writers = streams.StreamWriters(client, settings)  # not started: each flush is by hand
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "a")
        writers.flush()
        for letter in "bcd":
            writer.append(streams.Kind.TEXT, letter)
        writers.flush()
    assert client.lrange(keys.chunks("s"), 0, -1) == [b"t:a", b"t:bcd"]


def test_text_and_reasoning_are_never_in_one_chunk(client: "redis.Redis", settings: streams.StreamSettings) -> None:
    writers = streams.StreamWriters(client, settings)
    with writers.open("s") as writer:
        for kind, delta in [("r", "hm"), ("t", "A"), ("t", "B"), ("r", "oh")]:
            writer.append(streams.Kind(kind), delta)
        writers.flush()
    assert client.lrange(keys.chunks("s"), 0, -1) == [b"r:hm", b"t:AB", b"r:oh"]


def test_a_note_is_an_entry_of_its_own_and_no_part_of_the_text(
    client: "redis.Redis", settings: streams.StreamSettings, control: streams.StreamControl
) -> None:
    writers = streams.StreamWriters(client, settings)
    with writers.open("s") as writer:
        writer.note("The model is busy.")
        writer.note("The model is loading…")
        writers.flush()
        assert control.read("s").note == "The model is loading…"
        writer.append(streams.Kind.TEXT, "Once")
        writer.note("")
        writer.append(streams.Kind.TEXT, " upon")
        writers.flush()
        assert (writer.text, writer.reasoning) == ("Once upon", "")
    entries = [b"n:The model is busy.", "n:The model is loading…".encode(), b"t:Once", b"n:", b"t: upon"]
    assert client.lrange(keys.chunks("s"), 0, -1) == entries
    assert (control.read("s").text, control.read("s").note) == ("Once upon", None)


def test_notes_count_for_the_limit_and_one_that_is_too_much_is_not_taken(client: "redis.Redis") -> None:
    writers = streams.StreamWriters(client, streams.StreamSettings(lease=30.0, max_answer_bytes=12))
    with writers.open("s") as writer:
        writer.note("Busy.")  # 7 bytes with its letter and colon
        writer.note("Loading.")
        writer.append(streams.Kind.TEXT, "Once ")
        with pytest.raises(streams.AnswerTooLong):
            writer.append(streams.Kind.TEXT, "upon")
        writer.end(FINISHED)
        writer.note("Too late.")
        writers.flush()
    assert client.lrange(keys.chunks("s"), 0, 1) == [b"n:Busy.", b"t:Once "]
    assert client.llen(keys.chunks("s")) == 3


def test_a_huge_delta_is_cut_into_chunks_that_join_to_the_same_text(
    writers: streams.StreamWriters, control: streams.StreamControl, client: "redis.Redis"
) -> None:
    text = "é😀x" * 100_000
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, text)
        writer.end(FINISHED)
        assert writer.wait_flushed(60)
    assert max(map(len, client.lrange(keys.chunks("s"), 0, -1))) <= 64 * 1024 + 2
    assert control.read("s").text == text


def test_thousands_of_entries_are_stored_and_read_in_pages(
    client: "redis.Redis", settings: streams.StreamSettings, control: streams.StreamControl
) -> None:
    writers = streams.StreamWriters(client, settings)
    with writers.open("s") as writer:
        for number in range(4_500):  # alternating kinds make each delta a chunk of its own
            writer.append(streams.Kind.TEXT if number % 2 else streams.Kind.REASONING, f"{number} ")
        while writer.is_pending:
            writers.flush()
    recording = control.read("s")
    assert recording.stop == 4_500
    assert recording.text == "".join(f"{number} " for number in range(1, 4_500, 2))
    later = control.read("s", streams.Position(writer.epoch, 4_400))
    assert (later.start, later.stop) == (4_400, 4_500)


def test_an_answer_past_its_limit_is_refused_and_what_came_before_stays(client: "redis.Redis") -> None:
    writers = streams.StreamWriters(client, streams.StreamSettings(max_answer_bytes=10))
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "12345678")
        with pytest.raises(streams.AnswerTooLong, match="10 bytes"):
            writer.append(streams.Kind.TEXT, "éé")
        assert writer.text == "12345678"
        writer.end(streams.End(streams.Outcome.FAILED, "too long"))
        writers.flush()
    assert client.llen(keys.chunks("s")) == 2


def test_nothing_follows_the_end(writers: streams.StreamWriters) -> None:
    with writers.open("s") as writer:
        writer.end(FINISHED)
        with pytest.raises(RuntimeError, match="has its end"):
            writer.append(streams.Kind.TEXT, "more")
        with pytest.raises(RuntimeError, match="has its end"):
            writer.end(FINISHED)


def test_an_older_writer_is_fenced_by_a_newer_one_and_writes_no_more(
    client: "redis.Redis", settings: streams.StreamSettings
) -> None:
    older, newer = streams.StreamWriters(client, settings), streams.StreamWriters(client, settings)
    with older.open("s") as zombie:
        zombie.append(streams.Kind.TEXT, "old")
        older.flush()
        with newer.open("s", take_over=True) as heir:
            heir.append(streams.Kind.TEXT, "new")
            newer.flush()
            reasons: list[streams.StopReason] = []
            zombie.on_stop(reasons.append)
            zombie.append(streams.Kind.TEXT, "er text of a zombie")
            older.flush()
            assert reasons == [streams.StopReason.FENCED]
            with pytest.raises(streams.Fenced):
                zombie.append(streams.Kind.TEXT, "more")
            with pytest.raises(streams.Fenced):
                zombie.wait_flushed(0)
            assert client.lrange(keys.chunks("s"), 0, -1) == [b"t:new"]
            assert heir.epoch != zombie.epoch


def test_a_stream_is_begun_once_and_whoever_began_it_may_say_so_again(
    client: "redis.Redis", settings: streams.StreamSettings
) -> None:
    one, other = streams.StreamWriters(client, settings), streams.StreamWriters(client, settings)
    with one.open("s", epoch="aa") as writer:
        writer.append(streams.Kind.TEXT, "mine")
        one.flush()
        with pytest.raises(streams.StreamBegun), other.open("s", epoch="bb"):
            pass
    with one.open("s", epoch="aa") as again:  # the reply to the first call was lost
        again.append(streams.Kind.TEXT, "mine")
        one.flush()
    assert client.lrange(keys.chunks("s"), 0, -1) == [b"t:mine"]
    assert client.hget(keys.state("s"), "fence") == b"1"


def test_what_is_stored_is_what_redis_has_acknowledged(client: "redis.Redis", settings: streams.StreamSettings) -> None:
    writers = streams.StreamWriters(client, settings)  # not started: each flush is by hand
    with writers.open("s") as writer:
        writer.append(streams.Kind.REASONING, "Hm. ")
        writer.append(streams.Kind.TEXT, "Once ")
        writers.flush()
        writer.append(streams.Kind.TEXT, "upon")
        assert (writer.text, writer.stored.text, writer.stored.reasoning) == ("Once upon", "Once ", "Hm. ")
        writers.flush()
        assert writer.stored.text == "Once upon"
        client.flushall()
        writer.append(streams.Kind.TEXT, " a time")
        writers.flush()
        assert writer.stored.text == "", "it was lost, and is not written again yet"
        writers.flush()
        assert writer.stored.text == writer.text


def test_a_second_writer_in_the_same_process_stops_the_first(writers: streams.StreamWriters) -> None:
    reasons: list[streams.StopReason] = []
    with writers.open("s") as first:
        first.on_stop(reasons.append)
        with writers.open("s", take_over=True):
            assert reasons == [streams.StopReason.FENCED]
            for write in (lambda: first.append(streams.Kind.TEXT, "late"), first.wait_flushed):
                with pytest.raises(streams.Fenced, match="fence 1, the newest is 2"):
                    write()


def test_a_zombie_cannot_come_back_through_an_emptied_redis(
    client: "redis.Redis", settings: streams.StreamSettings
) -> None:
    older, newer = streams.StreamWriters(client, settings), streams.StreamWriters(client, settings)
    with older.open("s") as zombie, newer.open("s", take_over=True) as heir:
        client.flushall()
        zombie.append(streams.Kind.TEXT, "old")
        older.flush()  # Redis knows nobody, so it takes it …
        heir.append(streams.Kind.TEXT, "new")
        newer.flush()  # … until the newer one comes
        zombie.append(streams.Kind.TEXT, "more")
        older.flush()
        assert client.lrange(keys.chunks("s"), 0, -1) == [b"t:new"]


def test_a_stream_that_ended_cannot_be_opened_again(
    writers: streams.StreamWriters, control: streams.StreamControl
) -> None:
    control.announce("s")
    assert control.ask_cancel("s")
    with pytest.raises(streams.StreamEnded), writers.open("s"):
        pass


def test_a_stop_reaches_a_writer_whose_model_is_silent(
    writers: streams.StreamWriters, control: streams.StreamControl
) -> None:
    stopped = threading.Event()
    with writers.open("s") as writer:
        writer.on_stop(lambda reason: stopped.set() if reason is streams.StopReason.CANCELLED else None)
        assert control.ask_cancel("s")
        assert stopped.wait(60)


def test_a_stop_that_was_lost_on_the_channel_comes_with_the_next_reply(
    client: "redis.Redis", settings: streams.StreamSettings, control: streams.StreamControl
) -> None:
    writers = streams.StreamWriters(client, settings)  # not started: nobody listens to the channel
    with writers.open("s") as writer:
        reasons: list[streams.StopReason] = []
        writer.on_stop(reasons.append)
        control.ask_cancel("s")
        writer.append(streams.Kind.TEXT, "a")
        writers.flush()
        assert reasons == [streams.StopReason.CANCELLED]


def test_a_writer_that_is_told_to_stop_before_it_listens_is_told_when_it_does(
    writers: streams.StreamWriters, control: streams.StreamControl
) -> None:
    with writers.open("s") as writer:
        control.ask_cancel("s")
        wait_until(lambda: writer._stop_reason)
        reasons: list[streams.StopReason] = []
        writer.on_stop(reasons.append)
        assert reasons == [streams.StopReason.CANCELLED]


def test_an_end_is_flushed_while_redis_refuses_to_store_and_then_does(
    client: "redis.Redis", settings: streams.StreamSettings, control: streams.StreamControl
) -> None:
    writers = streams.StreamWriters(client, settings, random=lambda: 0.0)
    with writers.open("s") as writer:
        client.config_set("maxmemory", "1")
        client.config_set("maxmemory-policy", "noeviction")
        try:
            writer.append(streams.Kind.TEXT, "kept")
            assert not writers.flush(), "Redis answers OOM"
            assert writer.is_pending
        finally:
            client.config_set("maxmemory", "0")
        writer.end(FINISHED)
        writers.flush()
        assert control.read("s").text == "kept"


def test_what_redis_refused_or_lost_is_told_once_for_each_stream_when_it_is_mended(
    client: "redis.Redis", settings: streams.StreamSettings, caplog: pytest.LogCaptureFixture
) -> None:
    writers = streams.StreamWriters(client, settings, random=lambda: 0.0)
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "one")
        writers.flush()
        client.config_set("maxmemory", "1")
        try:
            writer.append(streams.Kind.TEXT, "two")
            assert not writers.flush()
            assert not writers.flush()
        finally:
            client.config_set("maxmemory", "0")
        writers.flush()
        client.delete(keys.chunks("s"))
        writer.append(streams.Kind.TEXT, "three")
        while writer.is_pending:
            writers.flush()
    of_the_writer = [record for record in caplog.records if record.name == "streams.writer"]
    told = [(record.getMessage()[:30], vars(record)["stream_id"]) for record in of_the_writer]
    assert told == [("Redis takes what was held back", "s"), ("Redis had lost entries; writin", "s")]
    assert vars(of_the_writer[1])["lost"] == 2


@pytest.mark.parametrize("field", ["fence", "cancel"])
def test_a_state_that_cannot_be_read_holds_up_no_writer(
    client: "redis.Redis", settings: streams.StreamSettings, control: streams.StreamControl, field: str
) -> None:
    writers = streams.StreamWriters(client, settings)
    with writers.open("bad") as bad, writers.open("good") as good:
        client.hset(keys.state("bad"), field, "nonsense")
        bad.append(streams.Kind.TEXT, "all the same")
        good.append(streams.Kind.TEXT, "good")
        assert writers.flush()
        assert (control.read("bad").text, control.read("good").text) == ("all the same", "good")


def test_what_lies_at_a_streams_keys_instead_of_it_gives_way_to_its_writer(
    client: "redis.Redis", settings: streams.StreamSettings, control: streams.StreamControl
) -> None:
    """It is as if Redis had lost the stream: its writer has all of it."""
    client.set(keys.state("s"), "of another type")
    writers = streams.StreamWriters(client, settings)
    with writers.open("s") as writer:
        writer.append(streams.Kind.TEXT, "Once")
        writers.flush()
        for key in (keys.state("s"), keys.chunks("s")):
            client.delete(key)
            client.set(key, "of another type")
            writer.append(streams.Kind.TEXT, " upon")
            while writer.is_pending:
                assert writers.flush()
        writer.end(FINISHED)
        writers.flush()
    assert control.read("s").text == "Once upon upon"


def test_a_notification_carries_small_entries_and_only_announces_large_ones(
    client: "redis.Redis", settings: streams.StreamSettings
) -> None:
    writers = streams.StreamWriters(client, settings)
    heard: list[bytes] = []
    subscribed = threading.Event()
    with closing(streams.Subscriber(client)) as subscriber:
        subscriber.add(keys.news("s"), heard.append, subscribed.set)
        subscriber.start()
        assert subscribed.wait(60)
        with writers.open("s") as writer:
            writer.append(streams.Kind.TEXT, "small")
            writers.flush()
            writer.append(streams.Kind.TEXT, "x" * MAX_NOTIFICATION)
            writers.flush()
            wait_until(lambda: len(heard) == 3)
    epoch = writer.epoch.encode()
    assert heard == [epoch + b" 0 0 \n", epoch + b" 0 1 7\nt:small", epoch + b" 1 2 \n"]


def test_no_key_is_without_an_expiry(
    writers: streams.StreamWriters, control: streams.StreamControl, client: "redis.Redis"
) -> None:
    control.announce("queued")
    with writers.open("running") as writer:
        writer.append(streams.Kind.TEXT, "x")
        wait_until(lambda: not writer.is_pending)
    with writers.open("ended") as writer:
        writer.append(streams.Kind.TEXT, "x")
        writer.end(FINISHED)
        assert writer.wait_flushed(60)
    names = [name for name in client.scan_iter() if name.decode() != keys.UNSETTLED]
    assert len(names) == 5
    assert all(client.pttl(name) > 0 for name in names)
    control.mark_saved("ended")
    assert client.pttl(keys.chunks("ended")) <= 3_600_000
