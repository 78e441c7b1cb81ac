"""Connections find the server that takes writes, without being told."""

from contextlib import closing
from pathlib import Path

import pytest
import redis

import streams
from streams import keys
from streams.connection import checked_streams_url, checked_url
from tests.support.fault_proxy import fault_proxy
from tests.support.ports import free_port
from tests.support.redis_sentinels import running_sentinels
from tests.support.redis_server import running_redis
from tests.support.waiting import wait_until


def test_after_a_failover_a_connection_to_the_old_primary_is_given_up_for_the_new_one(tmp_path: Path) -> None:
    with (
        running_redis(port=free_port()) as old,
        running_redis(port=free_port()) as new,
        fault_proxy(tmp_path / "p.sock", old.socket) as line,
        streams.connect(line.url) as client,
        streams.connect(old.url) as at_old,
        streams.connect(new.url) as at_new,
    ):
        client.set("before", 1)
        line.serve(new.socket)
        at_old.replicaof("127.0.0.1", str(new.port))
        wait_until(lambda: at_old.info("replication")["master_link_status"] == "up")
        client.set("after", 1)
        assert at_new.get("after") == b"1"


def test_sentinels_say_who_the_primary_is_before_and_after_a_failover_in_mid_answer() -> None:
    with (
        running_redis(port=free_port()) as old,
        running_redis(port=free_port()) as new,
        running_sentinels(old, new) as url,
        streams.connect(url, reply_timeout=1.0) as client,
        closing(streams.StreamWriters(client, streams.StreamSettings(lease=30.0))) as writers,
        closing(streams.Subscriber(client)) as subscriber,
    ):
        writers.start()
        heard = list[bytes]()
        subscriber.add(keys.news("s"), heard.append)
        subscriber.start()
        wait_until(lambda: client.pubsub_shardchannels(keys.news("s")), what="the subscription at the old one")
        with writers.open("s") as writer:
            writer.append(streams.Kind.TEXT, "before, ")
            assert writer.wait_stored(60)
            old.kill()
            writer.append(streams.Kind.TEXT, "after")
            assert writer.wait_stored(60)
            writer.end(streams.End(streams.Outcome.FINISHED))
            assert writer.wait_flushed(60)
            with streams.connect(new.url) as at_new:
                assert streams.StreamControl(at_new, streams.StreamSettings()).read("s").text == "before, after"
            wait_until(lambda: client.pubsub_shardchannels(keys.news("s")), what="the subscription at the new one")
            heard.clear()
            client.spublish(keys.news("s"), "heard of")
            wait_until(lambda: b"heard of" in heard, what="the news of the new one")


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "rediss://:secret@host:6380/0?ssl_cert_reqs=none",
        "unix:///run/redis.sock?db=1",
        "redis+sentinel://:secret@a:26379,b/answers/1",
    ],
)
def test_what_rq_can_use_is_good_for_streams_too(url: str) -> None:
    assert checked_url(url) == checked_streams_url(url) == url


@pytest.mark.parametrize(
    "url", ["redis+cluster://a:7000,b:7001,c", "rediss+cluster://user:secret@a,b/?ssl_cert_reqs=none"]
)
def test_a_cluster_is_for_streams_alone(url: str) -> None:
    assert checked_streams_url(url) == url
    with pytest.raises(ValueError, match="STREAMS_REDIS_URL"):
        checked_url(url)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("localhost:6379", "must begin with redis://"),
        ("http://localhost", "must begin with redis://"),
        ("redis+magic://localhost", "must begin with redis://"),
        ("redis+cluster://a:seven", "no URL"),
        ("redis+sentinel://a:26379", "must name the service"),
        ("redis://:s3cret@host:port", "no URL"),
    ],
)
def test_what_is_no_address_of_a_redis_is_refused_and_not_repeated(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refused:
        checked_streams_url(url)
    assert url not in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_cluster_of_which_no_server_answers_is_an_error_of_redis() -> None:
    with pytest.raises(redis.RedisError):
        streams.connect_streams(f"redis+cluster://127.0.0.1:{free_port()}")
