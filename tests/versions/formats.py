"""What a version leaves in Redis and with browsers, written down so that later versions can show that they read it.

`python -m tests.versions.formats > tests/versions/recorded/<version>.json` records this version. A file is never
changed: what it holds was written by processes that may still run beside newer ones.
"""

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from queue import SimpleQueue
from threading import Event
from typing import Any

import redis
from rq.job import Job

import streams
from jobs import Handover, open_queue
from streams import End, Kind, Outcome, keys
from tests.support.redis_server import running_redis
from tests.support.waiting import wait_until

Json = dict[str, Any]
STREAM, CONVERSATION, QUEUE = "st0123456789", "c0123456789", "generations"
OWNER = "wZ5mSx0mX9r0nq1n0m3kYQ"
TEXT, REASONING = "Once upon a time. \N{SNOWMAN}", "A tale is wanted."
PATIENCE = 60.0  # seconds
END = End(Outcome.FINISHED, "It is long enough.", {"total_tokens": 52})


def written(client: "redis.Redis") -> Json:
    """What this version writes for one answer from its question to its end, and what a visitor keeps."""
    settings = streams.StreamSettings(lease=60.0)
    control = streams.StreamControl(client, settings)
    assert Handover(control, open_queue(client, QUEUE), 60.0)(STREAM, CONVERSATION, "a-model")
    queued = _state(client)
    job = {name: base64.b64encode(value).decode() for name, value in _fields(Job.key_for(STREAM), client).items()}
    with closing(streams.StreamWriters(client, settings)) as writers, _news(client) as news:
        writers.start()
        with writers.open(STREAM) as writer:
            running = _state(client)
            for kind, delta in [(Kind.REASONING, REASONING), (Kind.TEXT, TEXT[:10]), (Kind.TEXT, TEXT[10:])]:
                writer.append(kind, delta)
                wait_until(lambda: not writer.is_pending)
            writer.end(END)
            assert writer.wait_stored(60)
        stored: list[Any] = client.lrange(keys.chunks(STREAM), 0, -1)
        entries = [entry.decode() for entry in stored]
        notifications = [news.get(timeout=PATIENCE).decode() for _ in ("of its opening", *entries)]
    return {
        "stream": STREAM,
        "entries": entries,
        "states": {"queued": queued, "running": running, "ended": _state(client)},
        "notifications": notifications,
        "job": job,
        "cookie": {"_permanent": True, "owner": OWNER},
    }


@contextmanager
def _news(client: "redis.Redis") -> Iterator[SimpleQueue[bytes]]:
    heard, listening = SimpleQueue[bytes](), Event()
    with closing(streams.Subscriber(client)) as subscriber:
        subscriber.add(keys.news(STREAM), heard.put, listening.set)
        subscriber.start()
        assert listening.wait(PATIENCE)
        yield heard


def _fields(key: str, client: "redis.Redis") -> dict[str, bytes]:
    found: dict[Any, Any] = client.hgetall(key)
    return {name.decode(): value for name, value in found.items()}


def _state(client: "redis.Redis") -> dict[str, str]:
    return {name: value.decode() for name, value in _fields(keys.state(STREAM), client).items()}


if __name__ == "__main__":
    with running_redis() as server, redis.Redis.from_url(server.url) as own:
        json.dump(written(own), sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
        print()
